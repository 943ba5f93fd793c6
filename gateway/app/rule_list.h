#pragma once

#include <string>

#include "gateway/tools/rows.h"

namespace tidegate::app {

/// `tidegate rules list` and `tidegate rules explain NAME`.
struct RuleList {
  std::string configuration;
  std::string name;  ///< to explain; empty: list all
  tools::Format format = tools::Format::table;
};
/// The exit code.
int list_rules(const RuleList& options);

}  // namespace tidegate::app
