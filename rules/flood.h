#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/event.h"

namespace tidegate::rules {

/// More alerts than an operator can deal with: so many new ones within so long a time are a flood, which lasts until
/// there are fewer than kFloodBelow. Ten in ten minutes, and five, after EEMUA 191 and ISA-18.2.
inline constexpr std::size_t kFloodFrom = 10, kFloodBelow = 5;
inline constexpr Micros kFloodWithin = std::chrono::minutes(10);

/// Whether the transition is news of an alert for which somebody is called.
bool calls_somebody(const AlertTransition& transition);

/// When somebody was called for what a sample of the time `at` did, looked at when the gateway's clock was `now`: its
/// own time, unless it was long on its way or the device's clock is wrong.
constexpr Timestamp called_at(Timestamp at, Timestamp now) { return at <= now && now - at < kFloodWithin ? at : now; }

/// Tells when a flood begins and ends. Pure; times need not come in their order.
class FloodWatch {
 public:
  /// An alert was raised that calls somebody. What has begun by that is added to `out`.
  void raised(Timestamp at, const std::string& alert, std::vector<Event>& out);
  /// As far as this nothing else was raised; what ended by then is added to `out`, with its own time.
  void pass(Timestamp now, std::vector<Event>& out);
  /// What was told before a restart, beside raised() of all that was raised since.
  void told(const Flood& flood);
  /// The one that is on.
  const std::optional<Flood>& now() const { return flood_; }

 private:
  struct Raise {
    Timestamp at;
    std::string alert;
  };
  std::deque<Raise> raises_;  ///< of the last kFloodWithin, the newest kFloodFrom in the order of their times
  std::optional<Flood> flood_;
};

}  // namespace tidegate::rules
