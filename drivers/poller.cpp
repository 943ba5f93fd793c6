#include "drivers/poller.h"

namespace tidegate::drivers {

Micros until_next_turn(Timestamp now, Micros every) {
  const Micros since = now.time_since_epoch() % every;
  return since < Micros{0} ? -since : every - since;
}

void poll_aligned(Micros every, const Clock& clock, std::stop_token stop, const std::function<void(Timestamp)>& poll) {
  while (sleep_for(until_next_turn(clock.now(), every), stop)) poll(clock.now());
}

}  // namespace tidegate::drivers
