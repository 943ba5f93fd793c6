#pragma once

#include "gateway/core/result.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::tools {

/// Prints every damage; kDamaged where there is any.
Result<int> store_check(const Surroundings& surroundings);
/// What is stored, in numbers, for a person.
Result<int> store_stats(const Surroundings& surroundings);
/// Mends what is damaged, as the gateway would, while it is stopped; kDamaged where something was lost.
Result<int> store_salvage(const Surroundings& surroundings);

}  // namespace tidegate::tools
