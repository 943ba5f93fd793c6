#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/types.h"
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

/// Where a log begins and ends, and with it how much there was.
struct LogEnds {
  std::int64_t first = 1, last = 0;
  std::int64_t first_event = 1, last_event = 0;
  std::int64_t samples_retired = 0, samples_total = 0;
  Timestamp last_committed{};
  bool last_is_certain = true;
  bool exact = true;  ///< all of them; else there may be more
};

LogEnds ends_of(const Known& known);

/// A damaged log's. `sealed`: is a row of `batch` as its checksum says (1), not (0), or has it none (-1)? in SQL.
LogEnds find_ends(sql::Connection& log, const char* sealed, const std::filesystem::path& history,
                  const std::string& history_epoch);

/// What retention has removed: batches up to `seq`, with so many samples.
struct Retired {
  std::int64_t seq = 0, samples = 0;

  /// Batches are missing between these and the log's oldest. Their numbers and their samples both say so, or what is
  /// told of retention is damaged.
  bool ends_before(std::int64_t oldest, std::int64_t samples_before) const {
    return seq + 1 < oldest && samples < samples_before;
  }
};
Result<Retired> retired(sql::Connection& log);

/// An end of the table of events, whose numbers have no holes.
struct EventsEnd {
  std::optional<std::int64_t> sound;  ///< the outermost event that is as it was written
  std::int64_t beyond = 0;            ///< how many are not, outside of it
  std::int64_t outermost = 0;         ///< what the outermost of all says is its number

  /// Do they have the numbers that follow?
  bool in_a_row() const { return !sound || outermost == *sound + beyond || outermost == *sound - beyond; }
};
Result<EventsEnd> end_of_events(sql::Connection& log, bool newest);

/// The newest batch that a column `seq` names. One that is further behind the log's `end` than a WAL can hold was never
/// there.
Result<std::int64_t> newest_named(sql::Connection& log, const char* table, std::int64_t end);

}  // namespace tidegate::journal
