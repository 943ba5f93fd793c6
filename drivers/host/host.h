#pragma once

#include "drivers/driver.h"

namespace tidegate::drivers::host {

/// The machine that the gateway runs on: processor, memory, disks, network, temperatures and uptime, read from /proc
/// and /sys.
DriverType type();

}  // namespace tidegate::drivers::host
