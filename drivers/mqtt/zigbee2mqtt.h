#pragma once

#include <string>
#include <string_view>

#include "drivers/mqtt/known_points.h"
#include "drivers/mqtt/reader.h"
#include "drivers/mqtt/receiver.h"

namespace tidegate::drivers::mqtt {

/// What Zigbee2MQTT publishes as BASE/bridge/devices: its devices by their friendly names, with what they expose. Those
/// that are disabled are none.
Result<KnownDevices> read_zigbee_devices(std::string_view payload);

/// Hands a bridge's list of devices to the receiver, which reads their messages.
class Zigbee2Mqtt final : public Reader {
 public:
  /// `base`: "zigbee2mqtt". `sink` and `receiver` outlive it.
  Zigbee2Mqtt(const std::string& base, Sink& sink, Receiver& receiver);

  std::vector<tidegate::mqtt::Subscription> subscriptions() const override;
  std::vector<tidegate::mqtt::Subscription> descriptions() const override { return subscriptions(); }
  bool reads(std::string_view topic) const override { return topic == topic_; }
  std::optional<Ticket> take(const Received& message, Timestamp now) override;

 private:
  const std::string topic_;
  Sink& sink_;
  Receiver& receiver_;
  std::size_t last_ = 0;  ///< the hash of the message: it is published often, and rarely says anything new
};

}  // namespace tidegate::drivers::mqtt
