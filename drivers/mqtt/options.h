#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drivers/mqtt/payload.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::mqtt {

/// How one value becomes a series: shown = read * scale + offset.
struct FieldRule {
  std::string name;                ///< {field} in the series' name
  std::string path;                ///< of the leaf
  std::optional<SeriesKind> kind;  ///< nothing: as the value's own type says
  std::string unit;
  double scale = 1;
  double offset = 0;
};

struct TimestampRule {
  std::string path;
  TimeFormat format = TimeFormat::automatic;
};

/// One subscription: which topics, how their payloads are read, and what the series are called.
struct SubscriptionRule {
  Pattern topic;
  int qos = 1;
  std::optional<Template> series;  ///< nothing: captures (or the topic) and the field
  Format format = Format::automatic;
  FieldRule bare;                                      ///< of a payload that is one value
  bool every_leaf = true;                              ///< `fields: auto`
  std::vector<FieldRule> fields;                       ///< named ones
  std::vector<std::pair<Pattern, std::string>> units;  ///< for `fields: auto`
  std::vector<Pattern> states;                         ///< leaves whose text becomes a state series
  std::vector<Pattern> ignore;
  std::optional<TimestampRule> timestamp;
};

/// MQTT 5's subscription identifier of all rules with this rule's MQTT filter (the broker knows one subscription a
/// filter). Made of the filter and not of its place: the broker's session still delivers messages under the ids of a
/// configuration before this one.
std::uint32_t subscription_id(const Pattern& topic);

struct Options {
  std::vector<SubscriptionRule> subscriptions;
  bool ack_when_committed = false;
  PayloadLimits limits;
};

/// The shape of a source with `type: mqtt`.
config::Shape shape();
/// Of a section checked against it.
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::mqtt
