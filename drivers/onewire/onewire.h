#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::onewire {

DriverType type();

}  // namespace tidegate::drivers::onewire
