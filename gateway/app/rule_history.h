#pragma once

#include <string>

#include "gateway/core/result.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::app {

/// `tidegate rules history [NAME]`: the versions of the rules in the configurations that the gateway ran with, the
/// oldest first, and what each changed.
struct RuleHistory {
  std::string name;  ///< empty: of all
  tools::Format format = tools::Format::table;
};
/// kDamaged where a configuration cannot be read.
Result<int> rule_history(const RuleHistory& options, const tools::Surroundings& surroundings);

}  // namespace tidegate::app
