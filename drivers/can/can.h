#pragma once

#include "drivers/can/bus.h"
#include "drivers/can/decoder.h"
#include "drivers/driver.h"

namespace tidegate::drivers::can {

DriverType type();

/// The driver with a decoder and a bus of the caller's: `what` is listened to, for the health report.
std::unique_ptr<Driver> make_listener(std::unique_ptr<Decoder> decoder, Bus::Open open, std::string what,
                                      const Context& context);

}  // namespace tidegate::drivers::can
