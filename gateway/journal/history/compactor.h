#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/catalogue.h"
#include "gateway/journal/history/day_file.h"
#include "gateway/journal/history/files.h"
#include "gateway/journal/history/log_side.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// Writes the log's samples once more, by series, into the files of their days. A consumer of the log like any other:
/// its cursor moves when a round is on disk, and a round that a crash cut off is done again without doubles, since
/// each file remembers up to where it has the log. One thread, of low priority; it holds no lock while it works.
class Compactor {
 public:
  struct Options {
    std::filesystem::path directory;
    Micros retention;                     ///< samples older than this are not taken over
    std::uint64_t max_file = 256u << 20;  ///< beyond it a day goes on in another part
    // A round is due when the log holds this much that is not in history yet, or something this old.
    std::size_t round_samples = 1u << 20;
    std::size_t round_samples_a_series = 256;  ///< many series: longer rounds, so that chunks stay worth their headers
    std::size_t round_batches = 20'000;
    Micros round_age = std::chrono::hours(1);
    std::size_t group_samples = 1u << 18;  ///< in memory at a time; more are made by reading the log again
  };

  Compactor(Options options, const Catalogue& catalogue, const Clock& clock, Metrics& metrics);

  /// A round over the stretch: up to where it got, or where it begins where none is due (`at_once`:
  /// whatever there is). Errc::stopped when `stop` came in between; what is done so far is kept.
  Result<Seq> round(sql::Connection& log, const Stretch& stretch, bool at_once, std::stop_token stop);
  /// Rolls up the oldest day that needs it: one that is over, and to which nothing came for an hour. False: none does.
  Result<bool> seal(std::stop_token stop);

 private:
  struct Counts;
  std::size_t samples_a_round() const;
  Result<bool> due(sql::Connection& log, const Stretch& stretch) const;
  /// The batches of the next round; its `last` is where the stretch begins where there is none.
  Result<Round> plan(sql::Connection& log, const Stretch& stretch) const;
  Result<Counts> count(sql::Connection& log, const Round& round) const;
  Status write_day(sql::Connection& log, Round round, Day day, const std::vector<std::uint32_t>& counts,
                   const std::stop_token& stop);
  Result<DayFile> file_for(Day day) const;

  const Options options_;
  const Catalogue& catalogue_;
  const Clock& clock_;
  Metric &rounds_, &compacted_, &left_out_;
};

}  // namespace tidegate::journal::history
