// Setting a point of a device by the running gateway, against pymodbus.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

#include "tests/drivers/modbus/simulator.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using nlohmann::json;
using test::eventually;
using test::Finished;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Holding register 3000 is a set point, coil 3000 the contact that allows it. What allows the pump is pushed.
std::string configuration(int port) {
  return fmt::format(R"(gateway: {{name: plant}}
storage: {{commit_every: 50ms}}
sources:
  - {{name: pushed, type: push, series: "{{device}}/{{measurement}}"}}
  - name: plc
    type: modbus
    tcp: "127.0.0.1:{}"
    devices:
      - name: boiler1
        unit: 1
        every: 200ms
        points:
          - {{name: setpoint, holding: 3000, scale: 0.1, unit: °C, writable: {{min: 40, max: 75, interlock: boiler1/may_heat}}}}
          - {{name: may_heat, coil: 3000, writable: {{}}}}
          - {{name: fixed, holding: 3006}}
          - {{name: pump, coil: 3001, writable: {{interlock: boiler1/allowed}}}}
          - {{name: vent, coil: 3002, writable: {{interlock: boiler1/level}}}}
)",
                     port);
}

class Writing : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(simulator.ready());
    gateway.start();
    ASSERT_TRUE(shows("boiler1/may_heat", 1));
  }
  Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    return tidegate(std::move(arguments));
  }
  Finished write(const std::string& series, const std::string& value) const {
    return ask({"write", series, value, "--yes", "--why", "test", "--by", "anna"});
  }
  /// `time`: in s, now where none is given.
  void push(const std::string& line, std::optional<std::int64_t> time = {}) const {
    int status = 0;
    EXPECT_TRUE(eventually([&] {  // a source that still starts says 503
      status = gateway.http()
                   .post("/api/v2/write?bucket=b&org=o&precision=s",
                         line + (time ? fmt::format(" {}", *time) : "") + "\n", {})
                   .status;
      return status != 503;
    }));
    ASSERT_EQ(status, 204);
  }
  bool shows(const std::string& series, double value) const {
    return eventually([&] {
      const json all = get_json(gateway, "/api/v1/series");
      for (const json& one : all["series"]) {
        if (one["name"] == series) return one["last"].is_array() && one["last"][1] == value;
      }
      return false;
    });
  }

  const int port = test::free_port();
  test::Simulator simulator{"tcp", std::to_string(port)};
  test::GatewayProcess gateway{kProgram, configuration(port)};
};

TEST_F(Writing, IsDoneWhileTheInterlockIsTrueAndKeptInTheAudit) {
  EXPECT_THAT(ask({"points"}).output, ContainsRegex("boiler1/setpoint +plc +40 to 75 °C +boiler1/may_heat"));
  EXPECT_EQ(write("boiler1/may_heat", "off").status, 0);
  ASSERT_TRUE(shows("boiler1/may_heat", 0));
  const Finished refused = write("boiler1/setpoint", "62.5");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("may not be set now: its interlock boiler1/may_heat says no"));

  EXPECT_EQ(write("boiler1/may_heat", "on").status, 0);
  ASSERT_TRUE(shows("boiler1/may_heat", 1));
  const Finished done = write("boiler1/setpoint", "62.5");
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("boiler1/setpoint is set to 62.5 and was read back"));
  EXPECT_TRUE(shows("boiler1/setpoint", 62.5));

  const Finished audit = ask({"audit", "--format", "csv"});
  EXPECT_THAT(audit.output, ContainsRegex("anna,write,boiler1/setpoint,to 62.5: test"));
  EXPECT_THAT(audit.output, ContainsRegex("anna,write,boiler1/setpoint,62.5 is set"));
}

TEST_F(Writing, AnInterlockSaysYesOrNoAndNothingElse) {
  EXPECT_THAT(write("boiler1/pump", "on").output, HasSubstr("its interlock boiler1/allowed has never had a value"));
  push("level,device=boiler1 value=21.5");
  ASSERT_TRUE(shows("boiler1/level", 21.5));
  EXPECT_THAT(write("boiler1/vent", "on").output, HasSubstr("is a number, and has to be a yes/no series"));
  push("allowed,device=boiler1 value=true");
  ASSERT_TRUE(shows("boiler1/allowed", 1));
  EXPECT_EQ(write("boiler1/pump", "on").status, 0);
}

/// A "no" that comes after a "yes" from ahead has the older time of the two.
TEST_F(Writing, AnInterlockWhoseClockIsAheadIsNone) {
  const std::int64_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  push("allowed,device=boiler1 value=true", now + 200);
  push("allowed,device=boiler1 value=false", now);
  ASSERT_TRUE(shows("boiler1/allowed", 1));
  const Finished refused = write("boiler1/pump", "on");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("came with a time ahead of the gateway's clock"));
}

TEST_F(Writing, RefusesWhatThePointDoesNotTake) {
  EXPECT_EQ(write("boiler1/may_heat", "on").status, 0);
  ASSERT_TRUE(shows("boiler1/may_heat", 1));
  EXPECT_THAT(write("boiler1/setpoint", "80").output, HasSubstr("80 is not within 40 and 75"));
  EXPECT_THAT(write("boiler1/setpoint", "hot").output, HasSubstr("'hot' is no number"));
  EXPECT_THAT(write("boiler1/fixed", "1").output, HasSubstr("is no point that may be set"));
  EXPECT_THAT(ask({"write", "boiler1/setpoint", "50"}).output, HasSubstr("say --yes"));
  const Finished audit = ask({"audit", "--format", "csv"});
  EXPECT_THAT(audit.output, ContainsRegex("anna,write,boiler1/fixed,to 1: test"));
  EXPECT_THAT(audit.output, ContainsRegex("anna,write,boiler1/fixed,.*is no point that may be set"));
}

TEST_F(Writing, OfADeviceThatIsGoneSaysSoAndIsNoSuccess) {
  EXPECT_EQ(write("boiler1/may_heat", "on").status, 0);
  ASSERT_TRUE(shows("boiler1/may_heat", 1));
  simulator.process().kill();
  const Finished gone = write("boiler1/may_heat", "off");
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.output, HasSubstr("boiler1/may_heat: not written: "));
  ASSERT_TRUE(eventually([&] {  // and then the contact's value is none that is known
    return write("boiler1/setpoint", "50").output.find("its interlock boiler1/may_heat is bad") != std::string::npos;
  }));
}

/// A device that hears its commands and never says anything: a write waits 30 s for it.
std::string silent_configuration(const std::string& url, const std::string& of_source, const std::string& of_gateway) {
  return fmt::format(R"(gateway: {{name: plant}}
sources:
  - name: field
    type: mqtt
    broker: {}
    {}
    subscriptions:
      - topic: plant/pump
        series: pump/{{field}}
        payload: {{fields: {{relay: {{pointer: /relay, kind: boolean, writable: {{topic: plant/pump/set, timeout: 30s}}}}}}}}
{})",
                     url, of_source, of_gateway);
}

class WritingToASilentDevice : public testing::Test {
 protected:
  void SetUp() override {
    gateway.start();
    ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
    begin();
  }
  /// Returns while it waits.
  void begin() {
    const auto commands = broker.subscribe("plant/pump/set");
    ASSERT_TRUE(eventually([&] {  // a source is up a moment before it can be written to
      if (!write || !write->running()) {
        write = std::make_unique<test::Process>(
            std::vector<std::string>{kProgram, "write", "pump/relay", "on", "--yes", "--data", gateway.data()});
      }
      return commands->output().find("plant/pump/set ON") != std::string::npos;
    }));
  }
  void reload(const std::string& of_source, const std::string& of_gateway) {
    gateway.reload(silent_configuration(broker.url(), of_source, of_gateway));
    EXPECT_TRUE(gateway.process().wait_for_output("the configuration was reloaded", kSoon));
  }

  static constexpr std::chrono::seconds kSoon{8};
  test::Broker broker;
  test::GatewayProcess gateway{kProgram, silent_configuration(broker.url(), "", "")};
  std::unique_ptr<test::Process> write;
};

TEST_F(WritingToASilentDevice, DelaysNoReloadOfSomethingElse) {
  reload("", "rules: [{name: hot, series: a, threshold: {above: 1}}]");
  EXPECT_TRUE(write->running());
}

TEST_F(WritingToASilentDevice, EndsWithItsSourceSoThatAReloadGoesOn) {
  reload("labels: {area: east}", "");
  EXPECT_EQ(write->wait(kSoon), 1);
  EXPECT_THAT(write->output(), HasSubstr("look at the point"));
}

TEST_F(WritingToASilentDevice, ByManyHoldsUpNothingElse) {
  std::vector<std::unique_ptr<test::Process>> others;
  for (int i = 0; i < 6; ++i) {
    others.push_back(std::make_unique<test::Process>(
        std::vector<std::string>{kProgram, "write", "pump/relay", "off", "--yes", "--data", gateway.data()}));
  }
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began < std::chrono::seconds(2)) {  // all six have come by then
    ASSERT_THAT(gateway.get("/api/v1/alerts/log"), HasSubstr("["));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, kSoon);
}

/// A command line that waits as long as for anything else would say after 15 s that nobody answers.
TEST_F(WritingToASilentDevice, IsWaitedForUntilItIsKnownWhatCameOfIt) {
  EXPECT_FALSE(write->wait(std::chrono::seconds(17)));
  broker.publish("plant/pump", R"({"relay": true})");
  EXPECT_EQ(write->wait(kSoon), 0);
  EXPECT_THAT(write->output(), HasSubstr("pump/relay is set to on and was read back"));
}

TEST_F(WritingToASilentDevice, EndsWithTheGateway) {
  EXPECT_EQ(gateway.process().terminate(kSoon), 0);
  EXPECT_EQ(write->wait(kSoon), 1);
}

}  // namespace
}  // namespace tidegate::e2e
