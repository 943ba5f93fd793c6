#include "drivers/poller.h"

namespace tidegate::drivers {

Micros until_next_turn(Timestamp now, Micros every) {
  const Micros since = now.time_since_epoch() % every;
  return since < Micros{0} ? -since : every - since;
}

void poll_aligned(Micros every, const Clock& clock, TurnMeter& turns, std::stop_token stop,
                  const std::function<void(Timestamp)>& poll) {
  Timestamp now = clock.now();
  Schedule schedule({every}, now + until_next_turn(now, every));
  for (std::uint64_t counted = 0;; counted = schedule.missed()) {
    const Timestamp planned = schedule.next();
    if (!sleep_for(planned - now, stop)) return;
    const Timestamp begun = clock.now();
    poll(begun);
    now = clock.now();
    schedule.take_due(now);  // not before the poll: what came meanwhile is left out
    turns.add(planned, begun, now, schedule.missed() - counted);
  }
}

}  // namespace tidegate::drivers
