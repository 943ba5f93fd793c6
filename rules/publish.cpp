#include "rules/publish.h"

#include <algorithm>
#include <utility>

#include "rules/alert.h"
#include "rules/flood.h"
#include "rules/message.h"
#include "rules/rule.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

constexpr std::size_t kMaxTopicBytes = 1'024;

std::string topic_problem(std::string_view text) {
  if (text.empty() || text.size() > kMaxTopicBytes) return fmt::format("a topic has 1 to {} bytes", kMaxTopicBytes);
  if (text.find_first_of("+#") != std::string_view::npos)
    return "a topic to publish to has neither + nor #: captures such as {device} may stand in it";
  return text.find('\0') == std::string_view::npos ? "" : "a topic has no byte 0";
}

std::string in_words(const Node& item) {
  std::string text = item.string("topic") + ":";
  for (const char* const when : {"raised", "acknowledged", "cleared"}) {
    if (!item.has(when)) continue;
    text += fmt::format("{} {} '{}'", text.back() == ':' ? "" : ",", when, item[when].shown());
  }
  return text;
}

bool says_something(const Node& item) { return item.has("raised") || item.has("acknowledged") || item.has("cleared"); }

using Says = std::optional<Template> Publish::*;

std::vector<Publication> filled_in(const Rule& rule, Says says, const AlertRecord& alert, SeriesKind kind,
                                   std::span<const std::string> states) {
  std::vector<Publication> out;
  for (const Publish& one : rule.publish) {
    if (!(one.*says)) continue;
    out.push_back({one.to, render(one.topic, rule, alert, kind, states),
                   render(*(one.*says), rule, alert, kind, states), one.retain});
  }
  return out;
}

bool is_raised_anew(const AlertTransition& transition) {
  const bool is_of_level = transition.cause == "escalated" || transition.cause == "eased";
  return calls_somebody(transition) || (is_of_level && !silenced(transition.alert));
}

}  // namespace

Shape publish_shape() {
  return Shape::list(
      Shape::object("An MQTT message of a rule.",
                    {config::required("to", Shape::text(), "The uplink of type mqtt_messages that publishes it."),
                     config::required("topic", Shape::text_where("a topic", topic_problem),
                                      "Where to: \"lamps/{device}\"; captures of the series may stand in it."),
                     config::optional("raised", Shape::text(),
                                      "What to publish when an alert begins to call somebody, and when its severity "
                                      "changes; all that may stand in `message`."),
                     config::optional("acknowledged", Shape::text(), "What to publish when it is acknowledged."),
                     config::optional("cleared", Shape::text(),
                                      "What to publish when it calls nobody any more: cleared, shelved or suppressed, "
                                      "or the rule is removed."),
                     config::defaulted("retain", Shape::boolean(), "false",
                                       "true: the broker keeps it for those who subscribe later.")}),
      16);
}

std::vector<Publish> parse_publish(const Node& items, const std::vector<std::string>& captures,
                                   const std::vector<std::string>& names, Problems& problems) {
  std::vector<Publish> out;
  for (const Node& item : items.items) {
    if (item.kind != Node::Kind::map) continue;  // check() has told
    if (!says_something(item) && !item.refused)
      problems.add(item.at, "it never says anything: write what to publish under raised, acknowledged or cleared");
    auto topic = parse_text(item["topic"], captures, problems);
    Publish one{item.string("to"),
                topic.value_or(Template{}),
                parse_text(item["raised"], names, problems),
                parse_text(item["acknowledged"], names, problems),
                parse_text(item["cleared"], names, problems),
                item.sound() && item.boolean("retain"),
                in_words(item)};
    out.push_back(std::move(one));
  }
  return out;
}

void publish(const Rule& rule, SeriesKind kind, std::span<const std::string> states, AlertTransition& transition,
             AlertRecord& alert) {
  const auto filled = [&](Says says) { return filled_in(rule, says, alert, kind, states); };
  if (is_raised_anew(transition)) {
    transition.publish = filled(&Publish::raised);
    alert.farewell = filled(&Publish::cleared);
  } else if (!raised(alert.phase) || silenced(alert)) {
    std::vector<Publication> kept = std::exchange(alert.farewell, {});
    if (!kept.empty()) transition.publish = filled(&Publish::cleared);
    for (Publication& old : kept) {
      const auto same = [&](const Publication& one) { return one.to == old.to && one.topic == old.topic; };
      if (std::none_of(transition.publish.begin(), transition.publish.end(), same))
        transition.publish.push_back(std::move(old));
    }
  }
  if (transition.cause == "acknowledged" && !silenced(alert)) {
    std::vector<Publication> also = filled(&Publish::acknowledged);
    std::move(also.begin(), also.end(), std::back_inserter(transition.publish));
  }
  transition.alert.farewell = alert.farewell;
}

void publish_farewell(AlertTransition& transition) {
  transition.publish = std::exchange(transition.alert.farewell, {});
}

}  // namespace tidegate::rules
