#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gateway/journal/history/day_file.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// By number in the log, by name in the files.
struct SeriesRef {
  SeriesId id{};
  std::string name;
};

/// What is read together: the log, and the files that were made from it. One snapshot of the log tells which of its
/// batches are in the files too, so nothing is seen twice or missed while compaction goes on.
struct Store {
  sql::Connection& log;
  std::filesystem::path files;
};

struct Query {
  std::span<const SeriesRef> series;
  Timestamp from, to;
  std::size_t max_points;
};

/// Buckets of equal width, from the coarsest that is stored and fits: a year by days, a month by minutes, a day by its
/// samples. Where rollups serve, buckets begin at whole minutes, hours or days; what lies outside [from, to) is never
/// in one. What is damaged adds nothing and is counted.
Result<std::vector<SeriesHistory>> read_history(const Store& store, const Query& query, Unreadable& unreadable);

}  // namespace tidegate::journal::history
