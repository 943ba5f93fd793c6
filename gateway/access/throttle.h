#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tidegate::access {

/// Who fails has to wait: not at all after the first few times, then a second, two, four, up to a quarter of an hour.
/// Nobody is locked out for good, and who has not failed for an hour begins anew. Under a lock of its owner's.
class Throttle {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr int kFree = 4;  ///< failures that cost no wait
  static constexpr std::chrono::seconds kLongest{900};
  static constexpr std::chrono::hours kForgotten{1};
  static constexpr std::size_t kMost =
      4096;  ///< that are remembered: beyond it who failed the longest ago is forgotten

  /// How long `who`, a user or an address, has to wait yet; nothing or less: not at all.
  std::chrono::steady_clock::duration wait(std::string_view who, Instant now) const;
  void failed(std::string_view who, Instant now);
  void succeeded(std::string_view who);
  /// One failure less: it was none.
  void forgive(std::string_view who);

 private:
  struct Record {
    int failures = 0;
    Instant last;
  };
  void make_room(Instant now);
  std::unordered_map<std::string, Record> records_;
};

}  // namespace tidegate::access
