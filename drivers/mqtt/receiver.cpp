#include "drivers/mqtt/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt {
namespace {

constexpr std::size_t kMaxTableBytes = 32u << 20;  // beyond it the table starts afresh
constexpr std::size_t kMaxStateBytes = 255;
constexpr auto kAskAgainAfter = std::chrono::minutes(1);

bool any_matches(const std::vector<Pattern>& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& pattern) { return pattern.matches(path); });
}

SeriesKind kind_of(Leaf::Type type) {
  switch (type) {
    case Leaf::Type::boolean:
      return SeriesKind::boolean;
    case Leaf::Type::text:
      return SeriesKind::state;
    default:
      return SeriesKind::number;
  }
}

bool brought_by(std::uint32_t subscription, std::span<const std::uint32_t> ids) {
  return ids.empty() || std::find(ids.begin(), ids.end(), subscription) != ids.end();
}

void mark(Sample& sample, Quality quality, Reason reason) {
  if (sample.quality == Quality::bad) return;
  sample.quality = quality;
  sample.reason = reason;
  if (quality == Quality::bad) sample.value = 0;
}

}  // namespace

/// What is known of one value of one topic.
struct Receiver::Field {
  enum class Is : std::uint8_t { undecided, ready, refused, ignored };

  std::string path;
  Is is = Is::undecided;
  FieldRule rule;
  SeriesKind kind = SeriesKind::number;
  SeriesId id{};
  Timestamp refused_at{};
  std::string state;  ///< the last label and its code: a state rarely changes
  double code = 0;
};

/// What is known of one topic. Devices send their values in the same order each time, so the field after the last one
/// is tried first.
struct Receiver::Topic {
  std::string name;
  const SubscriptionRule* rule = nullptr;  ///< nothing: no subscription fits it
  std::uint32_t subscription = 0;          ///< the rule's
  std::string captures;                    ///< joined with '/'
  std::deque<Field> fields;
  std::unordered_map<std::string_view, std::size_t> by_path;  ///< views into `fields`
  std::size_t expected = 0;
};

Receiver::Receiver(const Options& options, std::string source, Sink& sink)
    : options_(options), source_(std::move(source)), sink_(sink), decoder_(options.limits) {}
Receiver::~Receiver() = default;

Receiver::Topic& Receiver::topic_of(std::string_view name) {
  if (const auto found = topics_.find(name); found != topics_.end()) return *found->second;
  auto topic = std::make_unique<Topic>();
  topic->name = name;
  for (const auto& rule : options_.subscriptions) {
    const auto captures = rule.topic.match(name);
    if (!captures) continue;
    topic->rule = &rule;
    topic->subscription = subscription_id(rule.topic);
    for (const auto& [capture, text] : *captures) {
      topic->captures += topic->captures.empty() ? "" : "/";
      topic->captures += text;
    }
    break;
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
void Receiver::describe(const Topic& topic, const Leaf& leaf, Field& field) const {
  const SubscriptionRule& rule = *topic.rule;
  field.is = Field::Is::ignored;
  if (leaf.path.empty()) {
    field.rule = rule.bare;
  } else if (rule.timestamp && rule.timestamp->path == leaf.path) {
    return;
  } else if (!rule.every_leaf) {
    const auto named =
        std::find_if(rule.fields.begin(), rule.fields.end(), [&](const FieldRule& f) { return f.path == leaf.path; });
    if (named == rule.fields.end()) return;
    field.rule = *named;
  } else {
    const bool state = any_matches(rule.states, leaf.path);
    if (any_matches(rule.ignore, leaf.path) || (leaf.type == Leaf::Type::text && !state)) return;
    field.rule.name = leaf.path;
    if (state) field.rule.kind = SeriesKind::state;
    for (const auto& [pattern, unit] : rule.units) {
      if (pattern.matches(leaf.path)) field.rule.unit = unit;
    }
  }
  // A format that promises numbers makes no state of the first text that comes along, nor does a number in quotes.
  double ignored = 0;
  const bool number = leaf.path.empty() ? rule.format == Format::number
                                        : leaf.type == Leaf::Type::text && parse_number(leaf.text, ignored);
  field.kind = field.rule.kind.value_or(number ? SeriesKind::number : kind_of(leaf.type));
  field.is = Field::Is::undecided;
}

std::string Receiver::series_name(const Topic& topic, const std::string& field) const {
  if (!topic.rule->series) {
    const std::string& base = topic.captures.empty() ? topic.name : topic.captures;
    return field.empty() ? base : base + "/" + field;
  }
  const auto captures = topic.rule->topic.match(topic.name);
  std::string name = topic.rule->series->render([&](std::string_view part) -> std::optional<std::string> {
    if (part == "field") return field;
    if (part == "topic") return topic.name;
    if (part == "source") return source_;
    for (const auto& [capture, text] : *captures) {
      if (capture == part) return std::string(text);
    }
    return std::nullopt;
  });
  // "{device}/{field}" of a payload that is one value without a name.
  if (field.empty() && name.ends_with('/')) name.pop_back();
  return name;
}

/// True where the field has a series. A refused one is asked for again each minute: room may have been made.
bool Receiver::resolve(const Topic& topic, const Leaf& leaf, Field& field, const Received& message, Timestamp now) {
  if (field.is == Field::Is::ready) return true;
  if (field.is == Field::Is::refused && now - field.refused_at < kAskAgainAfter) return false;
  if (field.is == Field::Is::refused) field.is = Field::Is::undecided;
  if (field.is == Field::Is::ignored) return false;
  // Nothing is known yet of a value that is not there: its type comes with the first one that is.
  if (leaf.type == Leaf::Type::null && !field.rule.kind) return false;
  SeriesInfo info;
  info.kind = field.kind;
  info.unit = field.rule.unit;
  info.source = source_;
  const auto id = sink_.series(series_name(topic, field.rule.name), info);
  if (!id) {
    field.is = Field::Is::refused;
    field.refused_at = now;
    sink_.reject(message.topic, message.payload, id.error().text);
    return false;
  }
  field.is = Field::Is::ready;
  field.id = *id;
  return true;
}

bool Receiver::convert_to_state(Field& field, const Leaf& leaf, const Received& message, Sample& sample) {
  std::string made;
  if (leaf.type == Leaf::Type::number) made = number_text(leaf.number);
  if (leaf.type == Leaf::Type::boolean) made = leaf.number != 0 ? "true" : "false";
  const std::string_view text = leaf.type == Leaf::Type::text ? leaf.text : std::string_view(made);
  if (text.empty() || text.size() > kMaxStateBytes) {
    sink_.reject(message.topic, message.payload, fmt::format("a state is a text of 1 to {} bytes", kMaxStateBytes));
    return false;
  }
  if (field.state != text) {
    const auto code = sink_.label(field.id, text);
    if (!code) {
      sink_.reject(message.topic, message.payload, code.error().text);
      return false;
    }
    field.state = text;
    field.code = *code;
  }
  sample.value = field.code;
  return true;
}

/// The leaf as a value of the field's kind; false where it gives no sample at all.
bool Receiver::convert(Field& field, const Leaf& leaf, const Received& message, Sample& sample) {
  double value = leaf.number;
  if (leaf.type == Leaf::Type::not_a_number) {
    mark(sample, Quality::bad, Reason::not_a_number);
    return true;
  }
  if (leaf.type == Leaf::Type::null) {
    mark(sample, Quality::bad, Reason::device_fault);  // the device says that it has no value
    return true;
  }
  if (field.kind == SeriesKind::state) return convert_to_state(field, leaf, message, sample);
  if (leaf.type == Leaf::Type::text) {
    const auto word = field.kind == SeriesKind::boolean ? boolean_word(leaf.text) : std::nullopt;
    if (word) {
      value = *word ? 1 : 0;
    } else if (field.kind == SeriesKind::boolean || !parse_number(leaf.text, value)) {
      mark(sample, Quality::bad, Reason::wrong_type);
      sink_.reject(message.topic, message.payload,
                   fmt::format("'{}' is no {}", printable(leaf.text, 64),
                               field.kind == SeriesKind::boolean ? "yes or no" : "number"));
      return true;
    }
  }
  if (field.kind == SeriesKind::boolean) {
    sample.value = value != 0 ? 1 : 0;
    return true;
  }
  sample.value = value * field.rule.scale + field.rule.offset;
  if (!std::isfinite(sample.value)) mark(sample, Quality::bad, Reason::not_a_number);
  return true;
}

/// Gives the samples their time, and marks what is old news or has no sane time.
void Receiver::stamp(const Topic& topic, std::span<const Leaf> leaves, bool retained, Timestamp now) {
  std::optional<Timestamp> time;
  const auto& rule = topic.rule->timestamp;
  if (rule) {
    for (const Leaf& leaf : leaves) {
      if (leaf.path == rule->path) time = time_of(leaf, rule->format, now);
    }
  }
  for (Sample& sample : samples_) {
    sample.time = time.value_or(now);
    if (retained) {
      sample.quality = std::max(sample.quality, Quality::uncertain);
      sample.reason = Reason::retained;  // of a bad one too: a failure that the broker kept is no news either
    } else if (rule && !time) {
      mark(sample, Quality::uncertain, Reason::clock);
    }
  }
}

std::optional<Ticket> Receiver::take(const Received& message, Timestamp now) {
  if (table_bytes_ >= kMaxTableBytes) {
    topics_.clear();
    table_bytes_ = 0;
  }
  Topic& topic = topic_of(message.topic);
  if (topic.rule == nullptr || !brought_by(topic.subscription, message.subscriptions)) return std::nullopt;
  const auto leaves = decoder_.decode(message.payload, topic.rule->format);
  if (!leaves) {
    sink_.reject(message.topic, message.payload, leaves.error().text);
    return std::nullopt;
  }
  samples_.clear();
  topic.expected = 0;
  for (const Leaf& leaf : *leaves) {
    const std::size_t known = topic.fields.size();
    Field& field = field_of(topic, leaf);
    if (topic.fields.size() > known || (field.is == Field::Is::undecided && !field.rule.kind))
      describe(topic, leaf, field);
    if (!resolve(topic, leaf, field, message, now)) continue;
    Sample sample;
    sample.series = field.id;
    if (convert(field, leaf, message, sample)) samples_.push_back(sample);
  }
  if (samples_.empty()) return std::nullopt;
  stamp(topic, *leaves, message.retained, now);
  return sink_.push(samples_);
}

}  // namespace tidegate::drivers::mqtt
