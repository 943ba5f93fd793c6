#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::app {

/// How many samples of each series came since the start. The pump writes, once a batch; any thread reads.
class Tally {
 public:
  void count(std::span<const Sample> samples) {
    const std::lock_guard lock(mutex_);
    for (const Sample& sample : samples) {
      if (index(sample.series) >= counts_.size()) counts_.resize(index(sample.series) + 1);
      ++counts_[index(sample.series)];
    }
  }
  /// In order of their ids; those beyond the end have none.
  std::vector<std::uint64_t> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace tidegate::app
