#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/pattern.h"
#include "gateway/core/result.h"
#include "gateway/journal/catalogue.h"
#include "gateway/journal/chunk_reader.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/log_rest.h"
#include "gateway/journal/sqlite.h"

namespace tidegate::journal {

/// A data directory as tools read it, whether its gateway runs or not: without its lock, by connections that cannot
/// write or checkpoint and hold no snapshot between two calls. Its samples are those of the moment it was opened: of
/// the log up to the last batch, and of the files that the log then knew to be made of it. A directory that has lost
/// its journal.db still has its history. One thread.
class StoreView {
 public:
  /// Errc::not_found where there is nothing of a gateway's, Errc::corrupt where journal.db is damaged.
  /// `most_samples`: of the log, in memory.
  static Result<std::unique_ptr<StoreView>> open(const std::filesystem::path& directory,
                                                 std::size_t most_samples = LogRest::kMostSamples);

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path history_directory() const { return directory_ / "history"; }

  /// By name; those that only history has, of a journal before this one, as well. A series is its place in here.
  const std::vector<Catalogue::Entry>& series() const { return series_; }
  std::optional<std::size_t> find(std::string_view name) const;
  /// Ascending: the places of all that any of the patterns matches.
  std::vector<std::size_t> matching(std::span<const Pattern> patterns) const;

  /// As history::read_history, of what is stored now.
  Result<std::vector<SeriesHistory>> history(std::span<const std::size_t> places, Timestamp from, Timestamp to,
                                             std::size_t max_points);

  const Reading& reading() const { return reading_; }
  Reading& note() { return reading_; }

  // What Scan and take_inventory() read.
  sql::Connection& log() { return *log_; }
  ChunkReader& chunks() { return *chunks_; }
  history::Visible visible() const { return {epoch_, through_}; }
  /// The log's samples that are in no file yet, in order of time; good until the next call.
  Result<std::span<const Sample>> rest(std::size_t place) { return rest_->of(place); }
  /// This view's code for each of those that a day file has for a state series; none where they are the same. Nothing
  /// where damage keeps from knowing them.
  std::optional<std::vector<double>> codes(std::size_t file, std::size_t place) const;

 private:
  using Names = std::map<std::string, Catalogue::Entry, std::less<>>;
  using Labels = std::map<std::string, std::vector<std::string>, std::less<>>;

  explicit StoreView(std::filesystem::path directory) : directory_(std::move(directory)) {}
  Result<Names> read_log_state();
  Status read_foreign_names(std::size_t file, Names& names);
  void read_all_names(Names& names);

  const std::filesystem::path directory_;
  std::optional<sql::Connection> log_;
  std::string epoch_;
  Seq through_{}, first_{}, last_{};
  std::vector<Catalogue::Entry> series_;
  struct Foreign {
    Labels labels;
    bool whole = false;  ///< all of its names could be read
  };
  std::map<std::size_t, Foreign> foreign_;  ///< by day file: of series whose codes are the file's own
  Reading reading_;
  std::optional<ChunkReader> chunks_;
  std::optional<LogRest> rest_;
};

}  // namespace tidegate::journal
