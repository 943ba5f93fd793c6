// Setting a point of a device by the running gateway, against pymodbus.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/modbus/simulator.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using nlohmann::json;
using test::eventually;
using test::Finished;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Holding register 3000 is a set point, coil 3000 the contact that allows it.
std::string configuration(int port) {
  return fmt::format(R"(gateway: {{name: plant}}
storage: {{commit_every: 50ms}}
sources:
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
)",
                     port);
}

class Writing : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(simulator.ready());
    gateway.start();
    ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  }
  Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    return tidegate(std::move(arguments));
  }
  Finished write(const std::string& series, const std::string& value) const {
    return ask({"write", series, value, "--yes", "--why", "test", "--by", "anna"});
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

TEST_F(Writing, RefusesWhatThePointDoesNotTake) {
  EXPECT_EQ(write("boiler1/may_heat", "on").status, 0);
  ASSERT_TRUE(shows("boiler1/may_heat", 1));
  EXPECT_THAT(write("boiler1/setpoint", "80").output, HasSubstr("80 is not within 40 and 75"));
  EXPECT_THAT(write("boiler1/setpoint", "hot").output, HasSubstr("'hot' is no number"));
  EXPECT_THAT(write("boiler1/fixed", "1").output, HasSubstr("is no point that may be set"));
  EXPECT_THAT(ask({"write", "boiler1/setpoint", "50"}).output, HasSubstr("say --yes"));
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

}  // namespace
}  // namespace tidegate::e2e
