#include "drivers/mqtt/homeassistant/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "drivers/mqtt/late_point.h"
#include "drivers/mqtt/subscription.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt::homeassistant {
namespace {

constexpr std::size_t kMaxLive = 10'000, kMaxTopics = 10'000;
constexpr std::size_t kMostNamed = 5;

/// True and False are Python's; a payload says it as it likes.
bool same_word(std::string_view a, std::string_view b) {
  const auto truth = [](std::string_view text) {
    return text == "true" || text == "True" ? 1 : text == "false" || text == "False" ? 0 : -1;
  };
  return a == b || (truth(a) >= 0 && truth(a) == truth(b));
}

Reading reading_of(const Value& value) {
  if (const auto* number = std::get_if<double>(&value))
    return {std::isfinite(*number) ? Reading::Type::number : Reading::Type::not_a_number, *number};
  if (const auto* truth = std::get_if<bool>(&value)) return {Reading::Type::boolean, *truth ? 1.0 : 0.0};
  if (const auto* text = std::get_if<std::string>(&value)) {
    // What Home Assistant's users say for "not known".
    if (*text == "None" || *text == "unknown" || *text == "unavailable" || *text == "null") return {};
    return {Reading::Type::text, 0, *text};
  }
  return {};
}

}  // namespace

/// An entity at work.
struct Discovery::Live {
  enum class Says : std::uint8_t { nothing, there, away };
  Entity entity;
  std::vector<Says> says;  ///< of its availability topics
  bool offline = false;
  std::optional<LatePoint> point;
  std::size_t announced = 0;  ///< the hash of its message

  /// From itself as it was before its message changed.
  void inherit(Live& old) {
    if (old.entity.series == entity.series && old.entity.kind == entity.kind && old.entity.unit == entity.unit)
      point = std::exchange(old.point, std::nullopt);
    const bool same = std::equal(entity.availability.begin(), entity.availability.end(),
                                 old.entity.availability.begin(), old.entity.availability.end(),
                                 [](const Availability& a, const Availability& b) { return a.topic == b.topic; });
    if (!same) return;
    says = old.says;
    offline = old.offline;
  }
  void weigh(std::size_t latest) {
    const auto is = [](Says word) { return [word](Says said) { return said == word; }; };
    switch (entity.mode) {
      case Entity::Mode::all:
        offline = std::any_of(says.begin(), says.end(), is(Says::away));
        break;
      case Entity::Mode::any:
        offline = std::none_of(says.begin(), says.end(), is(Says::there));
        break;
      case Entity::Mode::latest:
        offline = says[latest] == Says::away;
        break;
    }
  }
};

struct Discovery::Topic {
  std::vector<Live*> states, availabilities;
};

Discovery::Discovery(const std::string& prefix, PayloadLimits limits, Sink& sink, Outbox& outbox, Known known)
    : prefix_(prefix + "/"),
      sink_(sink),
      outbox_(outbox),
      known_(std::move(known)),
      limits_(limits),
      decoder_(limits) {}
Discovery::~Discovery() = default;

std::vector<tidegate::mqtt::Subscription> Discovery::subscriptions() const {
  std::vector<tidegate::mqtt::Subscription> all;
  for (const char* levels : {"+/+/config", "+/+/+/config"}) {
    const std::string filter = prefix_ + levels;
    all.push_back({filter, 1, subscription_id(filter)});
  }
  return all;
}

bool Discovery::reads(std::string_view topic) const {
  return (topic.starts_with(prefix_) && topic.ends_with("/config")) || topics_.find(topic) != topics_.end();
}

std::optional<Ticket> Discovery::take(const Received& message, Timestamp now) {
  samples_.clear();
  if (message.topic.starts_with(prefix_) && message.topic.ends_with("/config")) {
    take_config(message, now);
    return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
  }
  const auto found = topics_.find(message.topic);
  if (found == topics_.end()) return std::nullopt;
  // As JSON where it is some; a template that asks for no JSON has its text.
  const auto leaves = decoder_.decode(message.payload, Format::automatic);
  if (!leaves) {
    sink_.reject(message.topic, message.payload, leaves.error().text);
    return std::nullopt;
  }
  for (Live* live : found->second.availabilities) take_availability(*live, message, *leaves, now);
  for (Live* live : found->second.states) take_state(*live, message, *leaves, now);
  return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
}

void Discovery::take_config(const Received& message, Timestamp now) {
  const std::string topic(message.topic);
  const auto refuse = [&](std::string_view why) { sink_.reject(message.topic, message.payload, why); };
  if (message.payload.size() > limits_.max_bytes) {
    refuse(fmt::format("{} bytes; at most {} are taken (max_payload)", message.payload.size(), limits_.max_bytes));
    return;
  }
  const std::string first = topic + "\n";
  const std::size_t hash = std::hash<std::string_view>{}(message.payload);
  const auto before = entities_.lower_bound(first);
  // Devices announce themselves again and again.
  if (before != entities_.end() && before->first.starts_with(first) && before->second->announced == hash) return;
  Announcement said;
  if (!message.payload.empty()) {
    const std::size_t end = topic.size() - std::string_view("/config").size();
    said = read_config(std::string_view(topic).substr(prefix_.size(), end - prefix_.size()), message.payload);
  }
  for (const auto& problem : said.problems) refuse(problem);
  // What the message does not name any more is gone; what is changed goes on where its series does.
  std::map<Owner, std::unique_ptr<Live>> old;
  for (auto it = before; it != entities_.end() && it->first.starts_with(first);) {
    const auto of = it++;
    detach(*of->second);
    old.insert(entities_.extract(of));
  }
  for (Entity& entity : said.entities) {
    if (known_(entity.state_topic)) continue;
    const Owner owner = first + entity.id;
    const auto was = old.find(owner);
    Live* live = add(owner, std::move(entity), message);
    if (live == nullptr) continue;
    live->announced = hash;
    if (was != old.end()) live->inherit(*was->second);
  }
  for (auto& [owner, live] : old) {
    if (live->point) live->point->lose(now, samples_);
  }
}

Discovery::Live* Discovery::add(const Owner& owner, Entity entity, const Received& message) {
  if (entities_.size() >= kMaxLive) {
    sink_.reject(message.topic, message.payload, fmt::format("more than {} entities", kMaxLive));
    return nullptr;
  }
  const auto [taken, first] = series_.try_emplace(entity.series, owner);
  if (!first) {
    sink_.reject(message.topic, message.payload,
                 fmt::format("the name '{}' is that of another entity ({})", printable(entity.series),
                             printable(taken->second.substr(0, taken->second.find('\n')))));
    return nullptr;
  }
  auto live = std::make_unique<Live>();
  live->entity = std::move(entity);
  live->says.assign(live->entity.availability.size(), Live::Says::nothing);
  const auto add_once = [&](std::vector<Live*>& to) {
    if (std::find(to.begin(), to.end(), live.get()) == to.end()) to.push_back(live.get());
  };
  for (const auto& availability : live->entity.availability) {
    if (Topic* topic = listen(availability.topic, message)) add_once(topic->availabilities);
  }
  if (Topic* topic = listen(live->entity.state_topic, message)) add_once(topic->states);
  return (entities_[owner] = std::move(live)).get();
}

/// From its topics and its name.
void Discovery::detach(Live& live) {
  const auto leave = [&](const std::string& name) {
    const auto topic = topics_.find(name);
    if (topic == topics_.end()) return;
    std::erase(topic->second.states, &live);
    std::erase(topic->second.availabilities, &live);
  };
  leave(live.entity.state_topic);
  for (const auto& availability : live.entity.availability) leave(availability.topic);
  series_.erase(live.entity.series);
}

/// A topic stays subscribed to when nobody asks for it any more: it is often announced again.
Discovery::Topic* Discovery::listen(const std::string& topic, const Received& message) {
  if (const auto found = topics_.find(topic); found != topics_.end()) {
    // Its kept message is wanted once more.
    outbox_.subscribe({topic, 1, subscription_id(topic)});
    return &found->second;
  }
  if (topics_.size() >= kMaxTopics) {
    sink_.reject(message.topic, message.payload, fmt::format("more than {} topics", kMaxTopics));
    return nullptr;
  }
  outbox_.subscribe({topic, 1, subscription_id(topic)});
  return &topics_[topic];
}

void Discovery::take_availability(Live& live, const Received& message, std::span<const Leaf> leaves, Timestamp now) {
  const bool was = live.offline;
  for (std::size_t i = 0; i < live.says.size(); ++i) {
    const Availability& rule = live.entity.availability[i];
    if (rule.topic != message.topic) continue;
    const std::string word =
        rule.value ? text_of(rule.value->value(message.payload, leaves)) : std::string(message.payload);
    if (same_word(word, rule.there)) {
      live.says[i] = Live::Says::there;
    } else if (same_word(word, rule.away)) {
      live.says[i] = Live::Says::away;
    } else {
      continue;
    }
    live.weigh(i);
  }
  if (live.offline && !was && live.point) live.point->lose(now, samples_);
}

void Discovery::take_state(Live& live, const Received& message, std::span<const Leaf> leaves, Timestamp now) {
  if (message.payload.empty()) return;
  const Entity& entity = live.entity;
  const Value value = entity.value ? entity.value->value(message.payload, leaves) : Value{std::string(message.payload)};
  std::string text = text_of(value);
  if (std::holds_alternative<std::monostate>(value) || text.empty()) return;  // the message does not speak of it
  Reading reading = reading_of(value);
  if (entity.kind == SeriesKind::boolean && reading.type != Reading::Type::null) {
    if (same_word(text, entity.on)) {
      reading = {Reading::Type::boolean, 1};
    } else if (same_word(text, entity.off)) {
      reading = {Reading::Type::boolean, 0};
    } else {
      reading = {Reading::Type::text, 0, text};  // neither: of a wrong type, unless it says no more than on and off
    }
  }
  if (!live.point) {
    double number = 0;
    const bool measures = reading.type == Reading::Type::number ||
                          (reading.type == Reading::Type::text && parse_number(reading.text, number));
    if (!entity.kind && reading.type == Reading::Type::null) return;
    ValueOptions options;
    options.kind = entity.kind ? *entity.kind : measures ? SeriesKind::number : kind_of(reading.type);
    options.unit = entity.unit;
    live.point.emplace(entity.series, options);
  }
  if (!live.point->open(sink_, SeriesKind::number, entity.expected_interval, now, message.topic)) return;
  const auto problem = take_of_device(*live.point, sink_, reading, now, message.retained, live.offline, samples_);
  if (!problem.empty()) sink_.reject(message.topic, message.payload, problem);
}

void Discovery::find(Findings& findings) const {
  if (entities_.empty()) return;
  std::map<std::string, bool> devices;  // name, offline
  for (const auto& [owner, live] : entities_) devices[live->entity.device] |= live->offline;
  Findings::Style style{"homeassistant", devices.size(), {}, 0};
  for (const auto& [name, offline] : devices) {
    if (!offline) continue;
    ++style.offline_count;
    if (style.offline.size() < kMostNamed) style.offline.push_back(name);
  }
  findings.styles.push_back(std::move(style));
}

}  // namespace tidegate::drivers::mqtt::homeassistant
