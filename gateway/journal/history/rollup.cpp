#include "gateway/journal/history/rollup.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gateway/journal/codec.h"

namespace tidegate::journal::history {
namespace {

/// Far from where arithmetic on times would overflow.
constexpr Timestamp kEarliest{Micros{-(std::int64_t{1} << 62)}}, kLatest{Micros{std::int64_t{1} << 62}};

/// The numbers of a bucket, in the order of their series in the encoded form.
constexpr std::size_t kFields = 9;

std::array<double, kFields> fields_of(const Rollup& rollup, Timestamp start) {
  const Bucket& bucket = rollup.bucket;
  return {static_cast<double>(bucket.count),
          static_cast<double>(bucket.bad),
          bucket.min,
          bucket.max,
          bucket.sum,
          bucket.first,
          bucket.last,
          static_cast<double>((bucket.first_time - start).count()),
          static_cast<double>((bucket.last_time - start).count())};
}

/// Of a damaged row that its checksum did not give away nothing may overflow.
bool to_bucket(const std::array<double, kFields>& fields, Timestamp start, Micros width, Bucket& bucket) {
  const auto counts = [](double value) { return value >= 0 && value <= 4294967295.0; };
  const auto inside = [&](double value) { return value >= 0 && value < static_cast<double>(width.count()); };
  if (!counts(fields[0]) || !counts(fields[1]) || !inside(fields[7]) || !inside(fields[8])) return false;
  bucket.count = static_cast<std::uint32_t>(fields[0]);
  bucket.bad = static_cast<std::uint32_t>(fields[1]);
  bucket.min = fields[2];
  bucket.max = fields[3];
  bucket.sum = fields[4];
  bucket.first = fields[5];
  bucket.last = fields[6];
  bucket.first_time = start + Micros{static_cast<std::int64_t>(fields[7])};
  bucket.last_time = start + Micros{static_cast<std::int64_t>(fields[8])};
  return true;
}

/// The part of `value` that `sum + value` rounds away (Neumaier's form of Kahan's summation).
double rounding(double sum, double value) {
  const double total = sum + value;
  return std::fabs(sum) >= std::fabs(value) ? (sum - total) + value : (value - total) + sum;
}

}  // namespace

Bucket bucket_of(const Sample& sample) {
  Bucket one{.first_time = sample.time, .last_time = sample.time};
  if (sample.quality == Quality::bad) {
    one.bad = 1;
  } else {
    one.min = one.max = one.sum = one.first = one.last = sample.value;
    one.count = 1;
  }
  return one;
}

void add(Bucket& bucket, const Bucket& other) {
  const std::uint32_t bad = bucket.bad + other.bad;
  if (other.count == 0 && bucket.count == 0) {
    if (other.bad == 0) return;
    bucket.first_time = bucket.bad == 0 ? other.first_time : std::min(bucket.first_time, other.first_time);
    bucket.last_time = bucket.bad == 0 ? other.last_time : std::max(bucket.last_time, other.last_time);
  } else if (bucket.count == 0) {
    bucket = other;
  } else if (other.count > 0) {
    bucket.count += other.count;
    bucket.min = std::min(bucket.min, other.min);
    bucket.max = std::max(bucket.max, other.max);
    bucket.sum += other.sum;
    if (other.first_time < bucket.first_time) {
      bucket.first_time = other.first_time;
      bucket.first = other.first;
    }
    if (other.last_time >= bucket.last_time) {
      bucket.last_time = other.last_time;
      bucket.last = other.last;
    }
  }
  bucket.bad = bad;
}

RollupBuilder::RollupBuilder(Day day, Micros width)
    : width_(width),
      first_(number_of(Timestamp(day), width)),
      buckets_(static_cast<std::size_t>(kDay / width)),
      lost_(buckets_.size()) {}

void RollupBuilder::add(std::span<const Sample> samples) {
  for (const Sample& sample : samples) add(bucket_of(sample));
}

void RollupBuilder::add(std::span<const Rollup> smaller) {
  for (const Rollup& one : smaller) add(one.bucket);
}

void RollupBuilder::add(const Bucket& smaller) {
  const auto at = static_cast<std::size_t>(number_of(smaller.first_time, width_) - first_);
  if (at >= buckets_.size()) return;
  if (buckets_[at].count > 0) lost_[at] += rounding(buckets_[at].sum, smaller.sum);
  history::add(buckets_[at], smaller);
}

std::vector<Rollup> RollupBuilder::take() const {
  std::vector<Rollup> rollups;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i].count + buckets_[i].bad == 0) continue;
    rollups.push_back({first_ + static_cast<std::int64_t>(i), buckets_[i]});
    rollups.back().bucket.sum += lost_[i];
  }
  return rollups;
}

std::string encode_rollups(std::span<const Rollup> rollups, Micros width) {
  std::vector<Sample> columns(rollups.size() * kFields);
  for (std::size_t row = 0; row < rollups.size(); ++row) {
    const Timestamp start = start_of(rollups[row].start, width);
    const auto fields = fields_of(rollups[row], start);
    for (std::size_t field = 0; field < kFields; ++field) {
      columns[field * rollups.size() + row] = {
          .series = SeriesId{static_cast<std::uint32_t>(field)}, .time = start, .value = fields[field]};
    }
  }
  return encode(columns);
}

Result<std::vector<Rollup>> decode_rollups(std::string_view bytes, Micros width) {
  const auto columns = decode(bytes);
  if (!columns) return fail(columns.error());
  if (columns->size() % kFields != 0) return fail(Errc::corrupt, "a rollup has {} numbers", columns->size());
  std::vector<Rollup> rollups(columns->size() / kFields);
  for (std::size_t row = 0; row < rollups.size(); ++row) {
    const Timestamp start = (*columns)[row].time;
    if (start < kEarliest || start > kLatest || start_of(number_of(start, width), width) != start) {
      return fail(Errc::corrupt, "a rollup begins at no whole bucket");
    }
    std::array<double, kFields> fields;
    for (std::size_t field = 0; field < kFields; ++field)
      fields[field] = (*columns)[field * rollups.size() + row].value;
    rollups[row].start = number_of(start, width);
    if (!to_bucket(fields, start, width, rollups[row].bucket)) return fail(Errc::corrupt, "a rollup is out of range");
  }
  return rollups;
}

}  // namespace tidegate::journal::history
