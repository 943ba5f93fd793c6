#pragma once

#include <optional>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "rules/units.h"

namespace tidegate::rules {

/// A change in a time: 2 °C/min.
struct Rate {
  double value;
  RateUnit unit;
};

/// Nothing, and a problem at its place, where it is none.
std::optional<Rate> read_rate(const config::Node& node, config::Problems& problems);

/// The rate in `node` in the unit and time of `limit`, which stands in `limit_node`.
std::optional<double> read_rate_like(const std::optional<Rate>& limit, const config::Node& limit_node,
                                     const config::Node& node, config::Problems& problems);

}  // namespace tidegate::rules
