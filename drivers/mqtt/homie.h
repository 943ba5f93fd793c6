#pragma once

#include <map>
#include <memory>
#include <string>

#include "drivers/mqtt/options.h"
#include "drivers/mqtt/reader.h"

namespace tidegate::drivers::mqtt {

/// Homie 4: devices that describe their properties ($datatype, $unit) and their state in topics beside the values. A
/// value waits for its datatype.
class Homie final : public Reader {
 public:
  /// `base`: "homie". `sink` outlives it.
  Homie(const std::string& base, Sink& sink);
  ~Homie() override;

  std::vector<tidegate::mqtt::Subscription> subscriptions() const override;
  std::vector<tidegate::mqtt::Subscription> descriptions() const override;
  bool reads(std::string_view topic) const override { return topic.starts_with(base_); }
  std::optional<Ticket> take(const Received& message, Timestamp now) override;
  void find(Findings& findings) const override;

 private:
  struct Property;
  struct Device;

  Device* device_of(const std::string& name, const Received& message);
  Property* property_of(Device& device, const std::string& name, const Received& message);
  void take_state(Device& device, const Received& message, Timestamp now);
  void take_attribute(Property& property, std::string_view attribute, const Received& message, Timestamp now);
  void take_value(Device& device, Property& property, const Received& message, Timestamp now);

  const std::string base_;  ///< with its '/'
  Sink& sink_;
  std::map<std::string, std::unique_ptr<Device>, std::less<>> devices_;
  std::size_t properties_ = 0;
  std::vector<Sample> samples_;
};

}  // namespace tidegate::drivers::mqtt
