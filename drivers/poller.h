#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "drivers/turns.h"
#include "gateway/core/backoff.h"  // Backoff, for drivers that try again
#include "gateway/core/clock.h"
#include "gateway/core/sleep.h"  // sleep_for(), likewise
#include "gateway/core/types.h"

namespace tidegate::drivers {

/// Calls `poll(now)` at whole multiples of `every` ("every: 1s" reads on the second) until asked to stop. A poll that
/// takes longer than `every` skips the turns it missed: it never runs to catch up. `turns` measures how it goes.
void poll_aligned(Micros every, const Clock& clock, TurnMeter& turns, std::stop_token stop,
                  const std::function<void(Timestamp)>& poll);

/// The wait from `now` to the next whole multiple of `every`: more than none, at most `every`.
Micros until_next_turn(Timestamp now, Micros every);

}  // namespace tidegate::drivers
