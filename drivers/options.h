#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"

/// Options that several drivers have.
namespace tidegate::drivers {

/// A pattern, and a list of them; read after check().
config::Shape pattern_shape();
config::Shape patterns_shape();
Pattern read_pattern(const config::Node& text);
std::vector<Pattern> read_patterns(const config::Node& list);

/// Units by pattern, `units: {temperature: °C}`; a later one that fits too wins.
using Units = std::vector<std::pair<Pattern, std::string>>;
config::Shape units_shape();
Units read_units(const config::Node& map, config::Problems& problems);
/// Empty where none fits.
std::string_view unit_of(const Units& units, std::string_view name);

}  // namespace tidegate::drivers
