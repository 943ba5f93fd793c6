#include "gateway/core/backoff.h"

#include <algorithm>

namespace tidegate {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): enough to spread a fleet, and 8 bytes of state.
std::uint64_t random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Backoff::Backoff(Micros first, Micros most, std::uint64_t seed)
    : first_(first), most_(most), current_(first), state_(seed) {}

Micros Backoff::next() {
  const auto half = current_.count() / 2;
  const auto spread = half > 0 ? static_cast<std::int64_t>(random(state_) % static_cast<std::uint64_t>(half)) : 0;
  const Micros wait{current_.count() - half / 2 + spread};
  current_ = std::min(current_ * 2, most_);
  return wait;
}

}  // namespace tidegate
