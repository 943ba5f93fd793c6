#pragma once

#include <span>
#include <vector>

#include "gateway/journal/history/rollup.h"
#include "gateway/journal/journal.h"

namespace tidegate::journal::history {

/// The buckets of one answer: rows of series, columns of time.
class Buckets {
 public:
  Buckets(std::size_t rows, Timestamp from, Timestamp to, std::size_t max_points);

  /// The rollups that make up whole buckets; 1 µs: only the samples themselves do.
  Micros unit() const { return unit_; }

  void add(std::size_t row, const Sample& sample) {
    if (sample.time < from_ || sample.time >= to_) return;
    history::add(at(row, sample.time), bucket_of(sample));
  }
  /// All of it within the range, and of a width that divides unit().
  void add(std::size_t row, const Bucket& bucket) {
    if (bucket.count + bucket.bad > 0) history::add(at(row, bucket.first_time), bucket);
  }
  std::vector<Bucket> row(std::size_t row) const;  ///< without the empty ones

 private:
  Bucket& at(std::size_t row, Timestamp time) {
    return buckets_[row * columns_ + static_cast<std::size_t>((time - base_) / width_)];
  }

  Timestamp from_, to_, base_;
  Micros unit_{1}, width_{1};
  std::size_t columns_ = 0;
  std::vector<Bucket> buckets_;
};

}  // namespace tidegate::journal::history
