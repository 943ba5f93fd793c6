#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/core/result.h"
#include "gateway/journal/catalogue.h"
#include "gateway/journal/cursors.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// What a running process knows of its journal without reading it.
struct Known {
  std::string epoch, history_epoch;
  Seq first{}, last{};  ///< batches held
  Timestamp last_committed{};
  std::int64_t samples_retired = 0;  ///< before `first`
  std::int64_t samples_total = 0;    ///< ever appended
  std::int64_t first_event = 1, last_event = 0;
  std::vector<Catalogue::Entry> series;
  Cursors::Positions cursors;
};

/// What could not be read. `exact`: where both ends of the log were known; else there may be more.
struct Losses {
  std::uint64_t batches = 0, samples = 0, events = 0;
  std::uint64_t names = 0;  ///< series and labels that now have a stand-in for a name
  std::uint64_t states =
      0;  ///< alert states, cursors, dead letters: damaged ones; which are gone altogether nobody knows
  bool exact = true;
};

struct Salvaged {
  std::filesystem::path aside;  ///< where the damaged file is to go
  Losses lost;
  Batch report;  ///< the successor's newest batch: a Notice in words
};

/// Gives the rows of a small table that can be read, "SELECT ... FROM ..." in order of `key`: from both of its ends up
/// to the damage.
void each_row(sql::Connection& from, const std::string& select, const char* key,
              const std::function<void(sql::Statement&)>& take);

/// Reads whatever can be read of a damaged file, batch by batch, into its successor: names under the same ids, alert
/// states, cursors, events, dead letters, batches under the same numbers. It ends with a batch that reports the
/// losses, and from which the numbers count on. The epoch stays where the last number is certain; where the log's end
/// was lost, a number might be given twice, and so a new epoch begins. `step` is called between bounded pieces.
/// Fails only where the successor cannot be written; then nothing has changed.
Result<Salvaged> salvage(const std::filesystem::path& file, const Error& why, const std::optional<Known>& known,
                         const Moment& now, const std::function<void()>& step);

}  // namespace tidegate::journal
