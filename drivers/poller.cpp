#include "drivers/poller.h"

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

}  // namespace tidegate::drivers
