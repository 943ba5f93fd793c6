#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/result.h"
#include "rules/detector.h"

namespace tidegate::rules {

/// Reads the quantities of one rule in one unit: that of the first which has one; those without are taken in it. What
/// does not convert is a problem at its place; of that, and of what was refused before, there is no value.
class Quantities {
 public:
  Quantities(std::initializer_list<const config::Node*> nodes, config::Problems& problems);

  std::optional<double> point(const config::Node& node) { return read(node, false); }  ///< a level: 90 °C
  std::optional<double> width(const config::Node& node, std::string_view key);         ///< not negative: 5 °C
  const std::string& unit() const { return unit_; }

 private:
  std::optional<double> read(const config::Node& node, bool difference);

  config::Problems& problems_;
  std::string unit_;
  std::string unit_text_;  ///< the quantity that set the unit
};

/// The one of `keys` that is written, or nothing and a problem. `or_else` says what they are for, should none be.
std::optional<std::string_view> only_key(const config::Node& options, std::string_view kind,
                                         std::initializer_list<std::string_view> keys, std::string_view or_else,
                                         config::Problems& problems);

/// A written level, or difference, in the unit of a series; `what` it is called where it does not convert. Of a series
/// of differences a level is one.
Result<double> level_for(const Measured& info, double value, const std::string& unit, std::string_view what);
Result<double> difference_for(const SeriesInfo& info, double value, const std::string& unit, std::string_view what);
/// Errc::invalid for series of states and booleans, which have none of `what`.
Status measures(const SeriesInfo& info, std::string_view what);
/// Errc::invalid for counters.
Status may_fall(const SeriesInfo& info);
/// The unit of what is found in a series: its own, or else the one that was written.
const std::string& unit_for(const SeriesInfo& info, const std::string& written);

}  // namespace tidegate::rules
