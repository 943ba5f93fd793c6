#include "drivers/mqtt/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/mqtt/profile.h"
#include "gateway/core/text.h"
#include "gateway/mqtt/options.h"

namespace tidegate::drivers::mqtt {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::Shape;

/// The one place where a broker tells what it had to throw away.
SubscriptionRule watch_of_broker() {
  SubscriptionRule rule;
  rule.topic = *Pattern::parse("$SYS/broker/publish/messages/dropped");
  rule.qos = 0;
  rule.format = Format::number;
  rule.bare.value.kind = SeriesKind::counter;
  rule.series = *Template::parse("{source}/broker/dropped_messages", {"source"});
  return rule;
}

std::vector<std::string> profile_names() {
  std::vector<std::string> names = {"auto"};
  for (auto& name : written_profiles()) names.push_back(std::move(name));
  names.insert(names.end(), kCodedProfiles.begin(), kCodedProfiles.end());
  return names;
}

Shape profile_shape() {
  const Shape one = Shape::choice(profile_names());
  return Shape::either({one, Shape::list(one, 20)});
}

std::string base_problem(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./").find(c) != std::string_view::npos;
  });
  return plain && valid_series_name(text) ? "" : "a base topic is of letters, digits and - _ . / alone";
}

std::string share_problem(std::string_view text) {
  return valid_series_name(text) && text.find('/') == std::string_view::npos ? ""
                                                                             : "a group is one level, without + and #";
}

Shape sparkplug_shape() {
  return Shape::object(
      "How it is a Sparkplug host.",
      {defaulted("rebirth", Shape::boolean(), "true",
                 "Ask a node for its birth where one was missed (NCMD), at most once a minute each."),
       optional("host_id", Shape::text_where("a host's id", share_problem),
                "Be a primary host of this name: publish spBv1.0/STATE/HOST_ID, also as the last will.")});
}

void read_sparkplug(const Node& section, Options& options, Problems& problems) {
  options.rebirth = !options.guesses;  // a guess commands nobody
  if (!section.has("sparkplug")) return;
  const Node& node = section["sparkplug"];
  const bool used = std::find(options.profiles.begin(), options.profiles.end(), "sparkplug") != options.profiles.end();
  if (!used) problems.add(node.at, "'sparkplug' has a meaning with 'profile: sparkplug' only");
  options.rebirth = node.boolean("rebirth");
  if (!node.has("host_id")) return;
  if (section.has("will"))
    problems.add(section["will"].at, "a Sparkplug host with a 'host_id' has a last will already");
  options.host_id = node.string("host_id");
}

void read_profiles(const Node& section, Options& options, Problems& problems) {
  if (!section.has("profile")) return;
  const Node& node = section["profile"];
  std::vector<std::string> names = node.kind == Node::Kind::list ? node.strings() : std::vector{node.string()};
  options.guesses = std::find(names.begin(), names.end(), "auto") != names.end();
  if (options.guesses && names.size() > 1) problems.add(node.at, "'auto' is all of them: write it alone");
  if (options.guesses) names = profile_names();
  const std::string base = section.has("base_topic") ? section.string("base_topic") : "";
  options.base = base;
  if (!base.empty() &&
      (names.size() > 1 || (names[0] != "zigbee2mqtt" && names[0] != "homie" && names[0] != "homeassistant")))
    problems.add(section["base_topic"].at, "'base_topic' is of one profile: zigbee2mqtt, homie or homeassistant");
  const auto written = written_profiles();
  for (const std::string& name : names) {
    if (std::find(kCodedProfiles.begin(), kCodedProfiles.end(), name) != kCodedProfiles.end()) {
      options.profiles.push_back(name);
    } else if (name != "auto") {
      if (name == "zigbee2mqtt") options.zigbee2mqtt = base.empty() ? name : base;
      for (auto& rule : profile_rules(name, base)) options.subscriptions.push_back(std::move(rule));
    }
  }
}

}  // namespace

Shape shape() {
  static const Shape made = [] {
    std::vector<Shape::Field> fields = tidegate::mqtt::connection_fields();
    for (auto& field : tidegate::mqtt::session_fields()) fields.push_back(std::move(field));
    const std::vector<Shape::Field> own = {
        optional("profile", profile_shape(),
                 "Styles of device, in place of subscriptions or beside them; auto guesses and says what it guessed."),
        optional("base_topic", Shape::text_where("a topic", base_problem),
                 "Of a profile whose first level was changed: zigbee2mqtt, homie, homeassistant."),
        defaulted("subscriptions", Shape::list(subscription_shape(), 1000), "[]",
                  "What is subscribed to; a topic is read by the first that fits, and by these before a profile's."),
        optional("sparkplug", sparkplug_shape(), "With profile: sparkplug."),
        optional("share", Shape::text_where("a group's name", share_problem),
                 "Shared subscriptions: of all clients with this group's name each message goes to one."),
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

Options read_options(const Node& section, const std::string& source, Problems& problems) {
  Options options;
  for (const auto& item : section["subscriptions"].items) {
    const SubscriptionRule& rule = options.subscriptions.emplace_back(read_subscription(item, problems));
    for (Command& command : read_commands(item, rule, source, problems)) {
      options.commands.push_back(std::move(command));
    }
  }
  read_profiles(section, options, problems);
  if (options.subscriptions.empty() && options.profiles.empty())
    problems.add(section["subscriptions"].at, "no subscription and no profile: nothing would ever arrive");
  read_sparkplug(section, options, problems);
  if (section.has("share")) options.share = section.string("share");
  if (!options.share.empty() && !options.commands.empty()) {
    problems.add(section["share"].at,
                 "points that can be set are of a source that shares no messages: what shows "
                 "them may go to another gateway");
  }
  if (section.boolean("watch_broker")) options.subscriptions.push_back(watch_of_broker());
  options.ack_when_committed = section.string("ack") == "committed";
  options.limits.max_bytes = static_cast<std::size_t>(section.bytes("max_payload"));
  options.limits.max_depth = static_cast<std::size_t>(section.integer("max_depth"));
  return options;
}

}  // namespace tidegate::drivers::mqtt
