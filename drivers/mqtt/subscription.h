#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/fields.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"

namespace tidegate::drivers::mqtt {

/// A topic that says whether its device is there.
struct AvailabilityRule {
  std::string path;  ///< of the leaf; a payload that is one value is that
  std::vector<std::string> online, offline;

  /// Is it there? Nothing where it says neither.
  std::optional<bool> says(const Reading& reading) const;
};

/// One subscription: which topics, how their payloads are read, and what the series are called.
struct SubscriptionRule : FieldsRule {
  Pattern topic;
  int qos = 1;
  std::string style;               ///< the profile that it is of; empty: the configuration's own
  bool read = true;                ///< false: what fits is left out, and not subscribed to
  std::optional<Template> series;  ///< nothing: captures (or the topic) and the field
  std::string name;                ///< the leaf that holds {name}
  Format format = Format::automatic;
  std::chrono::nanoseconds line_time{1};         ///< the unit of the times in line protocol
  FieldRule bare;                                ///< of a payload that is one value
  std::optional<AvailabilityRule> availability;  ///< then there is no series
};

/// MQTT 5's subscription identifier of all rules with this rule's MQTT filter (the broker knows one subscription a
/// filter). Made of the filter and not of its place: the broker's session still delivers messages under the ids of a
/// configuration before this one.
std::uint32_t subscription_id(const std::string& filter);

/// What a field of a topic that fits the rule is called. `given_name`: {name}, out of the payload.
std::string series_name(const SubscriptionRule& rule, std::string_view topic, const std::string& field,
                        const std::string& source, const std::string& given_name);

config::Shape subscription_shape();
/// Of an item checked against it.
SubscriptionRule read_subscription(const config::Node& node, config::Problems& problems);

}  // namespace tidegate::drivers::mqtt
