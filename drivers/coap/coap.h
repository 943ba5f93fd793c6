#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::coap {

DriverType type();

}  // namespace tidegate::drivers::coap
