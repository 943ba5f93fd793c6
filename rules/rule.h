#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/event.h"
#include "gateway/core/pattern.h"
#include "rules/alert.h"
#include "rules/detector.h"

namespace tidegate::rules {

/// One rule, compiled. Shared by all its instances; immutable.
struct Rule {
  std::string name;
  Pattern series;
  std::string kind;           ///< "threshold" | "trend" | "absence"
  std::string condition;      ///< the condition in words, for pages and messages: "above 90 °C, clear below 85 °C"
  /// Makes the detector for one series; its labels are a state series' label texts by code.
  std::function<std::unique_ptr<Detector>(const SeriesInfo& info, const std::vector<std::string>& labels)> make;
  AlertPolicy policy;
  Severity severity = Severity::warning;
  Template message;
  Labels labels;
  std::string runbook;
  bool good_only = false;     ///< leave `uncertain` samples out
  std::string value_unit;     ///< of the finding where it is not the series' own: "°C/min", "s"
};

/// The shape of one item of `rules:` (for the root schema).
config::Shape rule_shape();
/// Compiles the checked items of `rules:`; every problem is added at its place, and what is whole is returned.
std::vector<Rule> parse_rules(const config::Node& rules, config::Problems& problems);

}  // namespace tidegate::rules
