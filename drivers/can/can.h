#pragma once

#include "drivers/can/bus.h"
#include "drivers/can/decoder.h"
#include "drivers/driver.h"

namespace tidegate::drivers::can {

DriverType type();

/// The driver with a decoder and a bus of the caller's: `what` is listened to, for the health report. A bus that is
/// lost is tried again after `first_rest`, then after longer and longer, up to a minute.
std::unique_ptr<Driver> make_listener(std::unique_ptr<Decoder> decoder, Bus::Open open, std::string what,
                                      const Context& context, Micros first_rest = std::chrono::seconds(1));

}  // namespace tidegate::drivers::can
