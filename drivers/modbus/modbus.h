#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::modbus {

DriverType type();

}  // namespace tidegate::drivers::modbus
