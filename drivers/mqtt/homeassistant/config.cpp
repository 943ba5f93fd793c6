#include "drivers/mqtt/homeassistant/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "drivers/series_name.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt::homeassistant {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxAvailability = 8;

/// The short forms of the keys that are read.
constexpr std::array kShort = {std::pair{"availability", "avty"},
                               std::pair{"availability_mode", "avty_mode"},
                               std::pair{"availability_template", "avty_tpl"},
                               std::pair{"availability_topic", "avty_t"},
                               std::pair{"components", "cmps"},
                               std::pair{"current_temperature_template", "curr_temp_tpl"},
                               std::pair{"current_temperature_topic", "curr_temp_t"},
                               std::pair{"device", "dev"},
                               std::pair{"device_class", "dev_cla"},
                               std::pair{"expire_after", "exp_aft"},
                               std::pair{"identifiers", "ids"},
                               std::pair{"payload_available", "pl_avail"},
                               std::pair{"payload_not_available", "pl_not_avail"},
                               std::pair{"payload_off", "pl_off"},
                               std::pair{"payload_on", "pl_on"},
                               std::pair{"platform", "p"},
                               std::pair{"state_class", "stat_cla"},
                               std::pair{"state_off", "stat_off"},
                               std::pair{"state_on", "stat_on"},
                               std::pair{"state_topic", "stat_t"},
                               std::pair{"state_value_template", "stat_val_tpl"},
                               std::pair{"topic", "t"},
                               std::pair{"unit_of_measurement", "unit_of_meas"},
                               std::pair{"value_template", "val_tpl"}};

/// A map by long keys and short ones; `above` is what a component of a device takes over from its message.
class Keys {
 public:
  explicit Keys(const Json& map, const Json* above = nullptr) : map_(map), above_(above) {}

  const Json* find(const char* key) const {
    for (const Json* map : {&map_, above_}) {
      if (map == nullptr || !map->is_object()) continue;
      if (const auto found = map->find(key); found != map->end()) return &*found;
      for (const auto& [long_key, short_key] : kShort) {
        if (std::string_view(long_key) != key) continue;
        if (const auto found = map->find(short_key); found != map->end()) return &*found;
      }
    }
    return nullptr;
  }
  /// A text, or a number or truth as Home Assistant takes it for one.
  std::string text(const char* key, std::string otherwise = "") const {
    const Json* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_string()) return value->get<std::string>();
    if (value->is_boolean()) return value->get<bool>() ? "True" : "False";
    if (value->is_number()) return number_text(value->get<double>());
    return otherwise;
  }
  std::string topic(const char* key) const {
    std::string text = this->text(key);
    const std::string base = this->text("~");
    if (base.empty() || text.empty()) return text;
    if (text.front() == '~') return base + text.substr(1);
    if (text.back() == '~') return text.substr(0, text.size() - 1) + base;
    return text;
  }

 private:
  const Json& map_;
  const Json* above_;
};

/// One level of a series' name.
std::string level(std::string_view text) { return level_text(trim(text), true); }

std::string device_name(const Keys& keys, std::string_view otherwise) {
  const Json* device = keys.find("device");
  if (device == nullptr || !device->is_object()) return level(otherwise);
  const Keys its(*device);
  if (std::string name = level(its.text("name")); !name.empty()) return name;
  const Json* ids = its.find("identifiers");
  if (ids != nullptr && ids->is_string()) return level(ids->get<std::string>());
  if (ids != nullptr && ids->is_array() && !ids->empty() && ids->front().is_string())
    return level(ids->front().get<std::string>());
  return level(otherwise);
}

Result<std::optional<ValueTemplate>> template_of(const Keys& keys, const char* key) {
  const std::string text = keys.text(key);
  if (trim(text).empty()) return std::optional<ValueTemplate>{};
  auto parsed = ValueTemplate::parse(text);
  if (!parsed) return fail(Errc::invalid, "its {} '{}' is {}", key, printable(text, 120), parsed.error().text);
  return std::optional(std::move(*parsed));
}

Status read_availability(const Keys& keys, Entity& entity) {
  const auto add = [&](const Keys& of, const char* topic, const char* value) -> Status {
    Availability made{
        of.topic(topic), {}, of.text("payload_available", "online"), of.text("payload_not_available", "offline")};
    auto parsed = template_of(of, value);
    if (!parsed) return fail(parsed.error());
    made.value = std::move(*parsed);
    if (!made.topic.empty()) entity.availability.push_back(std::move(made));
    return {};
  };
  const std::string mode = keys.text("availability_mode", "latest");
  entity.mode = mode == "all" ? Entity::Mode::all : mode == "any" ? Entity::Mode::any : Entity::Mode::latest;
  const Json* list = keys.find("availability");
  if (list == nullptr) return add(keys, "availability_topic", "availability_template");
  if (!list->is_array() || list->size() > kMaxAvailability)
    return fail(Errc::invalid, "its availability is no list of at most {} topics", kMaxAvailability);
  Json base;
  base["~"] = keys.text("~");
  for (const Json& item : *list) {
    if (const Status added = add(Keys(item, &base), "topic", "value_template"); !added) return added;
  }
  return {};
}

/// What kinds of entities have values, and how they are read.
struct Kind {
  std::string_view component;
  std::optional<SeriesKind> kind;
  const char* topic = "state_topic";
  const char* value = "value_template";
};
constexpr std::array kKinds = {
    Kind{"sensor", std::nullopt},
    Kind{"binary_sensor", SeriesKind::boolean},
    Kind{"switch", SeriesKind::boolean},
    Kind{"number", SeriesKind::number},
    Kind{"select", SeriesKind::state},
    Kind{"lock", SeriesKind::state},
    Kind{"cover", SeriesKind::state},
    Kind{"valve", SeriesKind::state},
    Kind{"light", SeriesKind::boolean, "state_topic", "state_value_template"},
    Kind{"fan", SeriesKind::boolean, "state_topic", "state_value_template"},
    Kind{"climate", SeriesKind::number, "current_temperature_topic", "current_temperature_template"}};

/// Of a sensor: a unit or a state class say that it measures.
std::optional<SeriesKind> kind_of_sensor(const Keys& keys) {
  const std::string klass = keys.text("device_class");
  if (klass == "enum") return SeriesKind::state;
  if (keys.text("state_class") == "total_increasing") return SeriesKind::counter;
  const Json* unit = keys.find("unit_of_measurement");
  if ((unit != nullptr && unit->is_string()) || !keys.text("state_class").empty()) return SeriesKind::number;
  return std::nullopt;
}

Status read_value(const Keys& keys, const Kind& kind, Entity& entity) {
  entity.state_topic = keys.topic(kind.topic);
  entity.kind = kind.component == "sensor" ? kind_of_sensor(keys) : kind.kind;
  entity.unit = keys.text("unit_of_measurement");
  if (kind.component == "climate" && entity.unit.empty()) entity.unit = "°C";
  entity.on = keys.text("state_on", keys.text("payload_on", "ON"));
  entity.off = keys.text("state_off", keys.text("payload_off", "OFF"));
  double seconds = 0;
  if (parse_number(keys.text("expire_after"), seconds) && seconds > 0 && seconds < 1e9)
    entity.expected_interval = std::chrono::seconds(static_cast<std::int64_t>(seconds));
  auto parsed = template_of(keys, kind.value);
  if (!parsed) return fail(parsed.error());
  entity.value = std::move(*parsed);
  // A light that speaks JSON has no template for it.
  if (kind.component == "light" && keys.text("schema") == "json")
    entity.value = *ValueTemplate::parse("{{ value_json.state }}");
  return {};
}

/// `parent` and `object` are what device and entity are called that have no names.
void add_entity(const Keys& keys, std::string_view component, std::string_view parent, std::string_view object,
                std::string id, Announcement& out) {
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& known) { return known.component == component; });
  if (kind == kKinds.end() || keys.topic(kind->topic).empty()) return;  // a button, a camera: nothing to measure
  if (keys.text("device_class") == "timestamp" || keys.text("device_class") == "date") return;
  Entity entity;
  entity.id = std::move(id);
  entity.device = device_name(keys, parent);
  // An entity without a name is the device's main one, and is called by what it is.
  std::string name = level(keys.text("name"));
  if (name.empty()) name = level(keys.text("device_class"));
  if (name.empty()) name = level(object);
  entity.series = entity.device == name ? entity.device : entity.device + "/" + name;
  Status read = read_value(keys, *kind, entity);
  if (read) read = read_availability(keys, entity);
  if (read && !valid_series_name(entity.series)) read = fail(Errc::invalid, "it has no name for a series");
  if (read && (!valid_series_name(entity.state_topic) || entity.state_topic.starts_with('$')))
    read = fail(Errc::invalid, "its topic '{}' is none", printable(entity.state_topic, 80));
  for (const auto& availability : entity.availability) {
    if (read && !valid_series_name(availability.topic))
      read = fail(Errc::invalid, "its availability topic '{}' is none", printable(availability.topic, 80));
  }
  if (read) {
    out.entities.push_back(std::move(entity));
  } else {
    out.problems.push_back(fmt::format("'{}' is left out: {}", printable(entity.series), read.error().text));
  }
}

/// "device" messages hold all entities of a device.
void add_components(const Json& message, std::string_view object, Announcement& out) {
  const Json* components = Keys(message).find("components");
  if (components == nullptr || !components->is_object()) {
    out.problems.emplace_back("a device without components");
    return;
  }
  if (components->size() > kMaxEntities) {
    out.problems.push_back(fmt::format("a device of more than {} entities", kMaxEntities));
    return;
  }
  for (const auto& [id, component] : components->items()) {
    if (!component.is_object()) continue;
    const Keys keys(component, &message);
    add_entity(keys, Keys(component).text("platform"), object, id, id, out);
  }
}

}  // namespace

Announcement read_config(std::string_view where, std::string_view payload) {
  Announcement out;
  const Json message = Json::parse(payload, nullptr, false);
  if (!message.is_object()) {
    out.problems.emplace_back("no JSON object");
    return out;
  }
  const auto levels = split(where, '/');
  if (levels.front() == "device") {
    add_components(message, levels.back(), out);
  } else {
    add_entity(Keys(message), levels.front(), levels.back(), levels.back(), "", out);
  }
  return out;
}

}  // namespace tidegate::drivers::mqtt::homeassistant
