#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::mqtt {

/// Subscribes at an MQTT broker; README.md beside this file has the options.
DriverType type();

}  // namespace tidegate::drivers::mqtt
