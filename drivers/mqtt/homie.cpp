#include "drivers/mqtt/homie.h"

#include <fmt/format.h>

#include <utility>

#include "drivers/mqtt/late_point.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt {
namespace {

constexpr std::size_t kMaxDevices = 10'000, kMaxProperties = 20'000;
constexpr std::size_t kMaxValueBytes = 255;
constexpr std::size_t kMostNamed = 5;

/// Of a datatype whose values are series; text and colours are none.
std::optional<SeriesKind> kind_of_datatype(std::string_view datatype) {
  if (datatype == "integer" || datatype == "float") return SeriesKind::number;
  if (datatype == "boolean") return SeriesKind::boolean;
  if (datatype == "enum") return SeriesKind::state;
  return std::nullopt;
}

}  // namespace

struct Homie::Property {
  std::string series;
  std::string unit;
  std::optional<SeriesKind> kind;
  bool described = false;  ///< its datatype is known
  std::optional<LatePoint> point;
  /// Came before the datatype.
  struct Early {
    std::string value;
    bool retained;
  };
  std::optional<Early> early;
};

struct Homie::Device {
  std::string name;
  bool offline = false;
  std::optional<LatePoint> state;
  std::map<std::string, Property, std::less<>> properties;
};

Homie::Homie(const std::string& base, Sink& sink) : base_(base + "/"), sink_(sink) {}
Homie::~Homie() = default;

std::vector<tidegate::mqtt::Subscription> Homie::subscriptions() const {
  std::vector<tidegate::mqtt::Subscription> all;
  for (const char* levels : {"+/+", "+/+/+", "+/+/+/+"}) {
    const std::string filter = base_ + levels;
    all.push_back({filter, 1, subscription_id(filter)});
  }
  return all;
}

std::vector<tidegate::mqtt::Subscription> Homie::descriptions() const { return {{base_ + "+/+/+/+", 0, 0}}; }

Homie::Device* Homie::device_of(const std::string& name, const Received& message) {
  if (const auto found = devices_.find(name); found != devices_.end()) return found->second.get();
  if (devices_.size() >= kMaxDevices) {
    sink_.reject(message.topic, message.payload, fmt::format("more than {} Homie devices", kMaxDevices));
    return nullptr;
  }
  auto& device = devices_[name] = std::make_unique<Device>();
  device->name = name;
  return device.get();
}

Homie::Property* Homie::property_of(Device& device, const std::string& name, const Received& message) {
  if (const auto found = device.properties.find(name); found != device.properties.end()) return &found->second;
  if (properties_ >= kMaxProperties) {
    sink_.reject(message.topic, message.payload, fmt::format("more than {} Homie properties", kMaxProperties));
    return nullptr;
  }
  ++properties_;
  Property& property = device.properties[name];
  property.series = fmt::format("{}/{}", device.name, name);
  return &property;
}

std::optional<Ticket> Homie::take(const Received& message, Timestamp now) {
  samples_.clear();
  const auto levels = split(message.topic.substr(base_.size()), '/');
  if (levels.size() < 2 || levels.size() > 4 || message.payload.size() > kMaxValueBytes || levels[0].starts_with('$'))
    return std::nullopt;
  const bool attribute = levels.back().starts_with('$');
  const bool of_property = levels.size() == (attribute ? 4 : 3);
  if (!of_property && !(levels.size() == 2 && levels[1] == "$state")) return std::nullopt;
  if (of_property && levels[1].starts_with('$')) return std::nullopt;  // $stats/uptime and the like
  if (!valid_utf8(message.payload)) {
    sink_.reject(message.topic, message.payload, "not UTF-8");
    return std::nullopt;
  }
  Device* device = device_of(std::string(levels[0]), message);
  if (device == nullptr) return std::nullopt;
  if (!of_property) {
    take_state(*device, message, now);
  } else if (Property* property = property_of(*device, fmt::format("{}/{}", levels[1], levels[2]), message)) {
    if (attribute) {
      take_attribute(*property, levels[3], message, now);
      if (property->early && property->described) {
        const Property::Early early = *std::exchange(property->early, std::nullopt);
        take_value(*device, *property, {message.topic, early.value, early.retained}, now);
      }
    } else {
      take_value(*device, *property, message, now);
    }
  }
  return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
}

void Homie::take_state(Device& device, const Received& message, Timestamp now) {
  if (message.payload.empty()) return;
  if (!device.state) {
    ValueOptions options;
    options.kind = SeriesKind::state;
    device.state.emplace(device.name + "/state", options);
  }
  const Reading word{Reading::Type::text, 0, message.payload};
  if (device.state->open(sink_, SeriesKind::state, Micros{0}, now, message.topic))
    take_of_device(*device.state, sink_, word, now, message.retained, false, samples_);
  const bool was = std::exchange(device.offline, message.payload == "lost" || message.payload == "disconnected");
  if (!device.offline || was) return;
  for (auto& [name, property] : device.properties) {
    if (property.point) property.point->lose(now, samples_);
  }
}

void Homie::take_attribute(Property& property, std::string_view attribute, const Received& message, Timestamp) {
  if (attribute == "$unit" && property.unit != message.payload) {
    property.unit = message.payload;
    property.point.reset();  // its series takes the new unit over
  } else if (attribute == "$datatype") {
    const auto kind = kind_of_datatype(message.payload);
    if (property.kind != kind) property.point.reset();
    property.kind = kind;
    property.described = true;
  }
}

void Homie::take_value(Device& device, Property& property, const Received& message, Timestamp now) {
  if (!property.described) {
    if (property.early && message.retained && !property.early->retained) return;  // that is newer
    property.early = {std::string(message.payload), message.retained};
    return;
  }
  if (!property.kind || message.payload.empty()) return;
  if (!property.point) {
    ValueOptions options;
    options.kind = property.kind;
    options.unit = property.unit;
    property.point.emplace(property.series, options);
  }
  if (!property.point->open(sink_, *property.kind, Micros{0}, now, message.topic)) return;
  const Reading reading{Reading::Type::text, 0, message.payload};
  const auto problem = take_of_device(*property.point, sink_, reading, now, message.retained, device.offline, samples_);
  if (!problem.empty()) sink_.reject(message.topic, message.payload, problem);
}

void Homie::find(Findings& findings) const {
  if (devices_.empty()) return;
  Findings::Style style{"homie", devices_.size(), {}, 0};
  for (const auto& [name, device] : devices_) {
    if (!device->offline) continue;
    ++style.offline_count;
    if (style.offline.size() < kMostNamed) style.offline.push_back(name);
  }
  findings.styles.push_back(std::move(style));
}

}  // namespace tidegate::drivers::mqtt
