#include "gateway/journal/history/compactor.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "gateway/journal/history/log_side.h"
#include "gateway/journal/history/seal.h"
#include "gateway/journal/history/year_file.h"

namespace tidegate::journal::history {
namespace {

/// No clock of a device is believed to be further ahead than this.
constexpr auto kAhead = std::chrono::hours(48);

std::int64_t ticks(Timestamp time) { return time.time_since_epoch().count(); }

/// Series that stand one after the other in the catalogue, and how many samples of a day each has in a round.
struct Group {
  Day day;
  std::size_t from, to;  ///< by the journal's id
  std::span<const std::uint32_t> counts;
};

using Put = std::function<Status(const DayFile::Part&)>;

/// A group's samples, each series' own together. As many as were counted, so memory is taken once and for no more.
class Collected {
 public:
  explicit Collected(const Group& group) : group_(group), starts_(group.counts.size() + 1) {
    std::partial_sum(group.counts.begin(), group.counts.end(), starts_.begin() + 1);
    ends_.assign(starts_.begin(), starts_.end() - 1);
    samples_.resize(starts_.back());
  }

  /// In the order of the log. False where there are more than were counted.
  bool take(std::span<const Sample> batch) {
    for (const Sample& sample : batch) {
      if (index(sample.series) < group_.from || index(sample.series) >= group_.to ||
          day_of(sample.time) != group_.day) {
        continue;
      }
      const std::size_t at = index(sample.series) - group_.from;
      if (ends_[at] == starts_[at + 1]) return false;
      samples_[ends_[at]++] = sample;
    }
    return true;
  }

  /// By series and time; of equal times the order of the log stays. Returns how many.
  Result<std::uint64_t> put_all(const Catalogue& catalogue, const Put& put) {
    std::uint64_t all = 0;
    for (std::size_t at = 0; at < ends_.size(); ++at) {
      const auto one = std::span(samples_).subspan(starts_[at], ends_[at] - starts_[at]);
      if (one.empty()) continue;
      std::ranges::stable_sort(one, {}, &Sample::time);
      const Catalogue::Entry entry = catalogue.entry(one.front().series);
      if (Status status = put({entry, one}); !status) return fail(std::move(status.error()));
      all += one.size();
    }
    return all;
  }

 private:
  const Group& group_;
  std::vector<std::size_t> starts_, ends_;  ///< of each series, in samples_
  std::vector<Sample> samples_;
};

Result<std::uint64_t> write_group(sql::Connection& log, const Round& round, const Group& group,
                                  const Catalogue& catalogue, const Put& put) {
  Collected collected(group);
  bool as_counted = true;
  Unreadable told_as_gaps;  // to the log's readers
  Status status = read_log(log, prev(round.first), round.last, {}, told_as_gaps,
                           [&](std::span<const Sample> batch) { as_counted = as_counted && collected.take(batch); });
  if (!status) return fail(std::move(status.error()));
  // What could not be read when it was counted can be read now: the whole round is made again, of all of it.
  if (!as_counted) return fail(Errc::unavailable, "the log has more than when it was counted; it is done again");
  return collected.put_all(catalogue, put);
}

}  // namespace

/// What a round holds, before it is written.
struct Compactor::Counts {
  std::map<Day, std::vector<std::uint32_t>> by_day;  ///< samples of each series, by the journal's id
  std::uint64_t left_out = 0;
};

Compactor::Compactor(Options options, const Catalogue& catalogue, const Clock& clock, Metrics& metrics)
    : options_(std::move(options)),
      catalogue_(catalogue),
      clock_(clock),
      rounds_(metrics.counter("history/rounds", "", "Times that the log's samples were written to history.")),
      compacted_(metrics.counter("history/samples", "", "Samples that were written to history.")),
      left_out_(metrics.counter("history/left_out_samples", "",
                                "Samples that history did not take: older than its retention, or of the future.")) {}

std::size_t Compactor::samples_a_round() const {
  return std::max(options_.round_samples, options_.round_samples_a_series * catalogue_.size());
}

Result<bool> Compactor::due(sql::Connection& log, const Stretch& stretch) const {
  auto first =
      log.prepare("SELECT seq, committed, samples_before FROM batch WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1");
  if (!first) return fail(std::move(first.error()));
  const Result<bool> row = first->bind(number(stretch.after), number(stretch.last)).step();
  if (!row) return fail(row.error());
  if (!*row) return false;
  const auto samples = log.number(fmt::format(
      "SELECT samples_before + samples FROM batch WHERE seq <= {} ORDER BY seq DESC LIMIT 1", number(stretch.last)));
  if (!samples) return fail(samples.error());
  return number(stretch.last) - first->integer(0) >= static_cast<std::int64_t>(options_.round_batches) ||
         *samples - first->integer(2) >= static_cast<std::int64_t>(samples_a_round()) ||
         ticks(clock_.now()) - first->integer(1) >= options_.round_age.count();
}

Result<Round> Compactor::plan(sql::Connection& log, const Stretch& stretch) const {
  Round round{.epoch = std::string(stretch.epoch), .first = next(stretch.after), .last = stretch.after};
  auto rows = log.prepare("SELECT seq, committed, samples FROM batch WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(stretch.after), number(stretch.last), static_cast<std::int64_t>(options_.round_batches));
  while (round.samples < static_cast<std::int64_t>(samples_a_round())) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) break;
    round.last = Seq{rows->integer(0)};
    round.committed = Timestamp{Micros{rows->integer(1)}};
    round.samples += rows->integer(2);
  }
  return round;
}

Result<Compactor::Counts> Compactor::count(sql::Connection& log, const Round& round) const {
  Counts counts;
  const Timestamp oldest = clock_.now() - options_.retention;
  const Timestamp newest = std::max(clock_.now(), round.committed) + kAhead;
  const std::size_t series = catalogue_.size();
  Unreadable told_as_gaps;  // to the log's readers
  const auto take = [&](std::span<const Sample> batch) {
    for (const Sample& sample : batch) {
      // Whole days only: a file is used by its day, not by the moment.
      if (day_of(sample.time) < day_of(oldest) || sample.time > newest || index(sample.series) >= series) {
        ++counts.left_out;
        continue;
      }
      auto& day = counts.by_day[day_of(sample.time)];
      day.resize(series);
      ++day[index(sample.series)];
    }
  };
  Status status = read_log(log, prev(round.first), round.last, {}, told_as_gaps, take);
  if (!status) return fail(std::move(status.error()));
  return counts;
}

Result<Seq> Compactor::round(sql::Connection& log, const Stretch& stretch, bool at_once, std::stop_token stop) {
  const auto is_due = due(log, stretch);
  if (!is_due) return fail(is_due.error());
  if (!*is_due && !at_once) return stretch.after;
  const auto round = plan(log, stretch);
  if (!round) return fail(round.error());
  if (round->last == stretch.after) return stretch.after;
  const auto counts = count(log, *round);
  if (!counts) return fail(counts.error());
  for (const auto& [day, series] : counts->by_day) {
    if (Status status = write_day(log, *round, day, series, stop); !status) return fail(std::move(status.error()));
  }
  rounds_.add();
  left_out_.add(static_cast<double>(counts->left_out));
  return round->last;
}

Status Compactor::write_day(sql::Connection& log, Round round, Day day, const std::vector<std::uint32_t>& counts,
                            const std::stop_token& stop) {
  auto file = file_for(day);
  if (!file) return fail(std::move(file.error()));
  const auto before = file->last_round();
  if (!before) return fail(before.error());
  // A crash or a failure came between this file's commit and the cursor's: what it has is not written again.
  if (*before && (*before)->epoch == round.epoch) round.first = std::max(round.first, next((*before)->last));
  if (round.first > round.last) return file->confirm();
  if (Status status = withdraw(options_.directory, day); !status) return status;
  std::uint64_t written = 0;
  Status status = file->add(round, [&](const Put& put) -> Status {
    for (std::size_t from = 0, to = 0; from < counts.size(); from = to) {
      std::size_t samples = counts[to++];
      while (to < counts.size() && samples + counts[to] <= options_.group_samples) samples += counts[to++];
      if (samples == 0) continue;
      if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
      const Group group{day, from, to, std::span(counts).subspan(from, to - from)};
      const auto put_now = write_group(log, round, group, catalogue_, put);
      if (!put_now) return fail(put_now.error());
      written += *put_now;
    }
    return {};
  });
  if (status) compacted_.add(static_cast<double>(written));
  return status;
}

/// The last part of the day. A part once followed by another is not written any more, so the last one knows how far
/// the day is.
Result<DayFile> Compactor::file_for(Day day) const {
  std::error_code error;
  std::filesystem::create_directories(options_.directory, error);
  if (error) return fail(Errc::io, "{} cannot be made: {}", options_.directory.string(), error.message());
  int part = 1;
  std::uint64_t bytes = 0;
  for (const DayFileName& found : day_files(options_.directory)) {
    if (found.day != day) continue;
    part = found.part;
    bytes = found.bytes;
  }
  auto file = DayFile::open(day_path(options_.directory, day, part), day);
  if (!file || bytes < options_.max_file) return file;
  const auto last = file->last_round();
  if (!last) return fail(last.error());
  auto following = DayFile::open(day_path(options_.directory, day, part + 1), day);
  if (!following || !*last) return following;
  if (Status status = following->continue_from(**last); !status) return fail(std::move(status.error()));
  return following;
}

Result<bool> Compactor::seal(std::stop_token stop) {
  const auto complete = complete_days(options_.directory);
  if (!complete) return fail(complete.error());
  const auto files = day_files(options_.directory);
  for (auto file = files.begin(); file != files.end();) {
    const Day day = file->day;
    std::vector<DayFileName> parts;
    for (; file != files.end() && file->day == day; ++file) parts.push_back(*file);
    if (complete->contains(day)) continue;
    const auto ready = ready_to_seal(parts, clock_.now());
    if (!ready) return fail(ready.error());
    if (!*ready) continue;
    if (Status status = seal_day(options_.directory, parts, stop); !status) return fail(std::move(status.error()));
    return true;
  }
  return false;
}

}  // namespace tidegate::journal::history
