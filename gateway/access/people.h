#pragma once

#include <string>
#include <string_view>

#include "gateway/core/result.h"
#include "gateway/core/types.h"
#include "gateway/journal/sqlite.h"

/// What the parts of Access share.
namespace tidegate::access {

inline std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

/// What is the matter with the name of a user or a token, or empty: it stands in the audit, in one line.
std::string problem_of_name(std::string_view name);
/// Errc::invalid: name or password will not do for a new user.
Status fitting(std::string_view name, std::string_view password);

template <class... Values>
Status run(journal::sql::Connection& connection, const char* text, const Values&... values) {
  auto statement = connection.prepare(text);
  return statement ? statement->bind(values...).run() : fail(std::move(statement.error()));
}

}  // namespace tidegate::access
