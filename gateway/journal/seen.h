#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>

#include "gateway/core/types.h"

namespace tidegate::journal {

/// Batches that were seen once, so that each is counted once however many readers pass. Any thread.
class Seen {
 public:
  /// How many of [first, last] are new.
  std::uint64_t add(Seq first, Seq last) {
    const std::lock_guard lock(mutex_);
    auto fresh = static_cast<std::uint64_t>(number(last) - number(first) + 1);
    auto at = ranges_.upper_bound(first);
    if (at != ranges_.begin() && std::prev(at)->second >= first) --at;
    while (at != ranges_.end() && at->first <= last) {
      fresh -= static_cast<std::uint64_t>(number(std::min(at->second, last)) - number(std::max(at->first, first)) + 1);
      first = std::min(first, at->first);
      last = std::max(last, at->second);
      at = ranges_.erase(at);
    }
    ranges_.emplace(first, last);
    return fresh;
  }

 private:
  std::mutex mutex_;
  std::map<Seq, Seq> ranges_;  ///< first and last, apart from each other
};

}  // namespace tidegate::journal
