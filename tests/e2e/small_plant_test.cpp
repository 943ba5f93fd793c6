// A small plant at once: Modbus units, an SNMP agent, an MQTT broker, a URL and a serial line, 5,000 points in all, and
// every value is looked at.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <thread>

#include "tests/drivers/modbus/simulator.h"
#include "tests/drivers/serial/pty.h"
#include "tests/drivers/snmp/snmpd.h"
#include "tests/e2e/fixture.h"
#include "tests/support/publisher.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;

// Holding registers of the simulator hold their own addresses, from here on.
constexpr int kRegister = 4000;
constexpr int kUnits = 3, kRegisters = 1000, kObjects = 180, kTopics = 1200, kFields = 600, kWords = 20;
static_assert(kUnits * kRegisters + kObjects + kTopics + kFields + kWords == 5000);

using Expected = std::map<std::string, double>;

std::string objects() {
  std::string lines;
  for (int i = 1; i <= kObjects; ++i) lines += fmt::format("override 1.3.6.1.4.1.99999.7.{}.0 integer {}\n", i, 7 * i);
  return lines;
}

/// A folder as a web server shows it.
class Folder {
 public:
  Folder() {
    json document;
    for (int i = 0; i < kFields; ++i) document[fmt::format("f{}", i)] = i + 0.25;
    std::ofstream(directory_.path() / "values.json") << document.dump();
    server_ = std::make_unique<test::Process>(std::vector<std::string>{"/usr/bin/python3", "-u", "-m", "http.server",
                                                                       std::to_string(port_), "--bind", "127.0.0.1",
                                                                       "--directory", directory_.path().string()});
    EXPECT_TRUE(server_->wait_for_output("Serving HTTP"));
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/values.json", port_); }

 private:
  test::TempDir directory_;
  const int port_ = test::free_port();
  std::unique_ptr<test::Process> server_;
};

class SmallPlant : public testing::Test {
 protected:
  std::string configuration() {
    std::string text = fmt::format(R"(gateway: {{name: plant}}
sources:
  - name: web
    type: http
    series: "{{source}}/{{field}}"
    requests: [{{name: web, url: "{}", every: 1s}}]
  - name: field
    type: mqtt
    broker: {}
    subscriptions: [{{topic: "field/{{device}}", payload: {{format: number}}}}]
  - name: scale
    type: serial
    port: "{}"
    format: key_value
  - name: agent
    type: snmp
    host: 127.0.0.1
    port: {}
    every: 1s
    points:
)",
                                   web.url(), broker.url(), (directory.path() / "tty").string(), agent.port());
    for (int i = 1; i <= kObjects; ++i) {
      text += fmt::format("      - {{name: o{}, oid: 1.3.6.1.4.1.99999.7.{}.0}}\n", i, i);
      expected[fmt::format("agent/o{}", i)] = 7 * i;
    }
    text += fmt::format("  - name: plc\n    type: modbus\n    tcp: '127.0.0.1:{}'\n    devices:\n", modbus_port);
    for (int unit = 1; unit <= kUnits; ++unit) {
      text += fmt::format("      - name: u{}\n        unit: {}\n        every: 1s\n        points:\n", unit, unit);
      for (int i = kRegister; i < kRegister + kRegisters; ++i) {
        text += fmt::format("          - {{name: r{}, holding: {}}}\n", i, i);
        expected[fmt::format("u{}/r{}", unit, i)] = i;
      }
    }
    for (int i = 0; i < kFields; ++i) expected[fmt::format("web/f{}", i)] = i + 0.25;
    for (int i = 0; i < kTopics; ++i) expected[fmt::format("d{}", i)] = i * 0.5;
    for (int i = 0; i < kWords; ++i) expected[fmt::format("scale/w{}", i)] = i - 10;
    return text;
  }

  std::string words() const {
    std::string line;
    for (int i = 0; i < kWords; ++i) line += fmt::format("{}w{}={}", i == 0 ? "" : ";", i, i - 10);
    return line + "\r\n";
  }

  /// Which are not there, or not good, or of another value; the first few.
  std::vector<std::string> wrong(const test::GatewayProcess& gateway) const {
    std::vector<std::string> found;
    Expected missing = expected;
    const json all = get_json(gateway, "/api/v1/series");
    for (const json& one : all["series"]) {
      const auto value = missing.find(one["name"].get<std::string>());
      if (value == missing.end()) continue;
      const json& last = one["last"];
      if (last.is_array() && last[1] == value->second && last[2] == "good") missing.erase(value);
    }
    for (const auto& [name, value] : missing) {
      if (found.size() < 5) found.push_back(name);
    }
    return found;
  }

  static bool source_named(const test::GatewayProcess& gateway, const std::string& name, const std::string& health) {
    const json state = get_json(gateway, "/api/v1/state");
    for (const json& source : state["sources"]) {
      if (source["name"] == name) return source["health"] == health;
    }
    return false;
  }

  test::TempDir directory;
  const int modbus_port = test::free_port();
  test::Simulator units{"tcp", std::to_string(modbus_port)};
  test::Snmpd agent{objects()};
  test::Broker broker;
  Folder web;
  test::PtyDevice scale{directory.path() / "tty"};
  Expected expected;
};

TEST_F(SmallPlant, HasEveryValueOfFiveThousandPoints) {
  ASSERT_TRUE(units.ready());
  const std::string text = configuration();
  ASSERT_EQ(expected.size(), 5000u);
  test::GatewayProcess gateway{kProgram, text};
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_named(gateway, "field", "up"); }));
  test::Publisher publisher(broker.port());
  for (int i = 0; i < kTopics; ++i) publisher.publish(fmt::format("field/d{}", i), fmt::format("{}", i * 0.5), 1);
  publisher.flush();
  std::vector<std::string> left;
  EXPECT_TRUE(eventually([&] {
    scale.say(words());
    std::this_thread::sleep_for(200ms);
    left = wrong(gateway);
    return left.empty();
  })) << fmt::format("{}", fmt::join(left, " "));
  const json state = get_json(gateway, "/api/v1/state");
  for (const json& source : state["sources"]) EXPECT_EQ(source["health"], "up") << source;

  // It goes on: a peer that dies takes its own points with it and no other's, and comes back.
  agent.kill();
  EXPECT_TRUE(eventually([&] {
    scale.say(words());
    const auto silent = wrong(gateway);
    return silent.size() == 5 && silent[0].starts_with("agent/");
  }));
  EXPECT_TRUE(source_named(gateway, "agent", "down"));
  EXPECT_TRUE(source_named(gateway, "plc", "up"));
  agent.start();
  EXPECT_TRUE(eventually(
      [&] {
        scale.say(words());
        std::this_thread::sleep_for(200ms);
        return wrong(gateway).empty();
      },
      90s));
}

}  // namespace
}  // namespace tidegate::e2e
