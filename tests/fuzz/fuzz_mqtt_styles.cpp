// Messages of the styles that are written in code: the first byte says which, then come messages: a byte for the topic,
// one for the payload's length (in fours), the payload. Sparkplug's payloads are protobuf, Home Assistant's hold
// templates, Zigbee2MQTT's bridge says what its devices' values are.

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "drivers/mqtt/profile.h"
#include "drivers/mqtt/readers.h"
#include "tests/fuzz/strict_sink.h"

namespace {

using namespace tidegate;
using namespace tidegate::drivers::mqtt;

/// Bounded as the readers promise.
class CountingOutbox final : public Outbox {
 public:
  void subscribe(tidegate::mqtt::Subscription subscription) override {
    fuzz::must(valid_series_name(subscription.filter) && ++asked < 2000);
  }
  void publish(tidegate::mqtt::Outgoing message) override { fuzz::must(!message.payload.empty() && ++asked < 2000); }
  std::size_t asked = 0;
};

constexpr std::array kSparkplug = {"spBv1.0/g/NBIRTH/n",   "spBv1.0/g/NDATA/n",   "spBv1.0/g/NDEATH/n",
                                   "spBv1.0/g/DBIRTH/n/d", "spBv1.0/g/DDATA/n/d", "spBv1.0/g/DDEATH/n/d",
                                   "spBv1.0/g/NDATA/m",    "spBv1.0/STATE/h"};
constexpr std::array kHomie = {"homie/d/$state", "homie/d/n/p/$datatype", "homie/d/n/p/$unit", "homie/d/n/p",
                               "homie/d/n/q",    "homie/d/n/q/$datatype", "homie/d/$homie",    "homie/d/n/$name"};
constexpr std::array kHomeAssistant = {"homeassistant/sensor/a/config",
                                       "homeassistant/binary_sensor/b/config",
                                       "homeassistant/device/c/config",
                                       "homeassistant/switch/n/d/config",
                                       "s",
                                       "a",
                                       "homeassistant/climate/e/config",
                                       "t"};

constexpr std::array kZigbee2Mqtt = {"zigbee2mqtt/bridge/devices",
                                     "zigbee2mqtt/d",
                                     "zigbee2mqtt/bridge/state",
                                     "zigbee2mqtt/d/availability",
                                     "zigbee2mqtt/room/d",
                                     "zigbee2mqtt/room/d/availability",
                                     "zigbee2mqtt/e",
                                     "zigbee2mqtt/d/set"};

std::string_view topic_of(const std::string& profile, unsigned choice) {
  if (profile == "sparkplug") return kSparkplug[choice % kSparkplug.size()];
  if (profile == "homie") return kHomie[choice % kHomie.size()];
  if (profile == "zigbee2mqtt") return kZigbee2Mqtt[choice % kZigbee2Mqtt.size()];
  return kHomeAssistant[choice % kHomeAssistant.size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  std::span<const std::uint8_t> rest(bytes, size);
  Options options;
  options.limits = {4096, 8, 64};
  const std::string profile = std::array{"sparkplug", "homie", "homeassistant", "zigbee2mqtt"}[rest[0] % 4];
  options.profiles = {profile};
  if (profile == "zigbee2mqtt") {
    static const auto kRules = profile_rules(profile, "");
    options.subscriptions = kRules;
    options.zigbee2mqtt = profile;
  }
  rest = rest.subspan(1);
  fuzz::StrictSink sink;
  CountingOutbox outbox;
  Readers readers(options, "fuzz", sink, outbox);
  Timestamp now{std::chrono::seconds(1'772'366'400)};
  for (int i = 0; i < 100 && rest.size() >= 2; ++i) {
    const unsigned choice = rest[0];
    const std::size_t length = std::min<std::size_t>(std::size_t{rest[1]} * 4, rest.size() - 2);
    const std::string_view payload(reinterpret_cast<const char*>(rest.data()) + 2, length);
    readers.take({topic_of(profile, choice), payload, (choice & 128u) != 0}, now);
    rest = rest.subspan(2 + length);
    now += std::chrono::seconds(1);
    if ((choice & 64u) != 0) readers.connected(now);
    bool offline = false;
    fuzz::must(!readers.findings(offline).empty());
  }
  return 0;
}
