// A box without a battery: 1970 until the network has told it the time.

#include "gateway/core/clock.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using test::Broker;
using test::eventually;
using test::GatewayProcess;
using testing::HasSubstr;
using testing::Not;

/// What a preloaded program sees: a machine that has just started.
class Machine {
 public:
  Machine() { forget(); }
  /// It starts, and nobody has told it the time.
  void forget() {
    const Micros wall{GatewayClock::read_system(CLOCK_REALTIME)}, boot{GatewayClock::read_system(CLOCK_BOOTTIME)};
    write(5s - wall, 5s - boot);
  }
  /// The network tells it the time.
  void set() { write(Micros{0}, boot_); }
  std::map<std::string, std::string> environment() const {
    return {{"LD_PRELOAD", TIDEGATE_MACHINE_CLOCK}, {"TIDEGATE_MACHINE", file()}};
  }

 private:
  std::string file() const { return directory_ / "machine"; }
  /// In place: it is mapped.
  void write(Micros wall, Micros boot) {
    boot_ = boot;
    const std::int64_t nanoseconds[] = {wall.count() * 1000, boot.count() * 1000};
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    if (!out) out.open(file(), std::ios::out | std::ios::binary);
    out.write(reinterpret_cast<const char*>(nanoseconds), sizeof nanoseconds);
  }

  const test::TempDir directory_;
  Micros boot_{0};
};

TEST(Clock, OfABoxWithoutABatteryHarmsNoSampleAndDelaysNoAlert) {
  Machine machine;
  const Timestamp began{Micros{GatewayClock::read_system(CLOCK_REALTIME)}};
  Broker field, cloud;
  const auto upstream = cloud.subscribe("site/#");
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), cloud.url()), machine.environment());
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  EXPECT_EQ(gateway.metric("tidegate_clock_set"), 0);
  field.publish("plant/boiler/temperature", "20");
  field.publish("plant/boiler/temperature", "95");
  ASSERT_TRUE(upstream->wait_for_output("/alerts {")) << "an alert does not wait";
  gateway.kill();
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/boiler/temperature", "96");
  ASSERT_TRUE(eventually([&] { return gateway.metric("tidegate_journal_committed_samples_total") == 1; }));
  const std::vector<std::string> query = {"query",  "boiler/temperature",   "--data",   gateway.data(),
                                          "--from", "1970-01-01T00:00:00Z", "--format", "csv"};
  EXPECT_THAT(tidegate(query).output, HasSubstr("boiler/temperature,1970"));
  EXPECT_THAT(read_upstream(upstream->output()).values, testing::IsEmpty());

  machine.set();
  ASSERT_TRUE(eventually([&] { return read_upstream(upstream->output()).values.size() == 3; }));
  const Timestamp ended{Micros{GatewayClock::read_system(CLOCK_REALTIME)}};
  EXPECT_EQ(gateway.metric("tidegate_clock_set"), 1);
  EXPECT_EQ(gateway.metric("tidegate_clock_steps_total"), 1);
  Timestamp last = began;
  for (const auto& value : read_upstream(upstream->output()).values) {
    EXPECT_GE(value.time, last) << value.value;
    EXPECT_LE(value.time, ended) << value.value;
    last = value.time;
  }
  const std::string now = tidegate(query).output;
  EXPECT_THAT(now, Not(HasSubstr(",1970")));
  EXPECT_EQ(std::count(now.begin(), now.end(), '\n'), 4) << now;
  EXPECT_EQ(gateway.stop(), 0);
  const test::Finished check = tidegate({"store", "check", "--data", gateway.data()});
  EXPECT_EQ(check.status, 0) << check.output;
}

TEST(Clock, OfABoxWithoutABatteryMakesNoInterlockOfAnEarlierRunFresh) {
  Machine machine;
  Broker field;
  GatewayProcess gateway(kProgram,
                         fmt::format(R"(sources:
  - {{name: pushed, type: push, series: "{{device}}/{{measurement}}"}}
  - name: field
    type: mqtt
    broker: {}
    subscriptions:
      - topic: plant/pump
        series: pump/{{field}}
        payload: {{fields: {{relay: {{pointer: /relay, kind: boolean, writable: {{topic: plant/pump/set, interlock: pump/allowed, verify: false}}}}}}}}
)",
                                     field.url()),
                         machine.environment());
  const auto write = [&] { return tidegate({"write", "pump/relay", "on", "--yes", "--data", gateway.data()}); };
  const auto allow = [&] {
    return eventually([&] {
      return gateway.http().post("/api/v2/write?bucket=b&org=o", "allowed,device=pump value=true\n", {}).status == 204;
    });
  };
  machine.set();
  gateway.start();
  ASSERT_TRUE(allow());
  ASSERT_TRUE(eventually([&] { return write().status == 0; })) << write().output;
  ASSERT_EQ(gateway.stop(), 0);
  machine.forget();
  gateway.start();
  EXPECT_TRUE(eventually([&] {
    return write().output.find("its interlock pump/allowed is of an earlier run, and nobody knows how long") !=
           std::string::npos;
  })) << write().output;
  machine.set();
  ASSERT_TRUE(eventually([&] { return gateway.metric("tidegate_clock_set") == 1; }));
  ASSERT_TRUE(allow());
  EXPECT_TRUE(eventually([&] { return write().status == 0; })) << write().output;
}

}  // namespace
}  // namespace tidegate::e2e
