#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::self {

/// The gateway's own metrics as series `self/<path>`, so that rules and charts see them like any other.
DriverType type();

}  // namespace tidegate::drivers::self
