#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::hwmon {

DriverType type();

}  // namespace tidegate::drivers::hwmon
