#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/journal/history/files.h"
#include "gateway/journal/journal.h"

namespace tidegate::journal::history {

/// A bucket of one sample.
Bucket bucket_of(const Sample& sample);
/// Adds all samples of another bucket, in any order.
void add(Bucket& bucket, const Bucket& other);

/// Buckets of one width, aligned to the epoch; `start` is the number of widths since then.
struct Rollup {
  std::int64_t start;
  Bucket bucket;
};
constexpr Micros kMinute = std::chrono::minutes(1);
constexpr Micros kHour = std::chrono::hours(1);
constexpr Micros kDay = std::chrono::days(1);

/// The number of the bucket of that width that holds `time`: rounded down, before 1970 too.
constexpr std::int64_t number_of(Timestamp time, Micros width) {
  const std::int64_t ticks = time.time_since_epoch().count();
  const std::int64_t whole = ticks / width.count();
  return ticks % width.count() < 0 ? whole - 1 : whole;
}
constexpr Timestamp start_of(std::int64_t number, Micros width) { return Timestamp{width * number}; }

/// Rolls up samples and smaller buckets, in any order; at most a day's, so a dense array serves.
class RollupBuilder {
 public:
  RollupBuilder(Day day, Micros width);
  void add(std::span<const Sample> samples);
  void add(std::span<const Rollup> smaller);
  std::vector<Rollup> take() const;  ///< without the empty ones

 private:
  void add(const Bucket& smaller);

  Micros width_;
  std::int64_t first_;
  std::vector<Bucket> buckets_;
  std::vector<double> lost_;  ///< what the sums' additions rounded away, so that a sum is the nearest double
};

/// As bytes, by the codec of batches: each of a bucket's numbers is a series of its own. Lossless.
std::string encode_rollups(std::span<const Rollup> rollups, Micros width);
Result<std::vector<Rollup>> decode_rollups(std::string_view bytes, Micros width);

}  // namespace tidegate::journal::history
