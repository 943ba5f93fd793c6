#include "gateway/journal/history/buckets.h"

#include <algorithm>
#include <iterator>

namespace tidegate::journal::history {
namespace {

constexpr std::int64_t divided_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

/// At least two to a bucket, so that rounding the width up to whole units costs little resolution.
Micros unit_for(Micros width) {
  for (const Micros unit : {kDay, kHour, kMinute}) {
    if (width >= unit * 2) return unit;
  }
  return Micros{1};
}

}  // namespace

Buckets::Buckets(std::size_t rows, Timestamp from, Timestamp to, std::size_t max_points) : from_(from), to_(to) {
  const auto points = static_cast<std::int64_t>(max_points);
  const Micros asked{std::max<std::int64_t>(1, divided_up((to - from).count(), points))};
  unit_ = unit_for(asked);
  base_ = unit_ == Micros{1} ? from : start_of(number_of(from, unit_), unit_);
  width_ = unit_ * divided_up(asked.count(), unit_.count());
  while (divided_up((to - base_).count(), width_.count()) > points) width_ += unit_;  // the base lies before `from`
  columns_ = static_cast<std::size_t>(divided_up((to - base_).count(), width_.count()));
  buckets_.resize(rows * columns_);
}

std::vector<Bucket> Buckets::row(std::size_t row) const {
  std::vector<Bucket> found;
  const auto begin = buckets_.begin() + static_cast<std::ptrdiff_t>(row * columns_);
  std::copy_if(begin, begin + static_cast<std::ptrdiff_t>(columns_), std::back_inserter(found),
               [](const Bucket& bucket) { return bucket.count + bucket.bad > 0; });
  return found;
}

}  // namespace tidegate::journal::history
