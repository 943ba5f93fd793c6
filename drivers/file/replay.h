#pragma once

#include <memory>

#include "drivers/driver.h"
#include "drivers/file/options.h"

namespace tidegate::drivers::file {

/// Replays a recording.
std::unique_ptr<Driver> make_replay(Options options, const Context& context);

}  // namespace tidegate::drivers::file
