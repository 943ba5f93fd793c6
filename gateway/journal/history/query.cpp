#include "gateway/journal/history/query.h"

#include <algorithm>
#include <set>

#include "gateway/journal/codec.h"
#include "gateway/journal/history/buckets.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/year_file.h"

namespace tidegate::journal::history {
namespace {

using namespace std::chrono_literals;

/// Samples are read this much at a time, so that an export needs no more memory than this holds.
constexpr Micros kSlice = 1h;
constexpr std::uint32_t kNotAsked = ~std::uint32_t{0};

struct Range {
  Timestamp from, to;
  bool empty() const { return from >= to; }
};

Timestamp rounded_up(Timestamp time, Micros unit) {
  const Timestamp down = start_of(number_of(time, unit), unit);
  return down == time ? down : down + unit;
}
Timestamp rounded_down(Timestamp time, Micros unit) { return start_of(number_of(time, unit), unit); }
Range of_day(Day day) { return {day, day + std::chrono::days(1)}; }
Range both(Range a, Range b) { return {std::max(a.from, b.from), std::min(a.to, b.to)}; }

/// How far the files have the log; within the log's snapshot.
Result<std::pair<std::string, Seq>> compacted(sql::Connection& log) {
  auto epoch = log.text("SELECT value FROM meta WHERE key = 'epoch'");
  if (!epoch) return fail(std::move(epoch.error()));
  const auto through = log.number("SELECT seq FROM cursor WHERE name = 'history'");
  if (!through) return fail(through.error());
  return std::pair{std::move(*epoch), Seq{*through}};
}

/// The samples of the log's batches after `after` that may fall into the range.
Status read_log(sql::Connection& log, Seq after, Range range, Unreadable& unreadable,
                const std::function<void(std::span<const Sample>)>& take) {
  auto rows =
      log.prepare("SELECT data, samples FROM batch WHERE seq > ? AND last_time >= ? AND first_time < ? ORDER BY seq");
  if (!rows) return fail(std::move(rows.error()));
  rows->bind(number(after), range.from.time_since_epoch().count(), range.to.time_since_epoch().count());
  std::vector<Sample> samples;
  while (true) {
    const Result<bool> row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    if (decode(rows->text(0), samples)) {
      take(samples);
    } else {
      ++unreadable.chunks;
      unreadable.samples += static_cast<std::uint64_t>(std::max<std::int64_t>(0, rows->integer(1)));
    }
  }
}

/// One question to all that is stored, tier by tier.
class Search {
 public:
  Search(const Store& store, const Query& query, Visible visible, Unreadable& unreadable)
      : store_(store),
        query_(query),
        range_{query.from, query.to},
        visible_(visible),
        unreadable_(unreadable),
        buckets_(query.series.size(), query.from, query.to, query.max_points) {}

  Status run() {
    if (buckets_.unit() >= kHour) {
      if (Status status = add_years(); !status) return status;
    }
    for (const DayFileName& file : day_files(store_.files)) {
      if (done_.contains(file.day) || both(range_, of_day(file.day)).empty()) continue;
      if (Status status = add_file(file); !status) return status;
    }
    return add_log();
  }

  std::vector<SeriesHistory> answer() const {
    std::vector<SeriesHistory> histories;
    for (std::size_t i = 0; i < query_.series.size(); ++i) {
      histories.push_back({query_.series[i].id, buckets_.row(i)});
    }
    return histories;
  }

 private:
  /// Days that lie in the range whole; and parts of days whose samples retention has taken.
  Status add_years() {
    std::set<Day> with_samples;
    for (const DayFileName& file : day_files(store_.files)) with_samples.insert(file.day);
    for (const YearFileName& file : year_files(store_.files)) {
      Status status = add_year(file, with_samples);
      if (status || status.error().code == Errc::not_found) continue;  // retention took it
      if (status.error().code != Errc::corrupt) return status;
      unreadable_.files.insert(file.path);
    }
    return {};
  }

  Status add_year(const YearFileName& file, const std::set<Day>& with_samples) {
    auto year = open_to_read(file.path);
    if (!year) return fail(std::move(year.error()));
    auto days = complete_days(*year, day_of(query_.from), day_of(query_.to) + std::chrono::days(1));
    if (!days) return fail(std::move(days.error()));
    std::erase_if(*days, [&](Day day) { return !is_whole(day) && with_samples.contains(day); });
    // All rows are read before one is added: of a file that fails half way the days' own files tell instead.
    std::vector<std::vector<std::pair<Day, RolledDay>>> rows(query_.series.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (Status status = read_days(*year, query_.series[row].name, *days, rows[row]); !status) return status;
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (const auto& [day, rolled] : rows[row]) add_day(row, day, rolled);
    }
    done_.insert(days->begin(), days->end());
    return {};
  }

  bool is_whole(Day day) const {
    return query_.from <= Timestamp(day) && Timestamp(day + std::chrono::days(1)) <= query_.to;
  }

  static Status read_days(sql::Connection& year, const std::string& name, const std::set<Day>& days,
                          std::vector<std::pair<Day, RolledDay>>& found) {
    const auto series = find_series(year, name);
    if (!series) return fail(series.error());
    if (!*series) return {};
    for (const Day day : days) {
      auto rolled = read_day(year, **series, day);
      if (!rolled) return fail(std::move(rolled.error()));
      found.emplace_back(day, std::move(*rolled));
    }
    return {};
  }

  void add_day(std::size_t row, Day day, const RolledDay& rolled) {
    if (is_whole(day) && buckets_.unit() == kDay) {
      buckets_.add(row, rolled.total);
    } else {
      add_rollups(row, rolled.hours, kHour);
    }
  }

  void add_rollups(std::size_t row, std::span<const Rollup> rollups, Micros width) {
    for (const Rollup& rollup : rollups) {
      const Timestamp start = start_of(rollup.start, width);
      if (start >= query_.from && start + width <= query_.to) buckets_.add(row, rollup.bucket);
    }
  }

  /// What is damaged is passed over: the rest of the answer is worth having.
  Status add_file(const DayFileName& name) {
    const std::uint64_t before = unreadable_.chunks;
    Status status = add_rows(name);
    const bool corrupt = !status && status.error().code == Errc::corrupt;
    if (corrupt || unreadable_.chunks > before) unreadable_.files.insert(name.path);
    return corrupt ? Status{} : status;
  }

  Status add_rows(const DayFileName& name) {
    auto file = open_to_read(name.path);
    if (!file) return file.error().code == Errc::not_found ? Status{} : fail(std::move(file.error()));
    auto snapshot = sql::Transaction::snapshot(*file);
    if (!snapshot) return fail(std::move(snapshot.error()));
    for (std::size_t row = 0; row < query_.series.size(); ++row) {
      const auto series = find_series(*file, query_.series[row].name);
      if (!series) return fail(series.error());
      if (!*series) continue;
      if (Status status = add_series(*file, **series, row, both(range_, of_day(name.day))); !status) return status;
    }
    return {};
  }

  Status add_series(sql::Connection& file, std::int64_t series, std::size_t row, Range range) {
    if (buckets_.unit() < kMinute) return add_chunks(file, series, row, 0, range);
    const auto minutes = read_minutes(file, series);
    if (!minutes && minutes.error().code != Errc::corrupt) return fail(minutes.error());
    const Range whole{rounded_up(range.from, kMinute), rounded_down(range.to, kMinute)};
    if (!minutes || !minutes->rollups || whole.empty()) return add_chunks(file, series, row, 0, range);
    add_rollups(row, *minutes->rollups, kMinute);
    // The broken minutes at both ends, and what came after the minutes were rolled up.
    if (Status status = add_chunks(file, series, row, 0, {range.from, whole.from}); !status) return status;
    if (Status status = add_chunks(file, series, row, 0, {whole.to, range.to}); !status) return status;
    return add_chunks(file, series, row, minutes->sealed, whole);
  }

  Status add_chunks(sql::Connection& file, std::int64_t series, std::size_t row, std::int64_t after, Range range) {
    if (range.empty()) return {};
    return read_chunks(
        file, series, visible_, after, range.from, range.to,
        [&](std::span<const Sample> samples) {
          for (const Sample& sample : samples) {
            if (sample.time >= range.from && sample.time < range.to) buckets_.add(row, sample);
          }
        },
        unreadable_);
  }

  Status add_log() {
    std::vector<std::uint32_t> rows;  // by the journal's id
    for (std::size_t row = 0; row < query_.series.size(); ++row) {
      const std::size_t id = index(query_.series[row].id);
      if (id >= rows.size()) rows.resize(id + 1, kNotAsked);
      if (rows[id] == kNotAsked) rows[id] = static_cast<std::uint32_t>(row);
    }
    return read_log(store_.log, visible_.through, range_, unreadable_, [&](std::span<const Sample> samples) {
      for (const Sample& sample : samples) {
        const std::size_t id = index(sample.series);
        if (id < rows.size() && rows[id] != kNotAsked) buckets_.add(rows[id], sample);
      }
    });
  }

  const Store& store_;
  const Query& query_;
  const Range range_;
  const Visible visible_;
  Unreadable& unreadable_;
  Buckets buckets_;
  std::set<Day> done_;  ///< answered by a year's file
};

Status read_file(const DayFileName& name, const std::string& series, Range range, const Visible& visible,
                 const std::function<void(const Sample&)>& keep, Unreadable& unreadable) {
  auto file = open_to_read(name.path);
  if (!file && file.error().code == Errc::not_found) return {};
  if (!file) return fail(std::move(file.error()));
  const auto number = find_series(*file, series);
  if (!number) return fail(number.error());
  if (!*number) return {};
  return read_chunks(
      *file, **number, visible, 0, range.from, range.to,
      [&](std::span<const Sample> samples) { std::for_each(samples.begin(), samples.end(), keep); }, unreadable);
}

/// The samples of one series in a slice that lies within a day.
Result<std::vector<Sample>> read_slice(const Store& store, const SeriesRef& series, Range range, const Visible& visible,
                                       std::span<const DayFileName> files, Unreadable& unreadable) {
  std::vector<Sample> slice;
  const auto keep = [&](Sample sample) {
    if (sample.time < range.from || sample.time >= range.to) return;
    sample.series = series.id;
    slice.push_back(sample);
  };
  for (const DayFileName& name : files) {
    if (name.day != day_of(range.from)) continue;
    const std::uint64_t before = unreadable.chunks;
    const Status status = read_file(name, series.name, range, visible, keep, unreadable);
    const bool corrupt = !status && status.error().code == Errc::corrupt;
    if (corrupt || unreadable.chunks > before) unreadable.files.insert(name.path);
    if (!status && !corrupt) return fail(status.error());
  }
  Status status = read_log(store.log, visible.through, range, unreadable, [&](std::span<const Sample> samples) {
    for (const Sample& sample : samples) {
      if (sample.series == series.id) keep(sample);
    }
  });
  if (!status) return fail(std::move(status.error()));
  std::stable_sort(slice.begin(), slice.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
  return slice;
}

/// The stretches of time that hold anything at all: an export of "everything" does not walk through empty years.
Result<std::vector<Range>> slices(const Store& store, const SeriesRef& series, Range range, Seq after,
                                  std::span<const DayFileName> files) {
  std::set<Day> days;
  for (const DayFileName& file : files) days.insert(file.day);
  Unreadable told_later;
  Status status = read_log(store.log, after, range, told_later, [&](std::span<const Sample> samples) {
    for (const Sample& sample : samples) {
      if (sample.series == series.id) days.insert(day_of(sample.time));
    }
  });
  if (!status) return fail(std::move(status.error()));
  std::vector<Range> found;
  for (const Day day : days) {
    for (Timestamp from = day; from < day + std::chrono::days(1); from += kSlice) {
      if (const Range slice = both(range, {from, from + kSlice}); !slice.empty()) found.push_back(slice);
    }
  }
  return found;
}

}  // namespace

Result<std::vector<SeriesHistory>> read_history(const Store& store, const Query& query, Unreadable& unreadable) {
  auto snapshot = sql::Transaction::snapshot(store.log);
  if (!snapshot) return fail(std::move(snapshot.error()));
  const auto through = compacted(store.log);
  if (!through) return fail(through.error());
  Search search(store, query, {through->first, through->second}, unreadable);
  if (Status status = search.run(); !status) return fail(std::move(status.error()));
  return search.answer();
}

Status read_samples(const Store& store, const SeriesRef& series, Timestamp from, Timestamp to,
                    const std::function<Status(std::span<const Sample>)>& take, Unreadable& unreadable) {
  auto snapshot = sql::Transaction::snapshot(store.log);
  if (!snapshot) return fail(std::move(snapshot.error()));
  const auto through = compacted(store.log);
  if (!through) return fail(through.error());
  const auto files = day_files(store.files);
  const auto portions = slices(store, series, {from, to}, through->second, files);
  if (!portions) return fail(portions.error());
  for (const Range& range : *portions) {
    const auto slice = read_slice(store, series, range, {through->first, through->second}, files, unreadable);
    if (!slice) return fail(slice.error());
    if (slice->empty()) continue;
    if (Status status = take(*slice); !status) return status;
  }
  return {};
}

}  // namespace tidegate::journal::history
