#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/reading.h"
#include "drivers/report.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"

namespace tidegate::drivers {

/// A device's own codes, in words.
using Words = std::vector<std::pair<double, std::string>>;

/// How a value that a driver reads is shown: the options that the points of every driver have.
struct ValueOptions {
  std::optional<SeriesKind> kind;  ///< nothing: what it looks like, or what the driver knows
  std::string unit;
  Feed::Scale scale;
  Words states;  ///< of a state series, before scaling; a code without a word is shown as the number
  Words faults;  ///< codes that mean "no value": bad, and the word is why
  Report report;
};

/// kind, unit, scale, offset, enum, faults, report.
std::vector<config::Shape::Field> value_fields();
ValueOptions read_value(const config::Node& node, config::Problems& problems);
/// The word of a code; nullptr where it has none.
const std::string* word_of(const Words& words, double code);

}  // namespace tidegate::drivers
