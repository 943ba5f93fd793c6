#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/mqtt/homeassistant/config.h"
#include "drivers/mqtt/reader.h"
#include "drivers/payload.h"

namespace tidegate::drivers::mqtt::homeassistant {

/// Devices that announce themselves to Home Assistant: their entities become series, their state and availability
/// topics are subscribed to as they are announced.
class Discovery final : public Reader {
 public:
  using Known = std::function<bool(std::string_view topic)>;
  /// `prefix`: "homeassistant". `known`: topics that another reader reads. `sink` and `outbox` outlive it.
  Discovery(const std::string& prefix, PayloadLimits limits, Sink& sink, Outbox& outbox, Known known);
  ~Discovery() override;

  std::vector<tidegate::mqtt::Subscription> subscriptions() const override;
  std::vector<tidegate::mqtt::Subscription> descriptions() const override { return subscriptions(); }
  bool reads(std::string_view topic) const override;
  std::optional<Ticket> take(const Received& message, Timestamp now) override;
  void find(Findings& findings) const override;

 private:
  struct Live;
  struct Topic;
  using Owner = std::string;  ///< the discovery message's topic and, of a device, the component's id

  void take_config(const Received& message, Timestamp now);
  Live* add(const Owner& owner, Entity entity, const Received& message);
  void detach(Live& live);
  Topic* listen(const std::string& topic, const Received& message);
  void take_state(Live& live, const Received& message, std::span<const Leaf> leaves, Timestamp now);
  void take_availability(Live& live, const Received& message, std::span<const Leaf> leaves, Timestamp now);

  const std::string prefix_;  ///< with its '/'
  Sink& sink_;
  Outbox& outbox_;
  const Known known_;
  const PayloadLimits limits_;
  Decoder decoder_;
  std::map<Owner, std::unique_ptr<Live>> entities_;
  std::map<std::string, Owner> series_;  ///< whose they are
  std::map<std::string, Topic, std::less<>> topics_;
  std::vector<Sample> samples_;
};

}  // namespace tidegate::drivers::mqtt::homeassistant
