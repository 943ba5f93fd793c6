// Who is there, and what is known of whom.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "drivers/mqtt/receiver_topic.h"

namespace tidegate::drivers::mqtt {
namespace {

constexpr std::size_t kMaxDevices = 10'000;  // a style, that say whether they are there
constexpr std::size_t kMostNamed = 5;        // of those that are offline

bool names_devices(const SubscriptionRule& rule) {
  const auto names = rule.topic.capture_names();
  return std::find(names.begin(), names.end(), "device") != names.end();
}

const KnownPoint* known_point(const KnownDevices& devices, const std::string& device, std::string_view path) {
  const auto its = devices.find(device);
  if (its == devices.end()) return nullptr;
  const auto found = its->second.find(path);
  return found == its->second.end() ? nullptr : &found->second;
}

}  // namespace

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

const KnownPoint* Receiver::Topic::known(std::string_view path) const {
  return device == nullptr ? nullptr : known_point(style->known, device->name, path);
}

/// Those of a device that was never listed are left alone: a group is in no list.
std::optional<Ticket> Receiver::know(const std::string& style_name, KnownDevices devices, Timestamp now) {
  Style& style = style_of(style_name);
  samples_.clear();
  for (auto& [name, device] : style.devices) {
    for (Topic* topic : device->topics) {
      for (Field& field : topic->fields) {
        const KnownPoint* before = known_point(style.known, name, field.path);
        const KnownPoint* after = known_point(devices, name, field.path);
        const bool same = before == nullptr || after == nullptr ? before == after : *before == *after;
        field.changed = field.changed || !same;
      }
    }
    const bool listed = devices.contains(name);
    const bool goes = !listed && style.known.contains(name) && !device->away() && !style.offline;
    device->gone = !listed && (device->gone || style.known.contains(name));
    for (Topic* topic : device->topics) {
      if (goes) lose(*topic, now);
    }
  }
  style.known = std::move(devices);
  return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
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
  if (names_none) topic.style->told_by = topic.name;
  if (!offline) return std::nullopt;
  for (Topic* lost : names_none ? topic.style->topics : topic.device->topics) lose(*lost, now);
  return samples_.empty() ? std::nullopt : std::optional(sink_.push(samples_));
}

void Receiver::find(Findings& findings) const {
  for (const Style& style : styles_) {
    if (!style.seen) continue;
    Findings::Style found{style.name, style.devices.size(), {}, 0, style.offline ? style.told_by : ""};
    for (const auto& [name, device] : style.devices) {
      if (!device->away() && !style.offline) continue;
      ++found.offline_count;
      if (found.offline.size() < kMostNamed) found.offline.push_back(name);
    }
    std::sort(found.offline.begin(), found.offline.end());
    findings.styles.push_back(std::move(found));
  }
}

}  // namespace tidegate::drivers::mqtt
