#include "drivers/mqtt/sparkplug/host.h"

#include <fmt/format.h>

#include <set>
#include <unordered_map>

#include "drivers/mqtt/late_point.h"
#include "drivers/mqtt/subscription.h"
#include "drivers/series_name.h"
#include "gateway/core/device_time.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt::sparkplug {
namespace {

constexpr std::size_t kMaxNodes = 1000, kMaxDevices = 10'000, kMaxPoints = 50'000;
constexpr std::size_t kMaxRefused = 1000;  // a device, remembered
constexpr std::size_t kMostNamed = 5;
constexpr auto kAskAgain = std::chrono::minutes(1);
constexpr auto kBirthPatience = std::chrono::seconds(10);
constexpr std::int64_t kQualityBad = 0, kQualityGood = 192;

std::uint64_t millis(Timestamp time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

std::optional<Timestamp> time_of(std::uint64_t since_1970) {
  constexpr std::uint64_t kMost = INT64_MAX / 1000;
  if (since_1970 > kMost) return std::nullopt;
  return Timestamp{std::chrono::milliseconds(static_cast<std::int64_t>(since_1970))};
}

/// What is about the protocol and not about the plant.
bool of_protocol(std::string_view name) {
  return name == "bdSeq" || name.starts_with("Node Control/") || name.starts_with("Device Control/");
}

std::optional<std::uint64_t> birth_death(const Message& said) {
  for (const Metric& metric : said.metrics) {
    if (metric.name == "bdSeq" && metric.holds == Metric::Holds::integer) return metric.integer;
  }
  return std::nullopt;
}

}  // namespace

struct Host::Point {
  std::uint32_t datatype = 0;
  SeriesKind kind = SeriesKind::number;
  bool born = false;  ///< named in the last birth
  LatePoint point;
};

struct Host::Device {
  std::string name;  ///< group/node or group/node/device
  bool born = false;
  bool awaited = false;  ///< its node was born again, as asked for: its own birth is on the way
  bool died = false;     ///< it has been there
  std::map<std::string, Point, std::less<>> points;
  std::unordered_map<std::uint64_t, Point*> by_alias;  ///< nullptr: it was refused
  std::set<std::string, std::less<>> refused;          ///< by name
};

struct Host::Node {
  std::string group, name;
  Device own;
  bool sure = false;  ///< no message was missed since its birth
  std::uint64_t seq = 0;
  std::optional<std::uint64_t> bd_seq;
  std::optional<Timestamp> asked, reborn;
  std::map<std::string, Device, std::less<>> devices;
};

Host::Host(PayloadLimits limits, bool rebirth, Sink& sink, Outbox& outbox)
    : rebirth_(rebirth), sink_(sink), outbox_(outbox), decoder_(limits.max_bytes) {}
Host::~Host() = default;

/// One filter, so that the broker keeps all in order.
std::vector<tidegate::mqtt::Subscription> Host::subscriptions() const {
  return {{"spBv1.0/#", 1, subscription_id("spBv1.0/#")}};
}

Host::Node* Host::node_of(std::string_view group, std::string_view name, const Received& message) {
  const std::string key = fmt::format("{}/{}", group, name);
  if (const auto found = nodes_.find(key); found != nodes_.end()) return found->second.get();
  if (nodes_.size() >= kMaxNodes) {
    sink_.reject(message.topic, "", fmt::format("more than {} Sparkplug nodes", kMaxNodes));
    return nullptr;
  }
  auto& node = nodes_[key] = std::make_unique<Node>();
  node->group = group;
  node->name = name;
  node->own.name = key;
  return node.get();
}

Host::Device* Host::device_of(Node& node, std::string_view name, const Received& message) {
  if (const auto found = node.devices.find(name); found != node.devices.end()) return &found->second;
  if (devices_ >= kMaxDevices) {
    sink_.reject(message.topic, "", fmt::format("more than {} Sparkplug devices", kMaxDevices));
    return nullptr;
  }
  ++devices_;
  Device& device = node.devices[std::string(name)];
  device.name = fmt::format("{}/{}", node.own.name, name);
  return &device;
}

std::optional<Ticket> Host::take(const Received& message, Timestamp now) {
  // spBv1.0/GROUP/TYPE/NODE[/DEVICE]
  const auto levels = split(message.topic, '/');
  if (levels.size() < 4 || levels.size() > 5) return std::nullopt;  // STATE is a host's
  const std::string_view type = levels[2];
  const bool of_device = levels.size() == 5;
  if (type.size() < 5 || type[0] != (of_device ? 'D' : 'N')) return std::nullopt;
  const std::string_view what = type.substr(1);
  if (what != "BIRTH" && what != "DEATH" && what != "DATA") return std::nullopt;  // commands are not for us
  if (message.retained) {
    sink_.reject(message.topic, message.payload, "retained: a Sparkplug message never is");
    return std::nullopt;
  }
  const auto said = decoder_.decode(message.payload);
  if (!said) {
    sink_.reject(message.topic, message.payload, said.error().text);
    return std::nullopt;
  }
  Node* node = node_of(levels[1], levels[3], message);
  Device* device = node == nullptr ? nullptr : of_device ? device_of(*node, levels[4], message) : &node->own;
  if (device == nullptr) return std::nullopt;
  samples_.clear();
  if (what == "BIRTH") {
    take_birth(*node, *device, message, **said, now);
  } else if (what == "DATA") {
    take_data(*node, *device, message, **said, now);
  } else {
    take_death(*node, of_device ? device : nullptr, *said, now);
  }
  return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
}

/// After each message of a node its number is one more, from 255 to 0.
void Host::in_sequence(Node& node, const Message& said, Timestamp now) {
  const std::uint64_t expected = (node.seq + 1) % 256;
  const bool follows = said.seq && *said.seq == expected;
  if (said.seq) node.seq = *said.seq % 256;
  if (follows || !node.own.born) return;
  node.sure = false;
  ask_for_birth(node, now);
}

void Host::ask_for_birth(Node& node, Timestamp now) {
  if (!rebirth_ || (node.asked && now - *node.asked < kAskAgain)) return;
  node.asked = now;
  outbox_.publish({fmt::format("spBv1.0/{}/NCMD/{}", node.group, node.name), rebirth_request(millis(now)), 0, false});
}

void Host::take_birth(Node& node, Device& device, const Received& message, const Message& said, Timestamp now) {
  if (&device == &node.own) {
    // Its devices are born again after it. In the same session that is a matter of moments, else they were away.
    const auto session = birth_death(said);
    const bool again = node.own.born && session == node.bd_seq;
    for (auto& [name, its] : node.devices) {
      if (!again) lose(its, now);
      its.awaited = its.born;
      its.born = false;
    }
    node.reborn = now;
    node.bd_seq = session;
    node.seq = said.seq.value_or(0) % 256;
    node.sure = true;
    node.asked.reset();
  } else if (node.own.born) {
    in_sequence(node, said, now);
  } else {
    ask_for_birth(node, now);
    return;
  }
  device.born = true;
  device.awaited = false;
  device.by_alias.clear();
  device.refused.clear();
  for (auto& [name, point] : device.points) point.born = false;
  for (const Metric& metric : said.metrics) {
    if (metric.name.empty()) {
      sink_.reject(message.topic, "", "a metric without a name in a birth");
      continue;
    }
    if (of_protocol(metric.name)) continue;
    if (Point* point = define(device, metric, message)) take_metric(node, *point, metric, message, said, now);
  }
  for (auto& [name, point] : device.points) {
    if (!point.born) point.point.lose(now, samples_);
  }
}

/// By its birth: its kind, its unit and its alias.
Host::Point* Host::define(Device& device, const Metric& metric, const Received& message) {
  const auto refuse = [&](std::string_view why) -> Point* {
    if (device.refused.size() < kMaxRefused) {
      device.refused.emplace(metric.name);
      if (metric.alias) device.by_alias[*metric.alias] = nullptr;
    }
    sink_.reject(message.topic, metric.name, fmt::format("'{}': {}", printable(metric.name, 80), why));
    return nullptr;
  };
  const auto kind = kind_of_datatype(metric.datatype);
  if (!kind) return refuse(kind.error().text);
  ValueOptions options;
  options.kind = *kind;
  options.unit = metric.unit;
  auto found = device.points.find(metric.name);
  if (found != device.points.end() &&
      (found->second.kind != *kind || found->second.point.options().unit != options.unit)) {
    device.points.erase(found);
    --points_;
    found = device.points.end();
  }
  if (found == device.points.end()) {
    if (points_ >= kMaxPoints) return refuse(fmt::format("more than {} metrics", kMaxPoints));
    ++points_;
    const std::string series = fmt::format("{}/{}", device.name, level_text(metric.name, false));
    Point made{metric.datatype, *kind, false, LatePoint(series, options)};
    found = device.points.emplace(metric.name, std::move(made)).first;
  }
  Point& point = found->second;
  point.datatype = metric.datatype;
  point.born = true;
  if (metric.alias) device.by_alias[*metric.alias] = &point;
  return &point;
}

void Host::take_data(Node& node, Device& device, const Received& message, const Message& said, Timestamp now) {
  if (!node.own.born || !device.born) {
    if (node.own.born) in_sequence(node, said, now);
    ask_for_birth(node, now);
    sink_.reject(message.topic, "", "data before a birth: what its metrics are is not known");
    return;
  }
  in_sequence(node, said, now);
  for (const Metric& metric : said.metrics) {
    if (of_protocol(metric.name)) continue;
    bool known = false;
    if (Point* point = find_point(device, metric, known)) {
      take_metric(node, *point, metric, message, said, now);
    } else if (!known) {
      ask_for_birth(node, now);
    }
  }
}

/// `known`: it stood in the birth, though it may have no point.
Host::Point* Host::find_point(Device& device, const Metric& metric, bool& known) {
  if (metric.name.empty() && metric.alias) {
    const auto found = device.by_alias.find(*metric.alias);
    known = found != device.by_alias.end();
    return known ? found->second : nullptr;
  }
  const auto found = device.points.find(metric.name);
  const bool born = found != device.points.end() && found->second.born;
  known = born || device.refused.contains(metric.name);
  return born ? &found->second : nullptr;
}

void Host::take_metric(const Node& node, Point& point, const Metric& metric, const Received& message,
                       const Message& said, Timestamp now) {
  // By exception, as Sparkplug has it.
  if (!point.point.open(sink_, point.kind, kOnChange, now, message.topic)) return;
  // The payload's time is when it was sent: of what is told later than it was that says nothing.
  const auto given = metric.time || metric.historical ? metric.time : said.time;
  const auto time = given ? time_of(*given) : std::nullopt;
  Quality quality = Quality::good;
  Reason reason = Reason::none;
  const bool believed = time && believable(*time, now);
  if (metric.historical && !believed) {
    sink_.reject(message.topic, metric.name,
                 fmt::format("'{}': historical, and {}; the node has to give each such metric its own timestamp",
                             point.point.series(), given ? "of a time that cannot be" : "without a time of its own"));
    return;
  }
  if (!believed) quality = Quality::uncertain, reason = Reason::clock;
  if (!node.sure) quality = Quality::uncertain, reason = Reason::no_answer;
  Reading reading = reading_of(metric, metric.datatype == 0 ? point.datatype : metric.datatype);
  if (metric.quality == kQualityBad) {
    reading = {};  // the device says that it has no value
  } else if (metric.quality && *metric.quality != kQualityGood) {
    quality = Quality::uncertain, reason = Reason::no_answer;
  }
  const auto problem = point.point.take(sink_, reading, believed ? *time : now, quality, reason, samples_);
  if (!problem.empty()) sink_.reject(message.topic, metric.name, problem);
}

void Host::lose(Device& device, Timestamp now) {
  if (!device.born && !device.awaited) return;
  device.born = device.awaited = false;
  device.died = true;
  for (auto& [name, point] : device.points) point.point.lose(now, samples_);
}

/// A node's death takes its devices with it; one that belongs to a birth before the last is old.
void Host::take_death(Node& node, Device* device, const Message* said, Timestamp now) {
  if (device != nullptr) {
    if (node.own.born) in_sequence(node, *said, now);
    lose(*device, now);
    return;
  }
  const auto of = birth_death(*said);
  if (node.bd_seq && of && *of != *node.bd_seq) return;
  lose(node.own, now);
  for (auto& [name, its] : node.devices) lose(its, now);
}

/// Devices that were not born again after their node.
void Host::tick(Timestamp now) {
  samples_.clear();
  for (auto& [name, node] : nodes_) {
    if (!node->reborn || now - *node->reborn < kBirthPatience) continue;
    node->reborn.reset();
    for (auto& [its, device] : node->devices) {
      if (device.awaited) lose(device, now);
    }
  }
  if (!samples_.empty()) sink_.push(samples_);
}

/// A death may have been missed meanwhile.
void Host::connected(Timestamp now) {
  for (auto& [name, node] : nodes_) {
    if (!node->own.born) continue;
    node->sure = false;
    ask_for_birth(*node, now);
  }
}

void Host::find(Findings& findings) const {
  if (nodes_.empty()) return;
  Findings::Style style{"sparkplug", 0, {}, 0};
  const auto add = [&](const Device& device) {
    ++style.devices;
    if (!device.died || device.born || device.awaited) return;
    ++style.offline_count;
    if (style.offline.size() < kMostNamed) style.offline.push_back(device.name);
  };
  for (const auto& [name, node] : nodes_) {
    add(node->own);
    for (const auto& [its, device] : node->devices) add(device);
  }
  findings.styles.push_back(std::move(style));
}

tidegate::mqtt::Outgoing host_state(const std::string& host_id, bool online, Timestamp time) {
  return {"spBv1.0/STATE/" + host_id, fmt::format(R"({{"online":{},"timestamp":{}}})", online, millis(time)), 1, true};
}

}  // namespace tidegate::drivers::mqtt::sparkplug
