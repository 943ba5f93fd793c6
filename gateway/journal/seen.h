#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

#include "gateway/core/types.h"

namespace tidegate::journal {

/// Batches whose damage is known, so that each is counted and told once however many readers pass. Any thread.
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
  /// "5-7 12-12", and back; what is no such text tells of nothing.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [first, last] : ranges_) {
      text += fmt::format("{}{}-{}", text.empty() ? "" : " ", number(first), number(last));
    }
    return text;
  }
  void add(const std::string& text) {
    std::istringstream ranges(text);
    char to = 0;
    for (std::int64_t first = 0, last = 0; ranges >> first >> to >> last && to == '-' && first <= last;) {
      add(Seq{first}, Seq{last});
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<Seq, Seq> ranges_;  ///< first and last, apart from each other
};

}  // namespace tidegate::journal
