#include "drivers/mqtt/zigbee2mqtt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "drivers/mqtt/subscription.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt {
namespace {

using Json = nlohmann::json;

/// Some 10 KB a device; it has a bound of its own, since values are what max_payload is about.
constexpr std::size_t kMaxBytes = 4u << 20;
constexpr std::size_t kMaxDevices = 10'000, kMaxPoints = 500;  // points: a device's
constexpr std::size_t kMaxDepth = 4;                           // of what is exposed within something else
constexpr std::size_t kMaxUnit = 32, kMaxDescription = 200;
constexpr int kPublished = 1;  // a bit of `access`: the device's state holds it

/// What no point needs, and what is most of the message, is not even kept while it is read.
bool is_wanted(int, Json::parse_event_t event, Json& parsed) {
  constexpr std::array kUnwanted = {"endpoints", "options", "scenes", "presets"};
  if (event != Json::parse_event_t::key) return true;
  const auto* key = parsed.get_ptr<const std::string*>();
  return std::find(kUnwanted.begin(), kUnwanted.end(), *key) == kUnwanted.end();
}

std::string text_of(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_true(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_boolean() && found->get<bool>();
}

bool is_published(const Json& exposed) {
  const auto access = exposed.find("access");
  return access == exposed.end() || !access->is_number_unsigned() || (access->get<unsigned>() & kPublished) != 0;
}

void add_point(const Json& exposed, const std::string& path, KnownPoints& points) {
  if (points.size() >= kMaxPoints || !is_published(exposed)) return;
  KnownPoint point;
  point.unit = printable(text_of(exposed, "unit"), kMaxUnit);
  point.description = printable(text_of(exposed, "description"), kMaxDescription);
  const std::string type = text_of(exposed, "type");
  if (type == "enum") point.kind = SeriesKind::state;
  if (type == "binary") {
    point.kind = SeriesKind::boolean;
    point.on = text_of(exposed, "value_on");
    point.off = text_of(exposed, "value_off");
  }
  points.emplace(path, std::move(point));
}

/// `above`: the path of what it stands in, with its '/'. A light, a switch, a lock and the like are but a bracket
/// around their features; a composite value is an object in the device's message.
void read_exposed(const Json& list, const std::string& above, std::size_t depth, KnownPoints& points) {
  if (!list.is_array() || depth > kMaxDepth) return;
  for (const Json& exposed : list) {
    if (!exposed.is_object()) continue;
    const std::string property = text_of(exposed, "property");
    const auto features = exposed.find("features");
    if (features != exposed.end()) {
      read_exposed(*features, property.empty() ? above : above + property + "/", depth + 1, points);
    } else if (!property.empty()) {
      add_point(exposed, above + property, points);
    }
  }
}

}  // namespace

Result<KnownDevices> read_zigbee_devices(std::string_view payload) {
  if (payload.size() > kMaxBytes)
    return fail(Errc::invalid, "{} bytes; at most {} are taken of a list of devices", payload.size(), kMaxBytes);
  const Json list = Json::parse(payload, is_wanted, false);
  if (!list.is_array()) return fail(Errc::invalid, "no list of devices in JSON");
  KnownDevices devices;
  for (const Json& device : list) {
    if (!device.is_object() || is_true(device, "disabled") || devices.size() >= kMaxDevices) continue;
    const std::string name = text_of(device, "friendly_name");
    if (name.empty()) continue;
    KnownPoints& points = devices[name];
    const auto definition = device.find("definition");  // null where it is not supported
    if (definition == device.end() || !definition->is_object()) continue;
    const auto exposes = definition->find("exposes");
    if (exposes != definition->end()) read_exposed(*exposes, "", 1, points);
  }
  return devices;
}

Zigbee2Mqtt::Zigbee2Mqtt(const std::string& base, Sink& sink, Receiver& receiver)
    : topic_(base + "/bridge/devices"), sink_(sink), receiver_(receiver) {}

std::vector<tidegate::mqtt::Subscription> Zigbee2Mqtt::subscriptions() const {
  return {{topic_, 1, subscription_id(topic_)}};
}

std::optional<Ticket> Zigbee2Mqtt::take(const Received& message, Timestamp now) {
  const std::size_t hash = std::hash<std::string_view>{}(message.payload);
  if (message.payload.empty() || hash == last_) return std::nullopt;
  last_ = hash;
  auto devices = read_zigbee_devices(message.payload);
  if (!devices) {
    sink_.reject(message.topic, message.payload, devices.error().text);
    return std::nullopt;
  }
  return receiver_.know("zigbee2mqtt", std::move(*devices), now);
}

}  // namespace tidegate::drivers::mqtt
