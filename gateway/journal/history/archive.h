#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/catalogue.h"
#include "gateway/journal/history/compactor.h"
#include "gateway/journal/history/query.h"
#include "gateway/journal/history/retention.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal::history {

/// The folder history/: made from the log, rolled up, kept within its bounds, repaired, and read together with the log.
/// Threads: step() by one; all else by any.
class Archive {
 public:
  Archive(const Options& options, const Catalogue& catalogue, const Clock& clock, Metrics& metrics);

  /// The gateway did not end by itself: the files that it may have been writing are looked through, one a step.
  void look_again();

  struct Progress {
    Seq through{};                      ///< the log is in history up to here
    bool more = false;                  ///< there may be more to do now
    std::optional<std::string> notice;  ///< damage that was repaired, in words
  };
  /// One piece of work, the most urgent: a damaged file; a round over the stretch of the log (whatever there is with
  /// `at_once`); a day to be rolled up, if the stretch begins where the cursor on disk is too (`saved`); retention.
  Result<Progress> step(sql::Connection& log, const Stretch& stretch, bool saved, bool at_once,
                        const std::stop_token& stop);

  /// In the order of `series`, of which the catalogue knows every one.
  Result<std::vector<SeriesHistory>> history(sql::Connection& log, std::span<const SeriesId> series, Timestamp from,
                                             Timestamp to, std::size_t max_points) const;
  std::uint64_t bytes() const { return static_cast<std::uint64_t>(bytes_.value()); }
  /// Timestamp::max() while there is none.
  Timestamp oldest() const { return oldest_.load(); }

 private:
  Result<Progress> work(sql::Connection& log, const Stretch& stretch, bool saved, bool at_once,
                        const std::stop_token& stop);
  void take_back_cut_off_commits() const;
  void suspect_empty_files() const;
  bool look_at_one();
  Result<std::optional<std::string>> repair_one(const std::stop_token& stop);
  Result<bool> keep_within_bounds(const std::stop_token& stop);
  bool suspect_damaged() const;
  /// Counts, and has the files repaired.
  void note(const Unreadable& unreadable) const;
  bool is_full() const;

  const std::filesystem::path directory_;
  const Limits limits_;
  const Catalogue& catalogue_;
  const Clock& clock_;
  Compactor compactor_;
  Metric &bytes_, &retired_, &damaged_;
  std::vector<std::filesystem::path> to_look_at_;
  std::atomic<Timestamp> oldest_{Timestamp::max()};
  mutable std::mutex mutex_;
  mutable std::map<std::filesystem::path, std::string> suspects_;  ///< and why
};

}  // namespace tidegate::journal::history
