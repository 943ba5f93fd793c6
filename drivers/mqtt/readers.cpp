#include "drivers/mqtt/readers.h"

#include <fmt/format.h>

#include "drivers/mqtt/homeassistant/discovery.h"
#include "drivers/mqtt/homie.h"
#include "drivers/mqtt/sparkplug/host.h"
#include "drivers/mqtt/zigbee2mqtt.h"

namespace tidegate::drivers::mqtt {

Readers::Readers(const Options& options, const std::string& source, Sink& sink, Outbox& outbox, TopicOutlet* outlet)
    : options_(options), receiver_(options, source, sink, outlet) {
  const auto base = [&](const char* usual) { return options.base.empty() ? usual : options.base; };
  if (!options.zigbee2mqtt.empty())
    styles_.push_back(std::make_unique<Zigbee2Mqtt>(options.zigbee2mqtt, sink, receiver_));
  for (const std::string& profile : options.profiles) {
    if (profile == "sparkplug")
      styles_.push_back(std::make_unique<sparkplug::Host>(options.limits, options.rebirth, sink, outbox));
    if (profile == "homie") styles_.push_back(std::make_unique<Homie>(base("homie"), sink));
    if (profile == "homeassistant") {
      // A topic that a profile of its own reads is not read twice.
      const auto known = [this](std::string_view topic) { return receiver_.reads(topic); };
      styles_.push_back(
          std::make_unique<homeassistant::Discovery>(base("homeassistant"), options.limits, sink, outbox, known));
    }
  }
}

std::vector<tidegate::mqtt::Subscription> Readers::subscriptions() const {
  auto all = receiver_.subscriptions();
  for (const auto& style : styles_) {
    for (auto& subscription : style->subscriptions()) all.push_back(std::move(subscription));
  }
  return all;
}

std::vector<tidegate::mqtt::Subscription> Readers::descriptions() const {
  std::vector<tidegate::mqtt::Subscription> all;
  for (const auto& style : styles_) {
    // Not as QoS 1: of that a broker drops what is more than it queues for a client.
    for (auto& description : style->descriptions()) all.push_back({std::move(description.filter), 0, 0});
  }
  return all;
}

std::optional<Ticket> Readers::take(const Received& message, Timestamp now) {
  for (const auto& style : styles_) {
    if (style->reads(message.topic)) return style->take(message, now);
  }
  return receiver_.take(message, now);
}

void Readers::tick(Timestamp now) {
  for (const auto& style : styles_) style->tick(now);
}

void Readers::connected(Timestamp now) {
  for (const auto& style : styles_) style->connected(now);
}

std::string Readers::findings(bool& offline) const {
  Findings found;
  receiver_.find(found);
  for (const auto& style : styles_) style->find(found);
  std::string text;
  for (const auto& style : found.styles) {
    if (!style.offline.empty() || !style.told_by.empty()) offline = true;
    if (style.name.empty() && style.devices == 0 && style.told_by.empty()) continue;
    text += text.empty() ? "" : ", ";
    text += fmt::format("{} ({} {}", style.name.empty() ? "subscriptions" : style.name, style.devices,
                        style.devices == 1 ? "device" : "devices");
    if (!style.told_by.empty()) {
      text += fmt::format(", all offline: {} says so", style.told_by);
    } else if (style.offline_count > 0) {
      text += fmt::format(", {} offline: {}{}", style.offline_count, fmt::join(style.offline, ", "),
                          style.offline_count > style.offline.size() ? ", ..." : "");
    }
    text += ")";
  }
  if (options_.guesses && !text.empty()) text = "guessed: " + text;
  if (text.empty() && (options_.guesses || !options_.profiles.empty())) text = "nothing yet that a profile reads";
  const std::string silent = receiver_.silent();
  return text.empty() || silent.empty() ? text + silent : fmt::format("{}; {}", text, silent);
}

}  // namespace tidegate::drivers::mqtt
