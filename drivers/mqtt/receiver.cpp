#include "drivers/mqtt/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "drivers/point.h"
#include "gateway/core/device_time.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt {
namespace {

constexpr std::size_t kMaxTableBytes = 32u << 20;  // beyond it the table starts afresh
constexpr std::size_t kMaxDevices = 10'000;        // a style, that say whether they are there
constexpr std::size_t kMostNamed = 5;              // of those that are offline
constexpr std::string_view kReadByNobody =
    "nobody reads it: it is subscribed to from before, and now neither a subscription nor a profile has it, nor did a "
    "device announce it";
constexpr std::string_view kOfBefore =
    "a subscription of an earlier configuration brought it, and only what the present one brings is read: give the "
    "source another client_id to be rid of the old one";
constexpr int kMostUnreadTold = 20;  // topics that nobody reads
constexpr auto kAskAgainAfter = std::chrono::minutes(1);

bool brought_by(std::uint32_t subscription, std::span<const std::uint32_t> ids) {
  return ids.empty() || std::find(ids.begin(), ids.end(), subscription) != ids.end();
}

const Leaf* leaf_at(std::span<const Leaf> leaves, std::string_view path) {
  const auto found = std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& leaf) { return leaf.path == path; });
  return found == leaves.end() ? nullptr : &*found;
}

bool names_devices(const SubscriptionRule& rule) {
  const auto names = rule.topic.capture_names();
  return std::find(names.begin(), names.end(), "device") != names.end();
}

}  // namespace

/// A device of a style that tells whether it is there.
struct Receiver::Device {
  std::string name;
  bool offline = false;
  std::vector<Topic*> topics;
};

/// The devices of one profile, or of the configuration's own subscriptions. `offline`: what they all hang on is away.
struct Receiver::Style {
  std::string name;
  bool seen = false, offline = false;
  std::unordered_map<std::string, std::unique_ptr<Device>> devices;
  std::vector<Topic*> topics;
};

/// What is known of one value of one topic.
struct Receiver::Field {
  enum class Is : std::uint8_t { undecided, ready, refused, ignored };

  std::string path;
  Is is = Is::undecided;
  FieldRule rule;
  SeriesKind kind = SeriesKind::number;
  Timestamp refused_at{};
  std::optional<Point> point;
  bool awaited = false;  ///< it may be set, and somebody may wait for what it shows
};

/// What is known of one topic. Devices send their values in the same order each time, so the field after the last one
/// is tried first.
struct Receiver::Topic {
  const SubscriptionRule* rule = nullptr;  ///< nothing: it is left out, or no subscription fits it
  bool unknown = false, told = false;      ///< no subscription fits it; somebody was told
  Style* style = nullptr;
  Device* device = nullptr;        ///< nothing: its style knows no devices
  std::uint32_t subscription = 0;  ///< the rule's
  bool nameless = false;           ///< its payload has yet to say its name
  std::size_t expected = 0;
  std::deque<Field> fields;
  std::unordered_map<std::string_view, std::size_t> by_path;  ///< views into `fields`
  std::string name;
  std::string captures;    ///< joined with '/'
  std::string given_name;  ///< out of its payload
};

Receiver::Receiver(const Options& options, std::string source, Sink& sink, TopicOutlet* outlet)
    : options_(options), source_(std::move(source)), sink_(sink), outlet_(outlet), decoder_(options.limits) {
  for (const auto& subscription : subscriptions()) own_.push_back(subscription.id);
}
Receiver::~Receiver() = default;

std::vector<tidegate::mqtt::Subscription> Receiver::subscriptions() const {
  std::vector<tidegate::mqtt::Subscription> all;
  for (const auto& rule : options_.subscriptions) {
    if (!rule.read) continue;
    const std::string filter = rule.topic.mqtt_filter();
    // Of those that share their messages each must know who is there.
    const bool shared = !options_.share.empty() && !rule.availability && !filter.starts_with('$');
    const tidegate::mqtt::Subscription wanted{shared ? fmt::format("$share/{}/{}", options_.share, filter) : filter,
                                              rule.qos, subscription_id(filter)};
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const auto& other) { return other.filter == wanted.filter; });
    if (same == all.end()) {
      all.push_back(wanted);
    } else {
      same->qos = std::max(same->qos, wanted.qos);
    }
  }
  return all;
}

const SubscriptionRule* Receiver::rule_of(std::string_view topic) const {
  const auto& rules = options_.subscriptions;
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const auto& rule) { return rule.topic.matches(topic); });
  return found == rules.end() ? nullptr : &*found;
}

bool Receiver::reads(std::string_view topic) const {
  const SubscriptionRule* rule = rule_of(topic);
  return rule != nullptr && rule->read;
}

Receiver::Style& Receiver::style_of(const std::string& name) {
  for (Style& style : styles_) {
    if (style.name == name) return style;
  }
  styles_.emplace_back().name = name;
  return styles_.back();
}

/// By {group} and {device} of the topic. Nothing where it has none, or where there are too many.
Receiver::Device* Receiver::device_of(Style& style, const SubscriptionRule& rule, std::string_view topic) {
  std::string name;
  const auto captures = rule.topic.match(topic);
  for (const auto& [capture, text] : *captures) {
    if (capture != "group" && capture != "device") continue;
    name += name.empty() ? "" : "/";
    name += text;
  }
  if (name.empty()) return nullptr;
  if (const auto found = style.devices.find(name); found != style.devices.end()) return found->second.get();
  if (style.devices.size() >= kMaxDevices) return nullptr;
  auto device = std::make_unique<Device>();
  device->name = name;
  return style.devices.emplace(std::move(name), std::move(device)).first->second.get();
}

Receiver::Topic& Receiver::topic_of(std::string_view name) {
  if (const auto found = topics_.find(name); found != topics_.end()) return *found->second;
  auto topic = std::make_unique<Topic>();
  topic->name = name;
  const SubscriptionRule* rule = rule_of(name);
  topic->unknown = rule == nullptr;
  if (rule != nullptr && rule->read) {
    topic->rule = rule;
    topic->subscription = subscription_id(rule->topic.mqtt_filter());
    const auto captures = rule->topic.match(name);
    for (const auto& [capture, text] : *captures) {
      topic->captures += topic->captures.empty() ? "" : "/";
      topic->captures += text;
    }
    topic->nameless = !rule->name.empty();
    topic->style = &style_of(rule->style);
    topic->device = device_of(*topic->style, *rule, name);
    if (!rule->availability) {
      topic->style->topics.push_back(topic.get());
      if (topic->device != nullptr) topic->device->topics.push_back(topic.get());
    }
  }
  table_bytes_ += sizeof(Topic) + 2 * topic->name.size();  // as the key too
  return *topics_.emplace(topic->name, std::move(topic)).first->second;
}

Receiver::Field& Receiver::field_of(Topic& topic, const Leaf& leaf) {
  if (topic.expected < topic.fields.size() && topic.fields[topic.expected].path == leaf.path) {
    return topic.fields[topic.expected++];
  }
  if (const auto found = topic.by_path.find(leaf.path); found != topic.by_path.end()) {
    topic.expected = found->second + 1;
    return topic.fields[found->second];
  }
  Field& field = topic.fields.emplace_back();
  field.path = leaf.path;
  topic.by_path.emplace(field.path, topic.fields.size() - 1);
  topic.expected = topic.fields.size();
  table_bytes_ += sizeof(Field) + 2 * field.path.size();  // as the rule's name too
  return field;
}

/// Which rule reads this leaf, or that none does.
void Receiver::describe(const Topic& topic, std::span<const Leaf> leaves, const Leaf& leaf, Field& field) const {
  const SubscriptionRule& rule = *topic.rule;
  field.is = Field::Is::ignored;
  if (leaf.path.empty()) {
    field.rule = rule.bare;
  } else if (auto found = drivers::rule_of(rule, leaves, leaf)) {
    field.rule = std::move(*found);
  } else {
    return;
  }
  // A format that promises numbers makes no state of the first text that comes along.
  const bool number = leaf.path.empty() && rule.format == Format::number;
  const SeriesKind natural = leaf.path.empty() ? kind_of(leaf.type) : natural_kind(leaf);
  field.kind = field.rule.value.kind.value_or(number ? SeriesKind::number : natural);
  field.is = Field::Is::undecided;
}

/// True where the field has a series. A refused one is asked for again each minute: room may have been made.
bool Receiver::resolve(const Topic& topic, const Leaf& leaf, Field& field, const Received& message, Timestamp now) {
  if (field.is == Field::Is::ready) return true;
  if (field.is == Field::Is::refused && now - field.refused_at < kAskAgainAfter) return false;
  if (field.is == Field::Is::refused) field.is = Field::Is::undecided;
  if (field.is == Field::Is::ignored) return false;
  // Nothing is known yet of a value that is not there: its type comes with the first one that is.
  if (leaf.type == Leaf::Type::null && !field.rule.value.kind) return false;
  field.point.emplace(series_name(*topic.rule, topic.name, field.rule.name, source_, topic.given_name),
                      field.rule.value);
  field.awaited = outlet_ != nullptr && outlet_->awaits(field.point->series());
  if (const Status opened = field.point->open(sink_, field.kind, Micros{0}); !opened) {
    field.is = Field::Is::refused;
    field.refused_at = now;
    sink_.reject(message.topic, message.payload, opened.error().text);
    return false;
  }
  field.is = Field::Is::ready;
  return true;
}

/// Of a value that brings its own time.
Receiver::Stamp Receiver::stamp_of(Timestamp time, bool retained, Timestamp now) {
  Stamp stamp = believable(time, now) ? Stamp{time} : Stamp{now, Quality::uncertain, Reason::clock};
  if (retained) stamp = {stamp.time, Quality::uncertain, Reason::retained};
  return stamp;
}

/// What all samples of a message have: its time, and why it is not wholly good.
Receiver::Stamp Receiver::stamp_of(const Topic& topic, std::span<const Leaf> leaves, bool retained, Timestamp now) {
  Stamp stamp{now};
  if (const auto& rule = topic.rule->timestamp) {
    const Leaf* leaf = leaf_at(leaves, rule->path);
    const auto time = leaf == nullptr ? std::nullopt : time_of(*leaf, rule->format, now);
    const bool lacks = rule->may_lack && (leaf == nullptr || leaf->type == Reading::Type::null);
    if (time) stamp = {*time};
    if (!time && !lacks) stamp = {now, Quality::uncertain, Reason::clock};
  }
  if (retained) stamp = {stamp.time, Quality::uncertain, Reason::retained};
  return stamp;
}

/// Everything but who is away: that is no matter of how often topics were seen.
void Receiver::forget() {
  topics_.clear();
  given_.clear();
  for (Style& style : styles_) {
    style.topics.clear();
    for (auto& [name, device] : style.devices) device->topics.clear();
  }
  table_bytes_ = 0;
}

/// True where the payload says the topic's name. Two devices of one name are never mixed.
/// A style that is only guessed is not told what of other topics it cannot use.
void Receiver::refuse(const Topic& topic, const Received& message, std::string_view reason) {
  if (options_.guesses && !topic.style->seen && !topic.style->name.empty()) return;
  sink_.reject(message.topic, message.payload, reason);
}

bool Receiver::named(Topic& topic, std::span<const Leaf> leaves, const Received& message) {
  const Leaf* said = leaf_at(leaves, topic.rule->name);
  const std::string name = said != nullptr && said->type == Reading::Type::text ? std::string(said->text) : "";
  if (name.empty()) {
    refuse(topic, message, fmt::format("no name at /{}", topic.rule->name));
    return false;
  }
  // Several topics of one device have one name: those that their captures say.
  const auto [owner, first] = given_.try_emplace(name, &topic);
  if (!first && owner->second->captures != topic.captures) {
    refuse(topic, message,
           fmt::format("the name '{}' is that of another device ({}); give one of them another name", printable(name),
                       owner->second->name));
    return false;
  }
  topic.given_name = name;
  topic.nameless = false;
  table_bytes_ += 2 * name.size();
  return true;
}

void Receiver::take_leaves(Topic& topic, std::span<const Leaf> leaves, const Received& message, Timestamp now) {
  const bool offline = topic.style->offline || (topic.device != nullptr && topic.device->offline);
  Stamp stamp = stamp_of(topic, leaves, message.retained, now);
  // What somebody else says for a device that is away is its last word; what was kept of it is none.
  if (offline) stamp = {stamp.time, Quality::uncertain, Reason::no_answer};
  topic.expected = 0;
  for (const Leaf& leaf : leaves) {
    const std::size_t known = topic.fields.size();
    Field& field = field_of(topic, leaf);
    if (topic.fields.size() > known || (field.is == Field::Is::undecided && !field.rule.value.kind))
      describe(topic, leaves, leaf, field);
    if (!resolve(topic, leaf, field, message, now)) continue;
    if (offline && message.retained) {
      field.point->lose(Reason::no_answer, now, samples_);
      continue;
    }
    const Stamp own = leaf.time == Timestamp{} ? stamp : stamp_of(leaf.time, message.retained, now);
    const auto problem = field.point->take(sink_, leaf, own.time, own.quality, own.reason, samples_);
    if (!problem.empty()) refuse(topic, message, problem);
    if (field.awaited && !offline && !message.retained) outlet_->heard(field.point->series(), leaf);
  }
  if (message.retained && !offline) {  // of a bad one too: a failure that the broker kept is no news either
    for (Sample& sample : samples_) sample.reason = Reason::retained;
  }
}

void Receiver::lose(Topic& topic, Timestamp now) {
  for (Field& field : topic.fields) {
    if (field.is == Field::Is::ready) field.point->lose(Reason::no_answer, now, samples_);
  }
}

std::optional<Ticket> Receiver::take_availability(Topic& topic, std::span<const Leaf> leaves, const Received& message,
                                                  Timestamp now) {
  const AvailabilityRule& rule = *topic.rule->availability;
  const Leaf* leaf = leaves.size() == 1 && leaves[0].path.empty() ? leaves.data() : leaf_at(leaves, rule.path);
  const auto there = leaf == nullptr ? std::nullopt : rule.says(*leaf);
  if (!there) {
    if (!message.payload.empty()) refuse(topic, message, "neither a word for 'there' nor one for 'away'");
    return std::nullopt;
  }
  const bool offline = !*there;
  // A topic without a device speaks for all.
  const bool names_none = !names_devices(*topic.rule);
  if (!names_none && topic.device == nullptr) {
    refuse(topic, message, fmt::format("more than {} devices", kMaxDevices));
    return std::nullopt;
  }
  topic.style->seen = true;
  bool& was = names_none ? topic.style->offline : topic.device->offline;
  if (was == offline) return std::nullopt;
  was = offline;
  if (!offline) return std::nullopt;
  for (Topic* lost : names_none ? topic.style->topics : topic.device->topics) lose(*lost, now);
  return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
}

/// None of ours brought it.
bool Receiver::of_before(const Received& message) const {
  const auto& ids = message.subscriptions;
  return !ids.empty() && std::none_of(ids.begin(), ids.end(), [this](std::uint32_t id) {
    return std::find(own_.begin(), own_.end(), id) != own_.end();
  });
}

void Receiver::leave_unread(Topic& topic, const Received& message, std::string_view reason) {
  if (message.retained) return;
  ++unread_;
  if (std::exchange(topic.told, true) || unread_topics_ >= kMostUnreadTold) return;
  ++unread_topics_;
  sink_.reject(message.topic, message.payload, reason);
}

std::optional<Ticket> Receiver::take(const Received& message, Timestamp now) {
  if (table_bytes_ >= kMaxTableBytes) forget();
  Topic& topic = topic_of(message.topic);
  if (topic.unknown) leave_unread(topic, message, kReadByNobody);
  if (topic.rule == nullptr) return std::nullopt;
  if (!brought_by(topic.subscription, message.subscriptions)) {
    if (of_before(message)) leave_unread(topic, message, kOfBefore);
    return std::nullopt;
  }
  const auto leaves = decoder_.decode(message.payload, topic.rule->format, topic.rule->line_time);
  if (!leaves) {
    refuse(topic, message, leaves.error().text);
    return std::nullopt;
  }
  samples_.clear();
  if (topic.rule->availability) return take_availability(topic, *leaves, message, now);
  if (leaves->empty() || (topic.nameless && !named(topic, *leaves, message))) return std::nullopt;
  take_leaves(topic, *leaves, message, now);
  if (samples_.empty()) return std::nullopt;
  topic.style->seen = true;
  return sink_.push(samples_);
}

void Receiver::find(Findings& findings) const {
  for (const Style& style : styles_) {
    if (!style.seen) continue;
    Findings::Style found{style.name, style.devices.size(), {}, 0};
    for (const auto& [name, device] : style.devices) {
      if (!device->offline && !style.offline) continue;
      ++found.offline_count;
      if (found.offline.size() < kMostNamed) found.offline.push_back(name);
    }
    std::sort(found.offline.begin(), found.offline.end());
    findings.styles.push_back(std::move(found));
  }
}

}  // namespace tidegate::drivers::mqtt
