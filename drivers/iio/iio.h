#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::iio {

DriverType type();

}  // namespace tidegate::drivers::iio
