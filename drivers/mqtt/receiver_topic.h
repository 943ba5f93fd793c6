#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "drivers/mqtt/known_points.h"
#include "drivers/mqtt/receiver.h"
#include "drivers/point.h"

/// What a Receiver knows of topics and devices; for its own files.
namespace tidegate::drivers::mqtt {

/// A device of a style that tells whether it is there.
struct Receiver::Device {
  std::string name;
  bool offline = false;
  bool gone = false;  ///< its bridge had it, and has it no more
  std::vector<Topic*> topics;

  bool away() const { return offline || gone; }
};

/// The devices of one profile, or of the configuration's own subscriptions. `offline`: what they all hang on is away,
/// as the topic `told_by` says.
struct Receiver::Style {
  std::string name;
  bool seen = false, offline = false;
  std::string told_by;
  KnownDevices known;  ///< as a bridge tells
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
  std::string description;  ///< as a bridge says
  std::string on, off;      ///< its texts for yes and no
  bool changed = false;     ///< the bridge says otherwise since: it is looked at again with its next value
  bool awaited = false;     ///< it may be set, and somebody may wait for what it shows
};

/// What is known of one topic. Devices send their values in the same order each time, so the field after the last one
/// is tried first.
struct Receiver::Topic {
  const SubscriptionRule* rule = nullptr;  ///< nothing: it is left out, or no subscription fits it
  bool unknown = false, told = false;      ///< no subscription fits it; somebody was told
  bool told_of_fields = false;             ///< that a message had none of those that are named
  Style* style = nullptr;
  Device* device = nullptr;  ///< nothing: its style knows no devices
  const KnownPoint* known(std::string_view path) const;
  std::uint32_t subscription = 0;  ///< the rule's
  bool nameless = false;           ///< its payload has yet to say its name
  std::size_t expected = 0;
  std::deque<Field> fields;
  std::unordered_map<std::string_view, std::size_t> by_path;  ///< views into `fields`
  std::string name;
  std::string captures;    ///< joined with '/'
  std::string given_name;  ///< out of its payload
};

/// nullptr: there is none.
inline const Leaf* leaf_at(std::span<const Leaf> leaves, std::string_view path) {
  const auto found = std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& leaf) { return leaf.path == path; });
  return found == leaves.end() ? nullptr : &*found;
}

}  // namespace tidegate::drivers::mqtt
