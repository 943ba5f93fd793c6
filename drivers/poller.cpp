#include "drivers/poller.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace tidegate::drivers {

Micros until_next_turn(Timestamp now, Micros every) {
  const Micros since = now.time_since_epoch() % every;
  return since < Micros{0} ? -since : every - since;
}

void poll_aligned(Micros every, const Clock& clock, std::stop_token stop, const std::function<void(Timestamp)>& poll) {
  while (sleep_for(until_next_turn(clock.now(), every), stop)) poll(clock.now());
}

bool sleep_for(Micros time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

Backoff::Backoff(Micros first, Micros most, std::uint64_t seed)
    : first_(first), most_(most), current_(first), state_(seed) {}

Micros Backoff::next() {
  // SplitMix64 (Steele, Lea, Flood 2014): one multiplication chain is plenty for jitter.
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  const double spread = 0.75 + 0.5 * static_cast<double>(z >> 11) * 0x1.0p-53;
  const Micros wait{static_cast<std::int64_t>(static_cast<double>(current_.count()) * spread)};
  current_ = current_ > most_ / 2 ? most_ : current_ * 2;
  return wait;
}

void Backoff::reset() { current_ = first_; }

}  // namespace tidegate::drivers
