#include "gateway/core/device_time.h"

#include "gateway/core/clock.h"

namespace tidegate {

bool believable(Timestamp time, Timestamp now) {
  constexpr Timestamp kEarliest = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
  return time >= kEarliest && (now < kClockIsSet || time <= now + kMostAhead);
}

}  // namespace tidegate
