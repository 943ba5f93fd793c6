#pragma once

#include <cstdint>

#include "gateway/core/result.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

/// What state.db keeps, for a person.
namespace tidegate::tools {

struct RecordsOptions {
  Format format = Format::table;
};
/// The configurations in order, a row each; kDamaged where one cannot be read.
Result<int> config_log(const RecordsOptions& options, const Surroundings& surroundings);

struct ShowOptions {
  std::int64_t number = 0;  ///< 0: the newest
};
/// The files of one, each behind a comment with its name.
Result<int> config_show(const ShowOptions& options, const Surroundings& surroundings);

/// The audit in order; kDamaged where its seals do not follow from one another.
Result<int> audit(const RecordsOptions& options, const Surroundings& surroundings);

}  // namespace tidegate::tools
