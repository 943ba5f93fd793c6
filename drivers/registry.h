#pragma once

#include <vector>

#include "drivers/driver.h"

namespace tidegate::drivers {

/// Every driver of this build. Adding one is a folder and a line in registry.cpp.
const std::vector<DriverType>& types();
const DriverType* find_type(std::string_view name);
/// The shape of one item of `sources:`.
config::Shape source_shape();

}  // namespace tidegate::drivers
