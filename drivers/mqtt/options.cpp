#include "drivers/mqtt/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/text.h"
#include "gateway/mqtt/options.h"

namespace tidegate::drivers::mqtt {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;

constexpr double kAnyNumber = 1e300;

std::string pattern_problem(std::string_view text) {
  const auto pattern = Pattern::parse(text);
  return pattern ? "" : pattern.error().text;
}

std::string pointer_problem(std::string_view text) {
  const auto path = path_of_pointer(text);
  if (path) return "";
  std::string rooted = fmt::format("/{}", text);
  std::replace(rooted.begin(), rooted.end(), '.', '/');
  if (!text.starts_with('/') && path_of_pointer(rooted)) {
    return fmt::format("'{}' is no JSON pointer (did you mean '{}'?)", printable(text), printable(rooted));
  }
  return fmt::format("'{}' {}", printable(text), path.error().text);
}

Shape pattern() { return Shape::text_where("a topic pattern", pattern_problem); }
Shape pointer() { return Shape::text_where("a JSON pointer", pointer_problem); }

std::vector<Shape::Field> value_fields() {
  return {
      optional("kind", Shape::choice({"number", "counter", "boolean", "state"}),
               "What the value is. Missing: what it looks like; text is a state."),
      optional("unit", Shape::text(), "As shown: °C, %, bar."),
      defaulted("scale", Shape::number(-kAnyNumber, kAnyNumber), "1", "The value read is multiplied by this."),
      defaulted("offset", Shape::number(-kAnyNumber, kAnyNumber), "0", "Then this is added."),
  };
}

Shape field_shape() {
  auto fields = value_fields();
  fields.insert(
      fields.begin(),
      optional("pointer", pointer(), "Where it stands, as a JSON pointer (/battery/voltage). Missing: its own name."));
  return Shape::object("A named field of a JSON payload.", std::move(fields));
}

Shape timestamp_shape() {
  return Shape::object(
      "The device's own time. A time that is not sane gives way to the gateway's clock, and the sample is marked "
      "uncertain.",
      {required("pointer", pointer(), "Where it stands, as a JSON pointer."),
       defaulted("format", Shape::choice({"auto", "seconds", "milliseconds", "rfc3339"}), "auto",
                 "Since 1970-01-01 UTC, or RFC 3339 text; auto tells them apart.")});
}

Shape payload_shape() {
  auto fields = value_fields();
  const std::vector<Shape::Field> more = {
      defaulted("format", Shape::choice({"auto", "number", "json", "text"}), "auto",
                "auto: a number, else JSON, else a text state."),
      optional("field", Shape::text(), "What {field} is for a payload that is one value: number or text."),
      defaulted("fields",
                Shape::either({Shape::choice({"auto"}), Shape::map(Shape::either({pointer(), field_shape()}), 1000)}),
                "auto",
                "Which values of a JSON payload become series: auto (every number and boolean, nested names joined "
                "with /), or "
                "a map of names to JSON pointers or to {pointer, kind, unit, scale, offset}."),
      defaulted("states", Shape::list(pattern(), 1000), "[]",
                "With fields: auto, texts that become state series, as paths or patterns."),
      defaulted("ignore", Shape::list(pattern(), 1000), "[]",
                "With fields: auto, what is left out, as paths or patterns."),
      defaulted("units", Shape::map(Shape::text(), 1000), "{}",
                "With fields: auto, units by path or pattern: {temperature: °C}."),
      optional("timestamp", timestamp_shape(), "Where the device's own time stands."),
  };
  fields.insert(fields.end(), more.begin(), more.end());
  return Shape::object("How a payload is read.", std::move(fields));
}

Shape subscription_shape() {
  return Shape::object(
      "Topics that are read alike.",
      {required("topic", pattern(), "A topic, with + and # or named captures: zigbee2mqtt/{device}."),
       defaulted("qos", Shape::integer(0, 2), "1", "The quality of service asked for."),
       optional(
           "series", Shape::text(),
           "The series' names: captures of the topic, {field}, {topic}, {source}. Missing: the captures (or the topic, "
           "where it has none) and /{field}."),
       defaulted("payload", payload_shape(), "{}", "How the payload is read.")});
}

Pattern pattern_of(const std::string& text) { return *Pattern::parse(text); }  // checked by its shape

std::vector<Pattern> patterns_of(const Node& list) {
  std::vector<Pattern> out;
  for (const auto& text : list.strings()) out.push_back(pattern_of(text));
  return out;
}

void read_value(const Node& node, FieldRule& rule) {
  static const std::vector<std::pair<std::string_view, SeriesKind>> kKinds = {{"number", SeriesKind::number},
                                                                              {"counter", SeriesKind::counter},
                                                                              {"boolean", SeriesKind::boolean},
                                                                              {"state", SeriesKind::state}};
  if (node.has("kind")) {
    for (const auto& [word, kind] : kKinds) {
      if (word == node.string("kind")) rule.kind = kind;
    }
  }
  if (node.has("unit")) rule.unit = node.string("unit");
  rule.scale = node.number("scale");
  rule.offset = node.number("offset");
}

FieldRule read_field(const Node::Entry& entry, Problems& problems) {
  FieldRule rule;
  rule.name = entry.key;
  rule.path = entry.key;
  if (!valid_series_name(rule.name))
    problems.add(entry.at, fmt::format("field '{}' cannot be part of a series' name", printable(rule.name)));
  if (entry.value.kind == Node::Kind::scalar) {
    rule.path = *path_of_pointer(entry.value.string());
    return rule;
  }
  if (entry.value.has("pointer")) rule.path = *path_of_pointer(entry.value.string("pointer"));
  read_value(entry.value, rule);
  return rule;
}

TimestampRule read_timestamp(const Node& node) {
  const std::string format = node.string("format");
  return {*path_of_pointer(node.string("pointer")), format == "seconds"        ? TimeFormat::seconds
                                                    : format == "milliseconds" ? TimeFormat::milliseconds
                                                    : format == "rfc3339"      ? TimeFormat::rfc3339
                                                                               : TimeFormat::automatic};
}

void read_payload(const Node& node, SubscriptionRule& rule, Problems& problems) {
  const std::string format = node.string("format");
  rule.format = format == "number" ? Format::number
                : format == "json" ? Format::json
                : format == "text" ? Format::text
                                   : Format::automatic;
  if (node.has("field")) rule.bare.name = node.string("field");
  read_value(node, rule.bare);
  if (node["fields"].kind == Node::Kind::map) {
    rule.every_leaf = false;
    for (const auto& entry : node["fields"].entries) rule.fields.push_back(read_field(entry, problems));
    for (const char* key : {"states", "ignore", "units"}) {
      if (!node[key].is_default)
        problems.add(node[key].at, fmt::format("'{}' has a meaning with 'fields: auto' only", key));
    }
  }
  rule.states = patterns_of(node["states"]);
  rule.ignore = patterns_of(node["ignore"]);
  for (const auto& entry : node["units"].entries) {
    if (auto parsed = Pattern::parse(entry.key)) {
      rule.units.emplace_back(std::move(*parsed), entry.value.string());
    } else {
      problems.add(entry.at, parsed.error().text);
    }
  }
  if (node.has("timestamp")) rule.timestamp = read_timestamp(node["timestamp"]);
}

SubscriptionRule read_subscription(const Node& node, Problems& problems) {
  SubscriptionRule rule;
  rule.topic = pattern_of(node.string("topic"));
  rule.qos = static_cast<int>(node.integer("qos"));
  read_payload(node["payload"], rule, problems);
  if (!node.has("series")) return rule;
  std::vector<std::string> names = rule.topic.capture_names();
  for (const char* name : {"field", "topic", "source"}) names.emplace_back(name);
  if (auto parsed = Template::parse(node.string("series"), names)) {
    rule.series = std::move(*parsed);
  } else {
    problems.add(node["series"].at, parsed.error().text);
  }
  return rule;
}

/// The one place where a broker tells what it had to throw away.
SubscriptionRule watch_of_broker() {
  SubscriptionRule rule;
  rule.topic = pattern_of("$SYS/broker/publish/messages/dropped");
  rule.qos = 0;
  rule.format = Format::number;
  rule.bare.kind = SeriesKind::counter;
  rule.series = *Template::parse("{source}/broker/dropped_messages", {"source"});
  return rule;
}

}  // namespace

Shape shape() {
  static const Shape made = [] {
    std::vector<Shape::Field> fields = tidegate::mqtt::connection_fields();
    for (auto& field : tidegate::mqtt::session_fields()) fields.push_back(std::move(field));
    const std::vector<Shape::Field> own = {
        required("subscriptions", Shape::list(subscription_shape(), 1000),
                 "What is subscribed to; a topic is read by the first that fits."),
        defaulted("ack", Shape::choice({"received", "committed"}), "received",
                  "When a QoS 1 or 2 message is acknowledged: when it has been received (at most one commit interval "
                  "is lost in a power "
                  "cut), or when it is on disk (about one message a commit)."),
        defaulted("max_payload", Shape::size(1, 16u << 20), "256KiB", "Larger payloads are refused and shown."),
        defaulted("max_depth", Shape::integer(1, 64), "16", "JSON nested deeper is refused and shown."),
        defaulted("watch_broker", Shape::boolean(), "false",
                  "Show how many messages the broker has thrown away ($SYS) as SOURCE/broker/dropped_messages."),
    };
    fields.insert(fields.end(), own.begin(), own.end());
    return Shape::object("Subscribes at an MQTT broker.", std::move(fields));
  }();
  return made;
}

std::uint32_t subscription_id(const Pattern& topic) {
  constexpr std::uint32_t kLargest = 268'435'455;
  std::uint32_t hash = 2'166'136'261;  // FNV-1a
  for (const char c : topic.mqtt_filter()) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619;
  return hash % kLargest + 1;
}

Options read_options(const Node& section, Problems& problems) {
  Options options;
  for (const auto& item : section["subscriptions"].items)
    options.subscriptions.push_back(read_subscription(item, problems));
  if (options.subscriptions.empty())
    problems.add(section["subscriptions"].at, "no subscription: nothing would ever arrive");
  if (section.boolean("watch_broker")) options.subscriptions.push_back(watch_of_broker());
  options.ack_when_committed = section.string("ack") == "committed";
  options.limits.max_bytes = static_cast<std::size_t>(section.bytes("max_payload"));
  options.limits.max_depth = static_cast<std::size_t>(section.integer("max_depth"));
  return options;
}

}  // namespace tidegate::drivers::mqtt
