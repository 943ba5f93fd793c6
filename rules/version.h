#pragma once

#include <string>

#include "gateway/config/node.h"

namespace tidegate::rules {

/// Of a rule as it is written, in eight hexadecimal digits: the same wherever the same was written, whatever its order,
/// comments and spaces. The FNV-1a hash (Fowler, Noll, Vo), 32 bits.
std::string version_of(const config::Node& rule);

}  // namespace tidegate::rules
