#pragma once

#include <memory>
#include <vector>

#include "dashboard/server.h"
#include "drivers/driver.h"
#include "gateway/app/settings.h"
#include "gateway/journal/catalogue.h"
#include "gateway/uplink/uplink.h"
#include "rules/rule.h"

namespace tidegate::app {

/// Everything that a configuration asks for, made and not yet started: making dials nothing. `drivers` stands beside
/// `settings.sources`, `uplinks` beside `settings.uplinks`.
struct Parts {
  std::vector<std::unique_ptr<drivers::Driver>> drivers;
  std::vector<std::unique_ptr<uplink::Uplink>> uplinks;
  std::vector<rules::Rule> rules;               ///< the enabled ones
  std::vector<rules::Rule> derived;             ///< those that make series: the engine has them before the others
  std::vector<dashboard::RuleView> rule_views;  ///< of all, as they are written
};

/// What a part is given at its making; outlives the parts.
struct Surroundings {
  const Clock& clock;
  Metrics& metrics;
  const journal::Catalogue& catalogue;
  std::string epoch;
};

/// Out of the parts, as the engine takes them.
std::vector<rules::Rule> take_rules(Parts& parts);

/// `tidegate check`, the start and a reload all pass through here, so they find the same problems.
Parts make_parts(const Settings& settings, const Surroundings& surroundings, config::Problems& problems);
/// The same for the problems and the rules alone, beside whatever gateway runs.
Parts try_parts(const Settings& settings, config::Problems& problems);

}  // namespace tidegate::app
