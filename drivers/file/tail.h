#pragma once

#include <memory>

#include "drivers/driver.h"
#include "drivers/file/options.h"

namespace tidegate::drivers::file {

/// Follows a file that grows.
std::unique_ptr<Driver> make_tail(Options options, const Context& context);

}  // namespace tidegate::drivers::file
