#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/core/types.h"

namespace tidegate::app {

/// A rule that somebody has turned off, wherever it stands. In rules-off.yaml of the storage folder, which the gateway
/// writes: a list of names, and of each who did it, when and why.
struct RuleOff {
  std::string name;
  std::string who;
  Timestamp since{};
  std::string note;
  config::Mark at{};         ///< of its name
  bool enabled_else = true;  ///< as the rule itself says
};

/// In order of the file. Problems leave out what they are about.
std::vector<RuleOff> parse_rules_off(std::string_view yaml, const std::string& file_name, config::Problems& problems);
std::string rules_off_text(const std::vector<RuleOff>& off);

}  // namespace tidegate::app
