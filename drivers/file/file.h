#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::file {

/// Follows a file of lines, or replays a recording; README.md beside this file has the options.
DriverType type();

}  // namespace tidegate::drivers::file
