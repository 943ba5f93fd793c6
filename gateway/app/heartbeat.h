#pragma once

#include <atomic>
#include <chrono>

#include "gateway/core/types.h"

namespace tidegate::app {

/// When the work that everything waits for last went on: while the gateway starts that is the journal's and the pump's
/// recovery, then the pump's rounds. Any thread.
class Heartbeat {
 public:
  void beat() { last_.store(now(), std::memory_order_relaxed); }
  Micros age() const { return Micros(now() - last_.load(std::memory_order_relaxed)); }

 private:
  static std::int64_t now() {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  std::atomic<std::int64_t> last_{now()};
};

}  // namespace tidegate::app
