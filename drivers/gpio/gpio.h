#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::gpio {

DriverType type();

}  // namespace tidegate::drivers::gpio
