#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::push {

/// Takes what programs send to the gateway's HTTP interface; README.md beside this file has the options.
DriverType type();

}  // namespace tidegate::drivers::push
