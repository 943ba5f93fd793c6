#pragma once

#include <span>
#include <vector>

#include "gateway/journal/journal.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

struct HistoryQuery {
  std::span<const SeriesId> series;
  Timestamp from, to;
  std::size_t max_points;
  Seq first, last;  ///< the batches held
};

/// Buckets by one pass over the batches that can hold samples of [from, to): those committed around it, and the wide
/// ones, by their index. A damaged batch adds nothing.
Result<std::vector<SeriesHistory>> read_history(sql::Connection& connection, const HistoryQuery& query);

}  // namespace tidegate::journal
