#include "drivers/mqtt/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "drivers/mqtt/receiver_topic.h"
#include "gateway/core/device_time.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt {
namespace {

constexpr std::size_t kMaxTableBytes = 32u << 20;  // beyond it the table starts afresh
constexpr std::string_view kReadByNobody =
    "nobody reads it: it is subscribed to from before, and now neither a subscription nor a profile has it, nor did a "
    "device announce it";
constexpr std::string_view kOfBefore =
    "a subscription of an earlier configuration brought it, and only what the present one brings is read: give the "
    "source another client_id to be rid of the old one";
constexpr int kMostUnreadTold = 20;  // topics that nobody reads
constexpr auto kAskAgainAfter = std::chrono::minutes(1);

constexpr std::size_t kMostSilent = 3;  // subscriptions, in a sentence

bool brought_by(std::uint32_t subscription, std::span<const std::uint32_t> ids) {
  return ids.empty() || std::find(ids.begin(), ids.end(), subscription) != ids.end();
}

}  // namespace

Receiver::Receiver(const Options& options, std::string source, Sink& sink, TopicOutlet* outlet)
    : options_(options), source_(std::move(source)), sink_(sink), outlet_(outlet), decoder_(options.limits) {
  for (const auto& subscription : subscriptions()) own_.push_back(subscription.id);
  for (const auto& rule : options_.subscriptions) {
    if (rule.read && rule.style.empty() && !rule.availability) silent_.push_back({&rule});
  }
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

void Receiver::hear(const SubscriptionRule& rule, bool used) {
  const auto found = std::find_if(silent_.begin(), silent_.end(), [&](const Silent& one) { return one.rule == &rule; });
  if (found == silent_.end()) return;
  found->heard = true;
  if (used) silent_.erase(found);
}

std::string Receiver::silent() const {
  std::string nothing, of_no_use;
  for (std::size_t i = 0; i < std::min(silent_.size(), kMostSilent); ++i) {
    std::string& text = silent_[i].heard ? of_no_use : nothing;
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", silent_[i].rule->topic.mqtt_filter());
  }
  std::string all;
  if (!nothing.empty()) all = "nothing yet on " + nothing;
  if (!of_no_use.empty()) all += (all.empty() ? "" : ", ") + ("nothing that can be used yet on " + of_no_use);
  return silent_.size() > kMostSilent ? all + ", ..." : all;
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
  const KnownPoint* known = topic.known(leaf.path);
  field.is = Field::Is::ignored;
  field.changed = false;
  if (leaf.path.empty()) {
    field.rule = rule.bare;
  } else if (auto found = drivers::rule_of(rule, leaves, leaf)) {
    field.rule = std::move(*found);
  } else if (known != nullptr && known->kind && leaf.type == Leaf::Type::text && !any_matches(rule.ignore, leaf.path)) {
    field.rule = {std::string(leaf.path), std::string(leaf.path), {}};  // a text of which nobody else knows what it is
  } else {
    return;
  }
  if (known != nullptr) complete(*known, leaf, field);
  // A format that promises numbers makes no state of the first text that comes along.
  const bool number = leaf.path.empty() && rule.format == Format::number;
  const SeriesKind natural = leaf.path.empty() ? kind_of(leaf.type) : natural_kind(leaf);
  field.kind = field.rule.value.kind.value_or(number ? SeriesKind::number : natural);
  field.is = Field::Is::undecided;
}

/// By what the bridge says: its unit goes before one that is only usual, and its words before any guess.
void Receiver::complete(const KnownPoint& known, const Leaf& leaf, Field& field) {
  ValueOptions& value = field.rule.value;
  if (!known.unit.empty()) value.unit = known.unit;
  if (leaf.type == Leaf::Type::text && known.kind) value.kind = known.kind;
  field.description = known.description;
  field.on = known.on;
  field.off = known.off;
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
  Labels labels;
  if (!field.description.empty()) labels.emplace_back("description", field.description);
  if (const Status opened = field.point->open(sink_, field.kind, Micros{0}, std::move(labels)); !opened) {
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

/// The device's own word for yes or no, such as LOCK, is one.
Reading Receiver::meant(const Field& field, const Leaf& leaf) {
  if (leaf.type != Leaf::Type::text || field.kind != SeriesKind::boolean) return leaf;
  if (!field.on.empty() && leaf.text == field.on) return {Reading::Type::boolean, 1};
  if (!field.off.empty() && leaf.text == field.off) return {Reading::Type::boolean, 0};
  return leaf;
}

/// Devices send messages of several kinds under one topic, so a topic is told of once. What a profile names is what a
/// device may send, and not what it must.
void Receiver::look_for_named(Topic& topic, std::span<const Leaf> leaves, const Received& message) {
  if (topic.told_of_fields || !topic.rule->style.empty()) return;
  const std::string lack = lack_of_named(*topic.rule, leaves);
  topic.told_of_fields = !lack.empty();
  if (topic.told_of_fields) refuse(topic, message, lack);
}

void Receiver::take_leaves(Topic& topic, std::span<const Leaf> leaves, const Received& message, Timestamp now) {
  const bool offline = topic.style->offline || (topic.device != nullptr && topic.device->away());
  Stamp stamp = stamp_of(topic, leaves, message.retained, now);
  // What somebody else says for a device that is away is its last word; what was kept of it is none.
  if (offline) stamp = {stamp.time, Quality::uncertain, Reason::no_answer};
  topic.expected = 0;
  bool any = false;  // is to be read
  for (const Leaf& leaf : leaves) {
    const std::size_t known = topic.fields.size();
    Field& field = field_of(topic, leaf);
    if (topic.fields.size() > known || (field.changed && leaf.type != Leaf::Type::null) ||
        (field.is == Field::Is::undecided && !field.rule.value.kind))
      describe(topic, leaves, leaf, field);
    any = any || field.is != Field::Is::ignored;
    if (!resolve(topic, leaf, field, message, now)) continue;
    if (offline && message.retained) {
      field.point->lose(Reason::no_answer, now, samples_);
      continue;
    }
    const Stamp own = leaf.time == Timestamp{} ? stamp : stamp_of(leaf.time, message.retained, now);
    const auto problem = field.point->take(sink_, meant(field, leaf), own.time, own.quality, own.reason, samples_);
    if (!problem.empty()) refuse(topic, message, problem);
    if (field.awaited && !offline && !message.retained) outlet_->heard(field.point->series(), meant(field, leaf));
  }
  if (!any) look_for_named(topic, leaves, message);
  if (message.retained && !offline) {  // of a bad one too: a failure that the broker kept is no news either
    for (Sample& sample : samples_) sample.reason = Reason::retained;
  }
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
  if (!silent_.empty()) hear(*topic.rule, false);
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
  if (!silent_.empty()) hear(*topic.rule, true);
  return sink_.push(samples_);
}

}  // namespace tidegate::drivers::mqtt
