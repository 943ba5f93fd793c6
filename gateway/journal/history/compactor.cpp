#include "gateway/journal/history/compactor.h"

#include <algorithm>
#include <map>

#include "gateway/journal/history/log_side.h"
#include "gateway/journal/history/seal.h"
#include "gateway/journal/history/year_file.h"

namespace tidegate::journal::history {
namespace {

/// No clock of a device is believed to be further ahead than this.
constexpr auto kAhead = std::chrono::hours(48);

std::int64_t ticks(Timestamp time) { return time.time_since_epoch().count(); }

struct Group {
  Day day;
  std::size_t from, to;  ///< series, by the journal's id
};

/// The samples of one group of series, by series and time; of equal times the order of the log stays.
Result<std::vector<Sample>> collect(sql::Connection& log, Seq after, Seq last, const Group& group) {
  std::vector<Sample> samples;
  Unreadable told_as_gaps;  // to the log's readers
  Status status = read_log(log, after, last, {}, told_as_gaps, [&](std::span<const Sample> batch) {
    for (const Sample& sample : batch) {
      const std::size_t at = index(sample.series);
      if (at >= group.from && at < group.to && day_of(sample.time) == group.day) samples.push_back(sample);
    }
  });
  if (!status) return fail(std::move(status.error()));
  std::stable_sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return std::tie(a.series, a.time) < std::tie(b.series, b.time);
  });
  return samples;
}

Status put_all(std::span<const Sample> samples, const Catalogue& catalogue,
               const std::function<Status(const DayFile::Part&)>& put) {
  for (std::size_t at = 0; at < samples.size();) {
    const SeriesId id = samples[at].series;
    std::size_t end = at;
    while (end < samples.size() && samples[end].series == id) ++end;
    const Catalogue::Entry entry = catalogue.entry(id);
    if (Status status = put({entry, samples.subspan(at, end - at)}); !status) return status;
    at = end;
  }
  return {};
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
  Status status = file->add(round, [&](const std::function<Status(const DayFile::Part&)>& put) -> Status {
    for (std::size_t from = 0, to = 0; from < counts.size(); from = to) {
      std::size_t samples = counts[to++];
      while (to < counts.size() && samples + counts[to] <= options_.group_samples) samples += counts[to++];
      if (samples == 0) continue;
      if (stop.stop_requested()) return fail(Errc::stopped, "asked to stop");
      const auto group = collect(log, prev(round.first), round.last, {day, from, to});
      if (!group) return fail(group.error());
      written += group->size();
      if (Status put_them = put_all(*group, catalogue_, put); !put_them) return put_them;
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
