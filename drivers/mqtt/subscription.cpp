#include "drivers/mqtt/subscription.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/mqtt/command.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;

/// As lower case, where it is ASCII.
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool any_of(const std::vector<std::string>& words, const std::string& word) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& one) { return lower(one) == word; });
}

/// The word that an availability topic says.
std::string word_of(const Reading& reading) {
  if (reading.type == Reading::Type::text) return lower(reading.text);
  if (reading.type == Reading::Type::boolean) return reading.number != 0 ? "true" : "false";
  return number_text(reading.number);
}

Shape payload_shape() {
  auto fields = value_fields();
  const std::vector<Shape::Field> more = {
      defaulted("format", Shape::choice({"auto", "number", "json", "text", "cbor", "msgpack", "line_protocol"}), "auto",
                "auto: a number, else JSON, else a text state. The others are binary or text formats that are never "
                "guessed."),
      defaulted("precision", Shape::choice({"ns", "us", "ms", "s"}), "ns", "Of the times in line protocol."),
      optional("field", Shape::text(), "What {field} is for a payload that is one value: number or text."),
  };
  const Shape::Field writable = optional("writable", writable_shape(), "The point may be set; missing: never.");
  fields.insert(fields.end(), more.begin(), more.end());
  fields.push_back(writable);
  for (auto& field : fields_fields({writable})) fields.push_back(std::move(field));
  return Shape::object("How a payload is read.", std::move(fields));
}

Shape availability_shape() {
  return Shape::object(
      "The topic says whether the device is there: {device} of the topic, or all of them where it has none. Points of "
      "a "
      "device that is away are bad.",
      {optional("pointer", pointer_shape(), "Where it stands in JSON; a payload that is no JSON is the word itself."),
       defaulted("online", Shape::list(Shape::text(), 20), "[online, \"true\", \"1\", connected, ready, alive]",
                 "Words for: it is there. Capitals do not matter."),
       defaulted("offline", Shape::list(Shape::text(), 20), "[offline, \"false\", \"0\", disconnected, lost]",
                 "Words for: it is away.")});
}

}  // namespace

Shape subscription_shape() {
  return Shape::object(
      "Topics that are read alike.",
      {required("topic", pattern_shape(), "A topic, with + and # or named captures: zigbee2mqtt/{device}."),
       defaulted("qos", Shape::integer(0, 2), "1", "The quality of service asked for."),
       optional("series", Shape::text(),
                "The series' names: captures of the topic, {field}, {topic}, {source}, {name}. Missing: the captures "
                "(or the "
                "topic, where it has none) and /{field}."),
       optional("name", pointer_shape(), "Where the payload holds the device's name, for {name}."),
       optional("availability", availability_shape(), "The topic says whether a device is there, and has no series."),
       defaulted("read", Shape::boolean(), "true", "false: topics that fit are left out; write it above others."),
       defaulted("payload", payload_shape(), "{}", "How the payload is read.")});
}

namespace {

Format format_of(std::string_view name) {
  constexpr std::pair<std::string_view, Format> kFormats[] = {
      {"number", Format::number}, {"json", Format::json},       {"text", Format::text},
      {"cbor", Format::cbor},     {"msgpack", Format::msgpack}, {"line_protocol", Format::line_protocol}};
  for (const auto& [known, format] : kFormats) {
    if (known == name) return format;
  }
  return Format::automatic;
}

/// A payload that is always one value has no fields.
void check_one_value(const Node& node, Problems& problems) {
  for (const auto& field : fields_fields()) {
    if (!node.has(field.key) || node[field.key].is_default) continue;
    const char* instead = field.key == "units" ? "; its unit is `unit`" : "";
    problems.add(node[field.key].at, fmt::format("'{}' is of payloads with fields: 'format: {}' is one value{}",
                                                 field.key, node.string("format"), instead));
  }
}

void read_payload(const Node& node, SubscriptionRule& rule, Problems& problems) {
  rule.format = format_of(node.string("format"));
  const std::string precision = node.string("precision");
  rule.line_time = std::chrono::nanoseconds(precision == "s"    ? 1'000'000'000
                                            : precision == "ms" ? 1'000'000
                                            : precision == "us" ? 1'000
                                                                : 1);
  if (rule.format != Format::line_protocol && !node["precision"].is_default)
    problems.add(node["precision"].at, "'precision' is of the times in 'format: line_protocol'");
  if (rule.format == Format::number || rule.format == Format::text) check_one_value(node, problems);
  if (node.has("field")) rule.bare.name = node.string("field");
  rule.bare.value = read_value(node, problems);
  static_cast<FieldsRule&>(rule) = read_fields(node, problems);
}

AvailabilityRule read_availability(const Node& node) {
  AvailabilityRule rule;
  if (node.has("pointer")) rule.path = *path_of_pointer(node.string("pointer"));
  rule.online = node["online"].strings();
  rule.offline = node["offline"].strings();
  return rule;
}

}  // namespace

SubscriptionRule read_subscription(const Node& node, Problems& problems) {
  SubscriptionRule rule;
  rule.topic = read_pattern(node["topic"]);
  rule.qos = static_cast<int>(node.integer("qos"));
  rule.read = node.boolean("read");
  read_payload(node["payload"], rule, problems);
  if (node.has("name")) rule.name = *path_of_pointer(node.string("name"));
  if (node.has("availability")) rule.availability = read_availability(node["availability"]);
  if (!node.has("series")) return rule;
  std::vector<std::string> names = rule.topic.capture_names();
  for (const char* name : {"field", "topic", "source", "name"}) names.emplace_back(name);
  if (auto parsed = Template::parse(node.string("series"), names)) {
    rule.series = std::move(*parsed);
  } else {
    problems.add(node["series"].at, parsed.error().text);
  }
  return rule;
}

std::string series_name(const SubscriptionRule& rule, std::string_view topic, const std::string& field,
                        const std::string& source, const std::string& given_name) {
  const auto captures = rule.topic.match(topic);
  if (!rule.series) {
    std::string base;
    for (const auto& [capture, text] : *captures) {
      base += base.empty() ? "" : "/";
      base += text;
    }
    if (base.empty()) base = topic;
    return field.empty() ? base : base + "/" + field;
  }
  std::string name = rule.series->render([&](std::string_view part) -> std::optional<std::string> {
    if (part == "field") return field;
    if (part == "topic") return std::string(topic);
    if (part == "source") return source;
    if (part == "name") return given_name;
    for (const auto& [capture, text] : *captures) {
      if (capture == part) return std::string(text);
    }
    return std::nullopt;
  });
  // "{device}/{field}" of a payload that is one value without a name.
  if (field.empty() && name.ends_with('/')) name.pop_back();
  return name;
}

std::optional<bool> AvailabilityRule::says(const Reading& reading) const {
  const std::string word = word_of(reading);
  if (any_of(offline, word)) return false;
  if (any_of(online, word)) return true;
  return std::nullopt;
}

std::uint32_t subscription_id(const std::string& filter) {
  constexpr std::uint32_t kLargest = 268'435'455;
  std::uint32_t hash = 2'166'136'261;  // FNV-1a
  for (const char c : filter) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619;
  return hash % kLargest + 1;
}

}  // namespace tidegate::drivers::mqtt
