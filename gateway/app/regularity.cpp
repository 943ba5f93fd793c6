#include "gateway/app/regularity.h"

#include <algorithm>
#include <limits>

namespace tidegate::app {

std::optional<Micros> Regularity::add(Micros waited, Micros passed) {
  using std::chrono::milliseconds;
  longest_ = std::max(longest_, waited);
  length_ += passed;
  if (length_ < kSlot) return std::nullopt;
  const auto millis = std::chrono::ceil<milliseconds>(longest_).count();
  slots_[slot_++ % kSlots] =
      static_cast<Millis>(std::clamp<std::int64_t>(millis, 1, std::numeric_limits<Millis>::max()));
  longest_ = length_ = Micros{0};
  return slot_ < kSlots ? std::nullopt : look();
}

/// An interval that was once known stays: a sensor that dies slowly is not to become one that speaks when it likes. It
/// grows when most are longer by now, and shrinks when all but the outages are shorter.
std::optional<Micros> Regularity::look() {
  std::array<Millis, kSlots> sorted = slots_;
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&](std::size_t i) { return Micros{std::chrono::milliseconds(sorted[i])}; };
  const Micros typical = at(kSlots / 2), long_one = at(kSlots - 3), short_one = at(2);
  const auto by_far = [](Micros one, Micros other) {
    return static_cast<double>(one.count()) > kAlike * static_cast<double>(other.count());
  };
  const bool is_regular = !by_far(long_one, short_one);
  const bool has_one = interval_ > Micros{0};
  const bool is_new = has_one ? by_far(typical, interval_) || (is_regular && by_far(interval_, long_one)) : is_regular;
  if (!is_new) return std::nullopt;
  interval_ = long_one;
  return interval_;
}

}  // namespace tidegate::app
