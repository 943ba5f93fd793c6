#include "gateway/tools/query.h"

#include <algorithm>
#include <array>

#include "gateway/core/time_text.h"
#include "gateway/journal/history/rollup.h"
#include "gateway/tools/samples.h"

namespace tidegate::tools {
namespace {

using namespace std::chrono_literals;
using journal::history::number_of;
using journal::history::start_of;

constexpr std::int64_t kBucketsAtATime = 10'000;

/// Rollups are by minute, hour and day, and serve from two of them on.
bool is_made_of_rollups(Micros width) {
  for (const Micros unit : {Micros{24h}, Micros{1h}, Micros{1min}}) {
    if (width >= 2 * unit) return width % unit == Micros{0};
  }
  return true;
}

Result<Micros> parse_resolution(const std::string& text) {
  const auto width = parse_duration(text);
  if (!width || *width < 1ms) {
    return fail(Errc::invalid, "--resolution {}: is no duration from 1ms on, such as 10s, 5m, 1h, 1d", text);
  }
  if (!is_made_of_rollups(*width)) {
    return fail(Errc::invalid,
                "--resolution {}: must be whole minutes from two minutes on, whole hours from two hours on, whole days "
                "from two days on",
                text);
  }
  return *width;
}

class Summary {
 public:
  Summary(journal::StoreView& view, Rows& rows, Micros width) : view_(view), rows_(rows), width_(width) {}

  /// Whole buckets, that the range begins and ends in.
  Status write(std::size_t place, Range range, const std::stop_token& stop) {
    std::int64_t at = number_of(range.from, width_);
    const std::int64_t end = number_of(range.to - Micros{1}, width_) + 1;
    while (at < end) {
      if (stop.stop_requested()) return fail(Errc::stopped, "stopped");
      const std::int64_t until = std::min(end, at + kBucketsAtATime);
      const auto found = view_.history(std::span(&place, 1), start_of(at, width_), start_of(until, width_),
                                       static_cast<std::size_t>(until - at));
      if (!found) return fail(found.error());
      for (const journal::Bucket& bucket : found->front().buckets) {
        if (Status status = put(view_.series()[place].name, bucket); !status) return status;
      }
      at = until;
    }
    return {};
  }

  static constexpr std::array<std::string_view, 9> kColumns = {"series", "time", "count", "bad", "min",
                                                               "max",    "mean", "first", "last"};

 private:
  Status put(const std::string& name, const journal::Bucket& bucket) {
    const std::string time = rfc3339(start_of(number_of(bucket.first_time, width_), width_));
    const auto number = [&](double value) { return bucket.count > 0 ? Value(value) : Value(); };
    const std::array<Value, 9> cells = {
        std::string_view(name), std::string_view(time), std::int64_t{bucket.count},        std::int64_t{bucket.bad},
        number(bucket.min),     number(bucket.max),     number(bucket.sum / bucket.count), number(bucket.first),
        number(bucket.last)};
    return rows_.row(cells);
  }

  journal::StoreView& view_;
  Rows& rows_;
  const Micros width_;
};

Status write_summary(journal::StoreView& view, const std::vector<std::size_t>& series, Range range, Micros width,
                     Rows& rows, const std::stop_token& stop) {
  if (Status status = rows.columns(Summary::kColumns); !status) return status;
  Summary summary(view, rows, width);
  for (const std::size_t place : series) {
    if (Status status = summary.write(place, range, stop); !status) return status;
  }
  return rows.end();
}

}  // namespace

Result<int> query(const QueryOptions& options, const Surroundings& surroundings) {
  const auto range =
      parse_range(options.from, options.to, surroundings.now, {surroundings.now - 1h, surroundings.now + 1min});
  if (!range) return fail(range.error());
  const bool raw = options.resolution.empty();
  const auto width = raw ? Result<Micros>(Micros{1}) : parse_resolution(options.resolution);
  if (!width) return fail(width.error());
  const auto view = journal::StoreView::open(surroundings.store);
  if (!view) return fail(view.error());
  const auto series = find_series(**view, options.patterns);
  if (!series) return fail(series.error());
  Output output;
  const auto rows = Rows::make(options.format, output);
  Status status =
      raw ? write_samples(**view, {*series, range->from, range->to}, *rows, surroundings.stop, [](std::size_t) {})
          : write_summary(**view, *series, *range, *width, *rows, surroundings.stop);
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  return verdict((*view)->reading());
}

}  // namespace tidegate::tools
