#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/journal/catalogue.h"
#include "gateway/journal/sqlite.h"

/// The series that a history file uses, under numbers of its own: so each file can be read alone, and outlives the
/// journal whose numbers were others.
namespace tidegate::journal::history {

constexpr const char* kNameTables =
    "CREATE TABLE series(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, unit TEXT NOT NULL, "
    "source TEXT NOT NULL, labels TEXT NOT NULL);"
    "CREATE TABLE label(series INTEGER, code INTEGER, text TEXT NOT NULL, PRIMARY KEY(series, code)) WITHOUT ROWID;";

/// The file's number of that series; made, or brought up to date, where need be. Within the caller's transaction.
Result<std::int64_t> put_series(sql::Connection& connection, const Catalogue::Entry& entry);

/// All of them, by the file's number; `Entry::id` has no meaning.
Result<std::vector<std::pair<std::int64_t, Catalogue::Entry>>> all_series(sql::Connection& connection);

/// Nothing where the file has no sample of it.
Result<std::optional<std::int64_t>> find_series(sql::Connection& connection, std::string_view name);

}  // namespace tidegate::journal::history
