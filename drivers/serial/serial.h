#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::serial {

/// Reads lines by a serial port; README.md beside this file has the options.
DriverType type();

}  // namespace tidegate::drivers::serial
