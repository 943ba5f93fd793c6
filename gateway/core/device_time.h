#pragma once

#include "gateway/core/types.h"

namespace tidegate {

/// May a device's own time be believed? Not from before 2000, nor further ahead of `now` than kMostAhead; where `now`
/// is that of a clock that was never set, no future is too far.
bool believable(Timestamp time, Timestamp now);

}  // namespace tidegate
