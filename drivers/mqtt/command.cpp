#include "drivers/mqtt/command.h"

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

constexpr std::string_view kValue = "{value}";
constexpr int kDigits = 15;  // a scale of 0.1 makes 622.9999999999999 of 62.3

std::string payload_problem(std::string_view text) {
  return text.find(kValue) == text.npos ? "say with {value} where the value stands in it" : "";
}

bool takes_name_from_payload(const SubscriptionRule& rule) {
  const auto names = rule.series ? rule.series->names() : std::vector<std::string>{};
  return std::find(names.begin(), names.end(), "name") != names.end();
}

class CommandReader {
 public:
  CommandReader(const SubscriptionRule& rule, const std::string& source, Problems& problems)
      : rule_(rule), source_(source), problems_(problems) {}

  /// `point`: where the field's options stand.
  void read(const Node& point, const FieldRule& field) {
    if (point.kind != Node::Kind::map || !point.has("writable")) return;
    const Node& how = point["writable"];
    if (const std::string wrong = misfit(how, field); !wrong.empty()) return problems_.add(how.at, wrong);
    auto writable = read_writable(how, series_name(rule_, rule_.topic.text(), field.name, source_, ""),
                                  SeriesKind::number, field.value, problems_);
    if (!writable) return;
    commands_.push_back({std::move(*writable), how.string("topic"), how.string("payload"), how.string("value_on"),
                         how.string("value_off"), static_cast<int>(how.integer("qos")), how.boolean("retain"),
                         how.duration("timeout")});
  }
  std::vector<Command> take() { return std::move(commands_); }

 private:
  std::string misfit(const Node& how, const FieldRule& field) const {
    if (!rule_.topic.literal()) return "a point that can be set is of one topic: write it out, in a subscription above";
    if (!rule_.read || rule_.availability) return "of these topics no point is read that could be set";
    if (takes_name_from_payload(rule_)) return "a point that can be set has a name before a message says it";
    if (how.string("topic") == rule_.topic.text()) {
      return "it would take its own words for the device's: a command goes to another topic than the one that is read";
    }
    const bool number = field.path.empty() && rule_.format == Format::number;
    return field.value.kind || number ? "" : "say its kind: number, boolean or state";
  }

  const SubscriptionRule& rule_;
  const std::string& source_;
  Problems& problems_;
  std::vector<Command> commands_;
};

}  // namespace

Shape writable_shape() {
  std::vector<Shape::Field> fields = {
      required("topic", Shape::text_where("an MQTT topic", tidegate::mqtt::topic_problem),
               "Where its device takes commands: zigbee2mqtt/lamp/set."),
      defaulted("payload", Shape::text_where("a text with {value}", payload_problem), "\"{value}\"",
                "What is published, with {value} for what the device takes."),
      defaulted("value_on", Shape::text(), "\"ON\"", "Of a boolean, what {value} is for on."),
      defaulted("value_off", Shape::text(), "\"OFF\"", "And for off."),
      optional("states", Shape::list(Shape::text(), 256), "Of a state without an enum, what it may be set to."),
      defaulted("qos", Shape::integer(0, 2), "1", "The quality of service."),
      defaulted("retain", Shape::boolean(), "false",
                "true: the broker keeps the command, and a device that comes later gets it then."),
      defaulted("timeout", Shape::duration(std::chrono::milliseconds(100), std::chrono::seconds(30)), "5s",
                "How long a write may take: until the broker has it and the point shows it.")};
  for (Shape::Field& field : writable_fields()) fields.push_back(std::move(field));
  return Shape::object("How the point is set.", std::move(fields));
}

std::vector<Command> read_commands(const Node& node, const SubscriptionRule& rule, const std::string& source,
                                   Problems& problems) {
  CommandReader reader(rule, source, problems);
  const Node& payload = node["payload"];
  reader.read(payload, rule.bare);
  for (const FieldRule& field : rule.fields) {
    for (const char* key : {"fields", "also"}) {
      if (payload[key].kind == Node::Kind::map && payload[key].has(field.name)) {
        reader.read(payload[key][field.name], field);
      }
    }
  }
  return reader.take();
}

tidegate::mqtt::Outgoing Command::message(const Reading& wanted) const {
  const std::string word = wanted.type == Reading::Type::text      ? std::string(wanted.text)
                           : wanted.type == Reading::Type::boolean ? (wanted.number != 0 ? on : off)
                                                                   : short_number(wanted.number, kDigits);
  std::string text;
  for (std::size_t at = 0; at < payload.size();) {
    const std::size_t next = payload.find(kValue, at);
    text.append(payload, at, next - at);
    if (next == payload.npos) break;
    text += word;
    at = next + kValue.size();
  }
  return {topic, std::move(text), qos, retain};
}

}  // namespace tidegate::drivers::mqtt
