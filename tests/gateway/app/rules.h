#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/app/settings.h"
#include "gateway/config/load.h"
#include "rules/rule.h"

namespace tidegate::app {

inline std::vector<rules::Rule> rules_of(const std::string& yaml) {
  config::Problems problems;
  auto node = config::parse(yaml, "rules.yaml", ".", config::References::system(), problems);
  config::check(node, root_shape(), problems);
  auto rules = rules::parse_rules(node["rules"], problems);
  EXPECT_EQ(problems.text(), "");
  return rules;
}

inline constexpr const char* kHot =
    "rules: [{name: hot, series: \"{device}/temperature\", threshold: {above: 90, clear_below: 85}}]\n";

}  // namespace tidegate::app
