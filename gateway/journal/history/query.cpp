#include "gateway/journal/history/query.h"

#include <algorithm>
#include <set>

#include "gateway/journal/history/buckets.h"
#include "gateway/journal/history/database.h"
#include "gateway/journal/history/log_side.h"
#include "gateway/journal/history/year_file.h"

namespace tidegate::journal::history {
namespace {

constexpr std::uint32_t kNotAsked = ~std::uint32_t{0};

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
    return read_log(store_.log, visible_.through, kEndOfLog, range_, unreadable_, [&](std::span<const Sample> samples) {
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

}  // namespace tidegate::journal::history
