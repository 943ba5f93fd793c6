#include "gateway/journal/history/archive.h"

#include "gateway/journal/history/repair.h"

namespace tidegate::journal::history {

Archive::Archive(const Options& options, const Catalogue& catalogue, const Clock& clock, Metrics& metrics)
    : directory_(options.directory / "history"),
      limits_{options.retention, options.rollup_retention, options.max_history_bytes, options.when_full},
      catalogue_(catalogue),
      clock_(clock),
      compactor_({.directory = directory_, .retention = options.retention}, catalogue, clock, metrics),
      bytes_(metrics.gauge("history/file_bytes", "bytes", "Size of the files of history/.")),
      retired_(metrics.counter("history/retired_files", "", "Files of history that retention removed.")),
      damaged_(metrics.counter("history/damaged_files", "", "Files of history that were found damaged.")) {
  take_back_cut_off_commits();
}

/// Readers cannot: it is writing. Only a file is concerned that was being written when the process ended, or the disk
/// refused.
void Archive::take_back_cut_off_commits() const {
  for (const std::filesystem::path& file : all_files(directory_)) {
    if (!has_hot_journal(file)) continue;
    auto connection = sql::Connection::open(file, sql::Connection::Access::write);
    // A failure shows again where the file is read, and is repaired then.
    if (connection) static_cast<void>(connection->number("SELECT count(*) FROM sqlite_schema"));
  }
}

Result<Archive::Progress> Archive::step(sql::Connection& log, std::string_view epoch, Seq after, bool saved,
                                        bool at_once, const std::stop_token& stop) {
  auto repaired = repair_one(stop);
  if (!repaired) return fail(std::move(repaired.error()));
  if (*repaired) return Progress{after, true, std::move(*repaired)};
  auto progress = work(log, epoch, after, saved, at_once, stop);
  // Which file it was that is damaged is found by looking at each.
  if (!progress && progress.error().code == Errc::corrupt && suspect_damaged()) return Progress{after, true, {}};
  if (!progress) take_back_cut_off_commits();
  return progress;
}

Result<Archive::Progress> Archive::work(sql::Connection& log, std::string_view epoch, Seq after, bool saved,
                                        bool at_once, const std::stop_token& stop) {
  if (!is_full()) {
    const auto through = compactor_.round(log, epoch, after, at_once, stop);
    if (!through) return fail(through.error());
    if (*through != after) return Progress{*through, true, {}};
  }
  // Every reader sees rollups at once: so only of what the cursor on disk says is in history.
  if (saved) {
    const auto sealed = compactor_.seal(stop);
    if (!sealed) return fail(sealed.error());
    if (*sealed) return Progress{after, true, {}};
  }
  const auto more = keep_within_bounds(stop);
  if (!more) return fail(more.error());
  return Progress{after, *more, {}};
}

Result<std::optional<std::string>> Archive::repair_one(const std::stop_token& stop) {
  std::pair<std::filesystem::path, std::string> suspect;
  {
    const std::lock_guard lock(mutex_);
    if (suspects_.empty()) return std::optional<std::string>{};
    suspect = *suspects_.begin();
  }
  std::error_code ignored;
  std::optional<std::string> sentence;
  if (std::filesystem::exists(suspect.first, ignored)) {
    auto repaired = repair(suspect.first, suspect.second, clock_.now(), stop);
    if (!repaired) return fail(std::move(repaired.error()));
    damaged_.add();
    sentence = std::move(*repaired);
  }
  const std::lock_guard lock(mutex_);
  suspects_.erase(suspect.first);
  return sentence;
}

bool Archive::suspect_damaged() const {
  const auto damaged = find_damaged(directory_);
  const std::lock_guard lock(mutex_);
  suspects_.insert(damaged.begin(), damaged.end());
  return !suspects_.empty();
}

Result<bool> Archive::keep_within_bounds(const std::stop_token& stop) {
  const auto kept = retire(directory_, clock_.now(), limits_, stop);
  if (!kept) return fail(kept.error());
  bytes_.set(static_cast<double>(kept->bytes));
  retired_.add(static_cast<double>(kept->removed));
  oldest_ = kept->oldest.value_or(Timestamp::max());
  return kept->thinned > 0;
}

bool Archive::is_full() const {
  return limits_.when_full == WhenFull::reject && bytes_.value() >= static_cast<double>(limits_.max_bytes);
}

void Archive::note(const Unreadable& unreadable) const {
  const std::lock_guard lock(mutex_);
  for (const auto& file : unreadable.files) suspects_.emplace(file, "a reader found chunks that cannot be read");
}

Result<std::vector<SeriesHistory>> Archive::history(sql::Connection& log, std::span<const SeriesId> series,
                                                    Timestamp from, Timestamp to, std::size_t max_points) const {
  std::vector<SeriesRef> asked;
  std::map<SeriesId, std::size_t> row;  // a series that is asked for twice is read once
  for (const SeriesId id : series) {
    if (row.emplace(id, asked.size()).second) asked.push_back({id, catalogue_.entry(id).name});
  }
  Unreadable unreadable;
  const auto found = read_history({log, directory_}, {asked, from, to, max_points}, unreadable);
  note(unreadable);
  if (!found) return fail(found.error());
  std::vector<SeriesHistory> answer;
  for (const SeriesId id : series) answer.push_back((*found)[row[id]]);
  return answer;
}

}  // namespace tidegate::journal::history
