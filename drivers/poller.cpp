#include "drivers/poller.h"

namespace tidegate::drivers {

Micros until_next_turn(Timestamp now, Micros every) {
  const Micros since = now.time_since_epoch() % every;
  return since < Micros{0} ? -since : every - since;
}

void poll_aligned(Micros every, const Clock& clock, TurnMeter& turns, std::stop_token stop,
                  const std::function<void(Timestamp)>& poll) {
  while (true) {
    const Timestamp before = clock.now();
    const Timestamp planned = before + until_next_turn(before, every);
    if (!sleep_for(planned - before, stop)) return;
    const Timestamp begun = clock.now();
    poll(begun);
    const Timestamp ended = clock.now();
    const bool kept_time = ended >= planned && ended - planned < kClockStep;
    turns.add(planned, begun, ended, kept_time ? static_cast<std::uint64_t>((ended - planned) / every) : 0);
  }
}

}  // namespace tidegate::drivers
