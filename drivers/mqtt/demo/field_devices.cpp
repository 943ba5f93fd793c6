// Devices as one finds them in the field, for the demo: they publish over a real broker, each in its own manner, until
// SIGTERM. Values are slow and plausible; the kitchen's sensor loses its radio for a while every few minutes.

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <random>
#include <string>

#include "gateway/mqtt/connection.h"

namespace {

using namespace std::chrono_literals;
using tidegate::mqtt::Connection;
using tidegate::mqtt::Outgoing;

class Field {
 public:
  /// What is published in second `t`, in the payload styles of Zigbee2MQTT, Tasmota, Shelly (second generation), a
  /// plain meter and a plain state.
  template <class Publish>
  void second(int t, const Publish& publish) {
    if (t % 5 == 0 && t % 300 < 240)
      publish("zigbee2mqtt/kitchen", climate(21 + wave(t, 600, 1.2), 45 + wave(t, 900, 6)));
    if (t % 5 == 2) publish("zigbee2mqtt/freezer", climate(freezer(t), 60 + wave(t, 700, 3)));
    if (t % 10 == 0) publish("tele/heatpump/SENSOR", tasmota(t));
    if (t % 2 == 0) publish("workshop-plug/status/switch:0", shelly(t));
    publish("site/meter/power", fmt::format("{:.0f}", 2400 + wave(t, 120, 600) + noise(20)));
    if (t % 20 == 0) publish("site/gate/state", t % 120 < 40 ? "open" : "closed");
  }

 private:
  double noise(double size) { return std::normal_distribution<double>(0, size)(random_); }
  static double wave(int t, double period, double size) { return size * std::sin(2 * std::numbers::pi * t / period); }

  /// Defrosts for a minute every seven: warm enough, long enough for an alert.
  static double freezer(int t) { return -19 + wave(t, 180, 0.6) + (t % 420 > 330 && t % 420 < 400 ? 6 : 0); }

  std::string climate(double temperature, double humidity) {
    return fmt::format(
        R"({{"battery":87,"humidity":{:.1f},"linkquality":{},"temperature":{:.2f},"update":{{"state":"idle"}},"voltage":2975}})",
        humidity + noise(0.3), 90 + random_() % 40, temperature + noise(0.05));
  }
  std::string tasmota(int t) {
    energy_ += 0.002;
    return fmt::format(
        R"({{"Time":"2024-05-01T12:00:00","DS18B20":{{"Id":"01193A","Temperature":{:.1f}}},"ENERGY":{{"Total":{:.3f},"Power":{:.0f},"Voltage":231}},"TempUnit":"C"}})",
        41 + wave(t, 400, 4) + noise(0.1), energy_, 1150 + wave(t, 400, 300) + noise(10));
  }
  std::string shelly(int t) {
    const bool on = t % 90 < 60;
    return fmt::format(
        R"({{"id":0,"source":"{}","output":{},"apower":{:.1f},"voltage":230.{},"current":{:.3f},"aenergy":{{"total":{:.3f}}},"temperature":{{"tC":{:.1f},"tF":{:.1f}}}}})",
        on ? "timer" : "init", on, on ? 640 + noise(8) : 0.0, random_() % 10, on ? 2.8 : 0.0, 1520 + energy_,
        38 + wave(t, 300, 3), 100.4 + wave(t, 300, 5.4));
  }

  std::mt19937 random_{7};
  double energy_ = 4711;
};

}  // namespace

int main() {
  const char* broker = std::getenv("TIDEGATE_DEMO_BROKER");
  const auto address = tidegate::mqtt::Address::parse(broker == nullptr ? "mqtt://127.0.0.1:1883" : broker);
  if (!address) {
    fmt::print(stderr, "TIDEGATE_DEMO_BROKER: {}\n", address.error().text);
    return 64;
  }
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before the connection's thread, so that only this one sees them

  tidegate::mqtt::ConnectionOptions options;
  options.broker = *address;
  options.client_id = "field-devices";
  Connection connection(options, {}, {});
  connection.start();
  Field field;
  for (int t = 0;; ++t) {
    if (connection.wait_connected(0s, {})) {
      // A device that cannot reach its broker loses the reading; so do these.
      field.second(t, [&](std::string topic, std::string payload) {
        static_cast<void>(connection.publish(Outgoing{std::move(topic), std::move(payload), 0, false}, {}));
      });
      static_cast<void>(connection.flush(5s, {}));
    }
    const timespec second{1, 0};
    if (sigtimedwait(&signals, nullptr, &second) > 0) return 0;
  }
}
