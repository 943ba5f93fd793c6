#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/mqtt/homeassistant/value_template.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::mqtt::homeassistant {

/// A topic that says whether an entity is there.
struct Availability {
  std::string topic;
  std::optional<ValueTemplate> value;
  std::string there, away;  ///< what it says
};

/// What a discovery message says of one entity, as far as it is of use here.
struct Entity {
  std::string id;      ///< within its message; empty: it is the only one
  std::string device;  ///< its name
  std::string series;  ///< device/entity
  std::string state_topic;
  std::optional<ValueTemplate> value;
  std::optional<SeriesKind> kind;  ///< nothing: what its first value looks like
  std::string unit;
  std::string on, off;  ///< of a boolean
  Micros expected_interval{0};
  std::vector<Availability> availability;
  enum class Mode : std::uint8_t { all, any, latest } mode = Mode::latest;
};

struct Announcement {
  std::vector<Entity> entities;
  std::vector<std::string> problems;  ///< of entities that are left out
};

inline constexpr std::size_t kMaxEntities = 256;  ///< a message

/// `where`: the topic's levels between the prefix and "config": "sensor/node/object" or "device/object".
Announcement read_config(std::string_view where, std::string_view payload);

}  // namespace tidegate::drivers::mqtt::homeassistant
