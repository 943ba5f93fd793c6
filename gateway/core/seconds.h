#pragma once

#include "gateway/core/types.h"

namespace tidegate {

/// A span as metrics and formulas have it.
constexpr double seconds(Micros time) { return std::chrono::duration<double>(time).count(); }

}  // namespace tidegate
