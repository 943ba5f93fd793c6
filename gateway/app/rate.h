#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tidegate::app {

/// A counter's speed, smoothed over some five seconds. One thread updates, about once a second; any thread reads.
class RateMeter {
 public:
  void update(std::uint64_t count) {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_time_).count();
    if (started_ && seconds > 0.05) {
      const double newest = static_cast<double>(count - last_count_) / seconds;
      const double old = rate_.load(std::memory_order_relaxed);
      rate_.store(first_ ? newest : old + (newest - old) * 0.35, std::memory_order_relaxed);
      first_ = false;
    }
    started_ = true;
    last_time_ = now;
    last_count_ = count;
  }
  double per_second() const { return rate_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> rate_{0};
  std::chrono::steady_clock::time_point last_time_;
  std::uint64_t last_count_ = 0;
  bool started_ = false;
  bool first_ = true;
};

}  // namespace tidegate::app
