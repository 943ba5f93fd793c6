#pragma once

#include <stop_token>

#include "gateway/core/types.h"

namespace tidegate {

/// Sleeps, woken early by a stop; false when asked to stop.
bool sleep_for(Micros time, std::stop_token stop);

}  // namespace tidegate
