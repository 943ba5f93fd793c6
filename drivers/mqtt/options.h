#pragma once

#include <string>
#include <vector>

#include "drivers/mqtt/command.h"
#include "drivers/mqtt/subscription.h"
#include "drivers/payload.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"

namespace tidegate::drivers::mqtt {

struct Options {
  std::vector<SubscriptionRule> subscriptions;
  std::vector<Command> commands;      ///< how points of these are set
  std::vector<std::string> profiles;  ///< those that are written in code: see profile.h
  std::string base;                   ///< their first level, where it was changed
  std::string zigbee2mqtt;            ///< the bridge's base topic, where that profile is used; empty: it is not
  bool guesses = false;               ///< profile: auto
  bool rebirth = true;                ///< Sparkplug nodes are asked for a birth that was missed
  std::string host_id;                ///< of a Sparkplug host that is a primary one; empty: it is none
  std::string share;                  ///< the group of shared subscriptions; empty: not shared
  bool ack_when_committed = false;
  PayloadLimits limits;
};

/// The shape of a source with `type: mqtt`.
config::Shape shape();
/// Of a section checked against it. `source`: its name.
Options read_options(const config::Node& section, const std::string& source, config::Problems& problems);

}  // namespace tidegate::drivers::mqtt
