#pragma once

#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/core/result.h"
#include "rules/rule.h"

namespace tidegate::app {

/// One of the rules to try.
struct Variant {
  std::string value;               ///< what the swept key is set to: "85 °C"; empty without a sweep
  std::vector<rules::Rule> rules;  ///< it and those that suppress it, in order of the configuration
  std::size_t subject = 0;         ///< itself, among these
  const rules::Rule& rule() const { return rules[subject]; }
};

/// Each of `chosen` (checked items of `rules:`, of which `all` are all) with the key set to each value of
/// "KEY=FROM..TO[:STEP]": numbers in the unit in which the rule has them, or durations; ten steps where none is
/// written. The key is one of the rule's kind (above), or of the rule (for). A value with which a rule is wrong is left
/// out, and told in `left_out`; Errc::invalid where none is left, or a rule has no such key.
Result<std::vector<Variant>> variants(const std::vector<config::Node>& chosen, const config::Node& all,
                                      const std::string& sweep, std::vector<std::string>& left_out);

}  // namespace tidegate::app
