#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::snmp {

DriverType type();

}  // namespace tidegate::drivers::snmp
