#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/journal/store_view.h"

namespace tidegate::journal {

/// What a store holds, in numbers.
struct Inventory {
  struct Tier {
    std::uint64_t files = 0, file_bytes = 0;  ///< write-ahead log and the like included
    std::uint64_t parts = 0;                  ///< batches; chunks; days of a series
    std::uint64_t samples = 0;
    std::uint64_t data_bytes = 0;             ///< of the samples, encoded
    std::optional<Timestamp> oldest, newest;  ///< sample
  };
  Tier log;                        ///< journal.db; what history has is in it too, for a while
  Tier history;                    ///< the days' files
  Tier rollups;                    ///< the years' files
  std::uint64_t rest_samples = 0;  ///< of the log, which are not in history yet
  std::uint64_t rounds = 0;        ///< of compaction
  std::uint64_t minutes_bytes = 0;
  std::uint64_t events = 0, dead_letters = 0;
  std::uint64_t snapshots = 0, snapshot_bytes = 0;  ///< whose samples are there, and these, encoded
  std::uint64_t free_bytes = 0;                     ///< of journal.db, to be used again
  Seq first{}, last{}, compacted{};
  struct Cursor {
    std::string name;
    Seq at{};
    std::uint64_t batches = 0, samples = 0;  ///< of the log, behind it
  };
  std::vector<Cursor> cursors;
  struct Series {
    std::size_t place;
    std::uint64_t samples = 0;     ///< in history and the rest of the log, each once
    std::uint64_t data_bytes = 0;  ///< in history
  };
  std::vector<Series> series;  ///< in order of place
};

/// Errc::stopped when `stop` came. Damaged files are noted in the view's reading, and count as far as they are read.
Result<Inventory> take_inventory(StoreView& view, std::stop_token stop);

}  // namespace tidegate::journal
