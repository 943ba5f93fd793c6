#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "rules/rule.h"

namespace tidegate::rules {

/// What a kind makes of its options.
struct Compiled {
  std::string condition;  ///< in words
  std::string message;    ///< the template for rules that have none
  MakeWatch make;
  std::vector<Severity> levels{};  ///< where its findings say how severe it is: the levels there are, the lowest first
  std::vector<Reads> reads{};      ///< as in Rule
  MakeJoint join{};
};

/// A kind of rule: its key in the YAML, and all that the schema, the parser and the reference need to know of it.
struct Kind {
  std::string name;
  std::string doc;
  config::Shape shape;
  /// From options (a map, or a text where the shape takes one) that check() has seen, in which it may have refused
  /// something: judges the rest. Nothing where a problem was told.
  std::optional<Compiled> (*compile)(const config::Node& options, config::Problems& problems);
  Traits traits = {};
};

/// The one table of kinds. A new kind is a file and a line here.
const std::vector<Kind>& kinds();

Kind threshold_kind();
Kind forecast_kind();
Kind change_kind();
Kind deviation_kind();
Kind flatline_kind();
Kind anomaly_kind();
Kind shift_kind();
Kind trend_kind();
Kind absence_kind();
Kind count_kind();
Kind sequence_kind();
Kind when_kind();

}  // namespace tidegate::rules
