#pragma once

#include <optional>
#include <string_view>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "rules/kinds.h"

namespace tidegate::rules {

/// Of the kind `change` what `rate_above` and `rate_below` mean.
std::optional<Compiled> compile_change_rate(const config::Node& options, std::string_view key,
                                            config::Problems& problems);

}  // namespace tidegate::rules
