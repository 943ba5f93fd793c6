#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/event.h"
#include "gateway/core/pattern.h"
#include "gateway/core/types.h"

namespace tidegate::rules {

struct Rule;

/// One item of a rule's `publish`: an MQTT topic, and what it says when the alert begins to call somebody, when it is
/// acknowledged, and when it calls nobody any more. What is not written is not said.
struct Publish {
  std::string to;  ///< an uplink's name
  Template topic;
  std::optional<Template> raised, acknowledged, cleared;
  bool retain = false;
  std::string text;  ///< of it all, as it is written: "lamps/{device}: raised 1, cleared 0"
};

/// The shape of `publish`.
config::Shape publish_shape();
/// `names` may stand in braces in what is said; of them `captures` in a topic too. What is wrong is added to
/// `problems`.
std::vector<Publish> parse_publish(const config::Node& items, const std::vector<std::string>& captures,
                                   const std::vector<std::string>& names, config::Problems& problems);

/// Fills in what the rule publishes because of `transition`, which is whole but for that. `alert` keeps its farewell
/// from the moment it calls somebody to the moment when that is over, so that each of the two is published once. Of
/// an edited rule the farewell of the old topics comes too.
void publish(const Rule& rule, SeriesKind kind, std::span<const std::string> states, AlertTransition& transition,
             AlertRecord& alert);
/// The same for an alert whose rule is gone.
void publish_farewell(AlertTransition& transition);

}  // namespace tidegate::rules
