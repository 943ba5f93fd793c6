#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::simulator {

/// A plant that is not there: something to look at and to try rules on, before a sensor is connected.
DriverType type();

}  // namespace tidegate::drivers::simulator
