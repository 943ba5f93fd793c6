#include <algorithm>
#include <set>

#include "gateway/journal/history/database.h"
#include "gateway/journal/history/log_side.h"
#include "gateway/journal/history/query.h"

namespace tidegate::journal::history {
namespace {

using namespace std::chrono_literals;

/// Samples are read this much at a time, so that an export needs no more memory than this holds.
constexpr Micros kSlice = 1h;

/// Reads one series slice by slice, forwards; the files of the day at hand stay open.
class SampleReader {
 public:
  SampleReader(const Store& store, const SeriesRef& series, Visible visible, Unreadable& unreadable)
      : store_(store), series_(series), visible_(visible), unreadable_(unreadable), files_(day_files(store.files)) {}

  /// The days that hold anything at all: an export of "everything" does not walk through empty years.
  Result<std::set<Day>> days(Range range) {
    std::set<Day> days;
    for (const DayFileName& file : files_) {
      if (!both(range, of_day(file.day)).empty()) days.insert(file.day);
    }
    Unreadable counted_later;
    Status status = read_log(store_.log, visible_.through, range, counted_later, [&](std::span<const Sample> samples) {
      for (const Sample& sample : samples) {
        if (is_wanted(sample, range)) days.insert(day_of(sample.time));
      }
    });
    if (!status) return fail(std::move(status.error()));
    return days;
  }

  Status open(Day day) {
    parts_.clear();
    for (const DayFileName& name : files_) {
      if (name.day != day) continue;
      if (Status status = pass_over_damage(name.path, open_part(name.path)); !status) return status;
    }
    return {};
  }

  /// Within the day that is open.
  Result<std::vector<Sample>> read(Range range) {
    std::vector<Sample> slice;
    for (Part& part : parts_) {
      const std::uint64_t before = unreadable_.chunks;
      Status status = read_chunks(
          part.file, part.series, visible_, 0, range.from, range.to,
          [&](std::span<const Sample> samples) {
            for (Sample sample : samples) {
              sample.series = series_.id;
              if (is_wanted(sample, range)) slice.push_back(sample);
            }
          },
          unreadable_);
      if (unreadable_.chunks > before) unreadable_.files.insert(part.path);
      if (status = pass_over_damage(part.path, std::move(status)); !status) return fail(std::move(status.error()));
    }
    Status status = read_log(store_.log, visible_.through, range, unreadable_, [&](std::span<const Sample> samples) {
      std::copy_if(samples.begin(), samples.end(), std::back_inserter(slice),
                   [&](const Sample& sample) { return is_wanted(sample, range); });
    });
    if (!status) return fail(std::move(status.error()));
    std::stable_sort(slice.begin(), slice.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
    return slice;
  }

 private:
  struct Part {
    std::filesystem::path path;
    sql::Connection file;
    std::int64_t series;  ///< the file's number
  };

  bool is_wanted(const Sample& sample, Range range) const {
    return sample.series == series_.id && sample.time >= range.from && sample.time < range.to;
  }

  Status open_part(const std::filesystem::path& path) {
    auto file = open_to_read(path);
    if (!file) return file.error().code == Errc::not_found ? Status{} : fail(std::move(file.error()));
    const auto number = find_series(*file, series_.name);
    if (!number) return fail(number.error());
    if (*number) parts_.push_back({path, std::move(*file), **number});
    return {};
  }

  Status pass_over_damage(const std::filesystem::path& path, Status status) {
    if (status || status.error().code != Errc::corrupt) return status;
    unreadable_.files.insert(path);
    return {};
  }

  const Store& store_;
  const SeriesRef& series_;
  const Visible visible_;
  Unreadable& unreadable_;
  const std::vector<DayFileName> files_;
  std::vector<Part> parts_;
};

}  // namespace

Status read_samples(const Store& store, const SeriesRef& series, Timestamp from, Timestamp to,
                    const std::function<Status(std::span<const Sample>)>& take, Unreadable& unreadable) {
  auto snapshot = sql::Transaction::snapshot(store.log);
  if (!snapshot) return fail(std::move(snapshot.error()));
  const auto through = compacted(store.log);
  if (!through) return fail(through.error());
  const Range asked{from, to};
  SampleReader reader(store, series, {through->first, through->second}, unreadable);
  const auto days = reader.days(asked);
  if (!days) return fail(days.error());
  for (const Day day : *days) {
    if (Status status = reader.open(day); !status) return status;
    for (Timestamp begin = day; begin < day + std::chrono::days(1); begin += kSlice) {
      const Range range = both(asked, {begin, begin + kSlice});
      if (range.empty()) continue;
      const auto slice = reader.read(range);
      if (!slice) return fail(slice.error());
      if (slice->empty()) continue;
      if (Status status = take(*slice); !status) return status;
    }
  }
  return {};
}

}  // namespace tidegate::journal::history
