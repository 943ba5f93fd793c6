// Rules that set points of devices by the running gateway, against pymodbus.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>

#include "tests/drivers/modbus/simulator.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using nlohmann::json;
using test::eventually;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Levels are pushed. Of the unit's coils 3000 is on at first, and 3001 and 3002 are off.
std::string configuration(int port, const std::string& rules, const std::string& timeout = "200ms") {
  return fmt::format(R"(gateway: {{name: plant}}
storage: {{commit_every: 50ms}}
sources:
  - {{name: pushed, type: push, series: "{{tank}}/{{measurement}}"}}
  - name: plc
    type: modbus
    tcp: "127.0.0.1:{}"
    timeout: {}
    devices:
      - name: t1
        unit: 1
        every: 200ms
        points:
          - {{name: inlet_valve, coil: 3000, writable: {{}}}}
          - {{name: drain, coil: 3001, writable: {{interlock: t1/may_drain}}}}
          - {{name: may_drain, coil: 3002, writable: {{}}}}
rules:
{})",
                     port, timeout, rules);
}

constexpr const char* kOverflow = R"(
  - name: tank-overflow
    series: "{tank}/level"
    threshold: {above: 95, clear_below: 80}
    write: [{point: "{tank}/inlet_valve", raised: "off", cleared: "on", within: 1h}]
)";
constexpr const char* kDrain = R"(
  - name: drain
    series: "{tank}/level"
    threshold: {above: 98}
    write: [{point: "{tank}/drain", raised: "on", within: 1s}]
)";

class RuleWrites : public testing::Test {
 protected:
  void SetUp() override {
    plug_in();
    gateway.start();
    ASSERT_TRUE(shows("t1/inlet_valve", 1));
    ASSERT_TRUE(shows("t1/may_drain", 0));
  }
  void plug_in() {
    simulator = std::make_unique<test::Simulator>("tcp", std::to_string(port));
    ASSERT_TRUE(simulator->ready());
  }
  void push(const std::string& tank, int level) const {
    const std::string line = fmt::format("level,tank={} value={}\n", tank, level);
    int status = 0;
    EXPECT_TRUE(eventually([&] {  // a source that still starts says 503
      status = gateway.http().post("/api/v2/write?bucket=b&org=o", line, {}).status;
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
  std::string audit() const { return tidegate({"audit", "--format", "csv", "--data", gateway.data()}).output; }
  bool audit_says(const std::string& pattern) const {
    return eventually([&] { return testing::Value(audit(), ContainsRegex(pattern)); });
  }
  std::size_t times(const std::string& text) const {
    std::size_t count = 0;
    const std::string all = audit();
    for (std::size_t at = 0; (at = all.find(text, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  /// What is shown of them among the uplinks.
  bool points_are(const std::string& health, const std::string& text) const {
    return eventually([&] {
      const json all = get_json(gateway, "/api/v1/uplinks");
      for (const json& one : all["uplinks"]) {
        if (one["name"] == "points")
          return one["health"] == health && one["text"].get<std::string>().find(text) != std::string::npos;
      }
      return false;
    });
  }

  const int port = test::free_port();
  std::unique_ptr<test::Simulator> simulator;
  test::GatewayProcess gateway{kProgram, configuration(port, std::string(kOverflow) + kDrain)};
};

TEST_F(RuleWrites, SetACoilAndTakeItBack) {
  push("t1", 96);
  EXPECT_TRUE(shows("t1/inlet_valve", 0));
  EXPECT_TRUE(audit_says("rule tank-overflow,write,t1/inlet_valve,to off: tank-overflow:t1 raised"));
  EXPECT_TRUE(audit_says("rule tank-overflow,write,t1/inlet_valve,off is set"));
  EXPECT_THAT(gateway.get("/api/v1/alerts/log"), HasSubstr(R"("write":[{"point":"t1/inlet_valve","value":"off"}])"));
  push("t1", 70);
  EXPECT_TRUE(shows("t1/inlet_valve", 1));
  EXPECT_TRUE(audit_says("rule tank-overflow,write,t1/inlet_valve,on is set"));
  EXPECT_TRUE(points_are("up", "nothing is left to be set"));
}

TEST_F(RuleWrites, HaveToWaitForTheInterlockAsPeopleDo) {
  push("t1", 99);
  ASSERT_TRUE(
      audit_says("rule drain,write,t1/drain,.*not set, and given up: this was to be done within 1 s; t1/drain "
                 "may not be set now: its interlock t1/may_drain"));
  EXPECT_TRUE(shows("t1/drain", 0));
  EXPECT_THAT(gateway.get("/api/v1/dead-letters"), HasSubstr("uplink/points"));
  EXPECT_EQ(gateway.metric("tidegate_uplink_given_up_total{uplink=\"points\"}"), 1);
  EXPECT_TRUE(shows("t1/inlet_valve", 0)) << "each by itself";
}

/// Its interlock is true only once the reason is gone. t2 has no valve, so that what is wanted of it is given up at
/// once: whatever was to be set before it has been, then.
TEST_F(RuleWrites, AreNotDoneOnceTheirAlertIsOver) {
  gateway.reload(configuration(port, fmt::format(R"({}
  - name: drain
    series: "{{tank}}/level"
    threshold: {{above: 98}}
    write: [{{point: "{{tank}}/drain", raised: "on", within: 1h}}]
)",
                                                 kOverflow)));
  push("t1", 99);
  ASSERT_TRUE(points_are("down", "its interlock t1/may_drain says no"));
  push("t1", 70);
  ASSERT_TRUE(audit_says("rule drain,write,t1/drain,not set: drain:t1 cleared meanwhile"));
  ASSERT_EQ(tidegate({"write", "t1/may_drain", "on", "--yes", "--data", gateway.data()}).status, 0);
  ASSERT_TRUE(shows("t1/may_drain", 1));
  push("t2", 96);
  ASSERT_TRUE(audit_says("t2/inlet_valve,.*not set, and given up"));
  EXPECT_EQ(times("t1/drain,on is set"), 0u);
  EXPECT_TRUE(shows("t1/drain", 0));
}

/// Level 96 of two hours ago calls people, and no more.
TEST_F(RuleWrites, OfAnOldReadingAreNone) {
  const std::int64_t ago = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) - 7200;
  ASSERT_TRUE(eventually([&] {  // a source that still starts says 503
    return gateway.http()
               .post("/api/v2/write?bucket=b&org=o&precision=s", fmt::format("level,tank=t1 value=96 {}\n", ago), {})
               .status == 204;
  }));
  ASSERT_TRUE(
      eventually([&] { return gateway.get("/api/v1/alerts/log").find("tank-overflow:t1") != std::string::npos; }));
  push("t2", 96);
  ASSERT_TRUE(audit_says("t2/inlet_valve,.*not set, and given up"));
  EXPECT_EQ(times("t1/inlet_valve,to off"), 0u);
  EXPECT_TRUE(shows("t1/inlet_valve", 1));
}

TEST_F(RuleWrites, OfADeviceThatIsAwayAreDoneWhenItIsBackThoughTheGatewayWasKilled) {
  simulator->process().kill();
  push("t1", 96);
  ASSERT_TRUE(points_are("down", "t1/inlet_valve: not written"));
  gateway.kill();
  plug_in();
  gateway.start();
  EXPECT_TRUE(shows("t1/inlet_valve", 0));
  push("t1", 70);
  EXPECT_TRUE(shows("t1/inlet_valve", 1));
  EXPECT_TRUE(audit_says("t1/inlet_valve,on is set"));
  gateway.kill();
  gateway.start();
  EXPECT_TRUE(shows("t1/inlet_valve", 1));
}

/// t2 has no valve, so that what is wanted of it is given up at once: whatever was to be set before it has been, then.
TEST_F(RuleWrites, AreDoneOnceOverARestart) {
  push("t1", 96);
  ASSERT_TRUE(audit_says("t1/inlet_valve,off is set"));
  ASSERT_EQ(gateway.stop(), 0);
  gateway.start();
  push("t2", 96);
  ASSERT_TRUE(audit_says("t2/inlet_valve,.*not set, and given up: 't2/inlet_valve' is no point that may be set"));
  EXPECT_EQ(times("t1/inlet_valve,to off"), 1u);
}

/// The drain waits for its interlock, and the cursor for the drain.
TEST_F(RuleWrites, AreDoneOnceOverARestartThoughAnotherPointWaits) {
  gateway.reload(configuration(port, R"(
  - name: full
    series: "{tank}/level"
    threshold: {above: 98}
    write:
      - {point: "{tank}/inlet_valve", raised: "off", within: 1h}
      - {point: "{tank}/drain", raised: "on", within: 1h}
)"));
  ASSERT_TRUE(gateway.process().wait_for_output("the configuration was reloaded"));
  push("t1", 99);
  ASSERT_TRUE(audit_says("t1/inlet_valve,off is set"));
  ASSERT_TRUE(points_are("down", "its interlock t1/may_drain says no"));
  ASSERT_EQ(tidegate({"write", "t1/inlet_valve", "on", "--yes", "--data", gateway.data()}).status, 0);
  ASSERT_EQ(gateway.stop(), 0);
  gateway.start();
  ASSERT_TRUE(points_are("down", "its interlock t1/may_drain says no"));
  push("t2", 99);
  ASSERT_TRUE(audit_says("t2/inlet_valve,.*not set, and given up"));
  EXPECT_EQ(times("t1/inlet_valve,off is set"), 1u);
  EXPECT_TRUE(shows("t1/inlet_valve", 1)) << "somebody has set it since";
}

TEST_F(RuleWrites, OfARuleThatIsRemovedAreTakenBack) {
  push("t1", 96);
  ASSERT_TRUE(shows("t1/inlet_valve", 0));
  gateway.reload(configuration(port, kDrain));
  EXPECT_TRUE(shows("t1/inlet_valve", 1));
  EXPECT_TRUE(audit_says("to on: tank-overflow:t1 rule removed"));
}

TEST_F(RuleWrites, OfADeviceThatHangsHoldNobodyUp) {
  simulator->process().signal(SIGSTOP);
  push("t1", 96);
  ASSERT_TRUE(points_are("down", "t1/inlet_valve: not written"));
  gateway.reload(configuration(port, kOverflow, "300ms"));  // the source is another one, too
  ASSERT_TRUE(gateway.process().wait_for_output("the configuration was reloaded"));
  push("t2", 96);
  EXPECT_TRUE(audit_says("t2/inlet_valve,.*not set, and given up"));
  simulator->process().signal(SIGCONT);
  EXPECT_TRUE(shows("t1/inlet_valve", 0));
}

}  // namespace
}  // namespace tidegate::e2e
