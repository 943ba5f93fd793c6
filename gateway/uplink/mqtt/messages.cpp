#include "gateway/uplink/mqtt/messages.h"

#include "gateway/uplink/mqtt/link.h"

namespace tidegate::uplink::mqtt {
namespace {

using config::Shape;

class Messages final : public Uplink {
 public:
  Messages(tidegate::mqtt::ConnectionOptions options, std::string name)
      : link_(std::move(options)), name_(std::move(name)) {}

  bool carries(Lane lane) const override { return lane == Lane::alerts; }

  Status reach(std::stop_token stop) override { return link_.reach(std::move(stop)); }
  Notice notice() const override { return link_.notice(); }

  Status send(Lane, std::span<const Parcel> parcels, std::stop_token stop) override {
    return link_.send(
        parcels, [this](const Parcel& parcel) { return messages_of(parcel); }, std::move(stop));
  }

 private:
  /// Of a gap nobody knows what was to be published.
  Link::Messages messages_of(const Parcel& parcel) const {
    Link::Messages messages;
    if (parcel.batch->gap) return messages;
    for (std::size_t i = 0; i < parcel.count; ++i) {
      const auto* transition = std::get_if<AlertTransition>(&parcel.batch->events[parcel.first + i].body);
      if (transition == nullptr) continue;
      for (const Publication& one : transition->publish) {
        if (one.to == name_) messages.push_back({one.topic, one.payload, 1, one.retain});
      }
    }
    return messages;
  }

  Link link_;
  std::string name_;
};

std::unique_ptr<Uplink> make(const config::Node& section, const Context& context, config::Problems& problems) {
  auto options = tidegate::mqtt::connection_options(section, "uplink-" + context.name, problems);
  if (!problems.empty()) return nullptr;
  return std::make_unique<Messages>(std::move(options), context.name);
}

}  // namespace

UplinkType messages_type() {
  return {std::string(kMessagesType),
          "Publishes the messages that rules ask for in `publish` to an MQTT broker, QoS 1.",
          Shape::object("An MQTT broker for what rules publish.", tidegate::mqtt::connection_fields()), &make};
}

}  // namespace tidegate::uplink::mqtt
