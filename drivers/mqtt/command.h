#pragma once

#include <string>
#include <vector>

#include "drivers/mqtt/subscription.h"
#include "drivers/writable.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/mqtt/client.h"

namespace tidegate::drivers::mqtt {

/// How a point that one topic shows is set by publishing to another.
struct Command {
  Writable writable;
  std::string topic, payload;  ///< {value} in the payload is what the device takes
  std::string on, off;         ///< the words of a boolean
  int qos = 1;
  bool retain = false;
  Micros timeout = std::chrono::seconds(5);  ///< of a whole write, until the point shows it

  tidegate::mqtt::Outgoing message(const Reading& wanted) const;
};

/// Of a payload that is one value, and of a field.
config::Shape writable_shape();
/// The points of a subscription that say `writable`. `node`: what `rule` was read of; `source`: the source's name.
std::vector<Command> read_commands(const config::Node& node, const SubscriptionRule& rule, const std::string& source,
                                   config::Problems& problems);

}  // namespace tidegate::drivers::mqtt
