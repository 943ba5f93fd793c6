#include "gateway/journal/history/archive.h"

#include "gateway/journal/history/database.h"
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
  suspect_empty_files();
}

/// Only a file is concerned that was being written when the process ended, or the disk refused. A failure shows again
/// where the file is read, and is repaired then.
void Archive::take_back_cut_off_commits() const {
  for (const std::filesystem::path& file : all_files(directory_)) static_cast<void>(take_back_cut_off_commit(file));
}

void Archive::suspect_empty_files() const {
  std::error_code gone;
  for (const std::filesystem::path& file : all_files(directory_)) {
    if (std::filesystem::file_size(file, gone) == 0) suspects_.emplace(file, "it is empty");
  }
}

void Archive::look_again() { to_look_at_ = written_last(directory_); }

Result<Archive::Progress> Archive::step(sql::Connection& log, const Stretch& stretch, bool saved, bool at_once,
                                        const std::stop_token& stop) {
  auto repaired = repair_one(stop);
  if (repaired && *repaired) return Progress{stretch.after, true, std::move(*repaired)};
  // A repair that fails, for want of room as likely as not, is tried again and keeps nothing else waiting.
  auto progress = work(log, stretch, saved, at_once, stop);
  // Which file it was that is damaged is found by looking at each.
  if (!progress && progress.error().code == Errc::corrupt && repaired && suspect_damaged()) {
    return Progress{stretch.after, true, {}};
  }
  if (!progress) take_back_cut_off_commits();
  if (!repaired && !(progress && progress->more)) return fail(std::move(repaired.error()));
  return progress;
}

Result<Archive::Progress> Archive::work(sql::Connection& log, const Stretch& stretch, bool saved, bool at_once,
                                        const std::stop_token& stop) {
  if (!is_full()) {
    const auto through = compactor_.round(log, stretch, at_once, stop);
    if (!through) return fail(through.error());
    if (*through != stretch.after) return Progress{*through, true, {}};
  }
  if (look_at_one()) return Progress{stretch.after, true, {}};
  // Every reader sees rollups at once: so only of what the cursor on disk says is in history.
  if (saved) {
    const auto sealed = compactor_.seal(stop);
    if (!sealed) return fail(sealed.error());
    if (*sealed) return Progress{stretch.after, true, {}};
  }
  const auto more = keep_within_bounds(stop);
  if (!more) return fail(more.error());
  return Progress{stretch.after, *more, {}};
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

/// False: there is none left.
bool Archive::look_at_one() {
  if (to_look_at_.empty()) return false;
  const std::filesystem::path file = std::move(to_look_at_.back());
  to_look_at_.pop_back();
  if (Status status = look_at(file); !status && status.error().code == Errc::corrupt) {
    const std::lock_guard lock(mutex_);
    suspects_.emplace(file, std::move(status.error().text));
  }
  return true;
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
