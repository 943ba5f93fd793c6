// The driver against pymodbus over TCP.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "drivers/modbus/modbus.h"
#include "tests/drivers/modbus/peer.h"
#include "tests/support/held.h"

namespace tidegate::drivers::modbus {
namespace {

using namespace std::chrono_literals;
using test::Running;
using test::Simulator;

class ModbusTcp : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    port_ = test::free_port();
    simulator_ = std::make_unique<Simulator>("tcp", std::to_string(port_));
    ASSERT_TRUE(simulator_->ready()) << simulator_->process().output();
  }
  static void TearDownTestSuite() { simulator_.reset(); }

  static std::string source(const std::string& devices, const std::string& more = "") {
    return fmt::format(
        "{{name: plant, type: modbus, tcp: '127.0.0.1:{}', every: 100ms, timeout: 300ms, {} devices: [{}]}}", port_,
        more, devices);
  }

  static inline int port_ = 0;
  static inline std::unique_ptr<Simulator> simulator_;
};

struct Expected {
  const char* name;
  int offset;
  const char* type;
  double value;
};
constexpr Expected kValues[] = {{"i16", 0, "int16", -1234},          {"u16", 1, "uint16", 54321},
                                {"i32", 2, "int32", -123456789},     {"u32", 4, "uint32", 3123456789},
                                {"i64", 6, "int64", -1234567890123}, {"u64", 10, "uint64", 9007199254740991},
                                {"f32", 14, "float32", -123.456},    {"f64", 16, "float64", 1234.56789012345},
                                {"b16", 20, "bcd16", 9876},          {"b32", 21, "bcd32", 12345678},
                                {"power", 35, "int16", 255}};

TEST_F(ModbusTcp, ReadsEveryTypeInEveryOrderFromBothTablesOfRegisters) {
  std::string points;
  const char* orders[] = {"abcd", "badc", "cdab", "dcba"};
  for (int o = 0; o < 4; ++o) {
    for (const char* table : {"holding", "input"}) {
      const auto point = [&](const std::string& name, int offset, const std::string& rest) {
        points += fmt::format("{{name: {}/{}/{}, {}: {}, order: {}, {}}}, ", orders[o], table, name, table,
                              100 * (o + 1) + offset, orders[o], rest);
      };
      for (const Expected& value : kValues) {
        const int power = 100 * (o + 1) + 36;
        const bool with_power = std::string(value.name) == "power";
        point(value.name, value.offset,
              fmt::format("type: {}{}", value.type, with_power ? fmt::format(", exponent: {}", power) : ""));
      }
      point("text", 23, "type: string, length: 8");
      point("bit0", 31, "bit: 0");
      point("bit2", 31, "bit: 2");
      point("field", 31, "bits: 4-11");
      point("nan", 32, "type: float32");
      point("no_bcd", 34, "type: bcd16");
    }
  }
  Running plant(source("{name: d, unit: 1, points: [" + points + "]}"));
  ASSERT_EQ(plant.why(), "");
  ASSERT_TRUE(plant.sink().wait_for_samples("d/dcba/input/no_bcd", 2));
  for (const char* order : orders) {
    for (const char* table : {"holding", "input"}) {
      const std::string at = fmt::format("d/{}/{}/", order, table);
      for (const Expected& value : kValues) {
        const auto sample = plant.sink().last(at + value.name);
        ASSERT_TRUE(sample) << at << value.name;
        EXPECT_EQ(sample->quality, Quality::good) << at << value.name;
        EXPECT_NEAR(sample->value, value.value, std::abs(value.value) * 1e-7) << at << value.name;
      }
      EXPECT_EQ(plant.sink().last_label(at + "text"), "Tide gate ü") << at;
      EXPECT_EQ(plant.sink().last(at + "bit0")->value, 1) << at;
      EXPECT_EQ(plant.sink().last(at + "bit2")->value, 0) << at;
      EXPECT_EQ(plant.sink().info(at + "bit0")->kind, SeriesKind::boolean);
      EXPECT_EQ(plant.sink().last(at + "field")->value, 0x5c) << at;
      EXPECT_EQ(plant.sink().last(at + "nan")->reason, Reason::not_a_number) << at;
      EXPECT_EQ(plant.sink().last(at + "no_bcd")->reason, Reason::not_a_number) << at;
    }
  }
}

TEST_F(ModbusTcp, ReadsCoilsAndDiscreteInputs) {
  Running plant(
      source("{name: d, unit: 2, points: [{name: c0, coil: 0}, {name: c1, coil: 1}, {name: c999, coil: 999},"
             "{name: d3, discrete: 3}, {name: door, discrete: 4, enum: {0: shut, 1: open}}]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/door", 2)) << plant.why();
  EXPECT_EQ(plant.sink().last("d/c0")->value, 1);
  EXPECT_EQ(plant.sink().last("d/c1")->value, 0);
  EXPECT_EQ(plant.sink().last("d/c999")->value, 1);
  EXPECT_EQ(plant.sink().last("d/d3")->value, 1);
  EXPECT_EQ(plant.sink().last_label("d/door"), "shut");
  EXPECT_TRUE(plant.says(SourceHealth::up, "Modbus TCP at 127.0.0.1:"));
}

TEST_F(ModbusTcp, ScalesNamesAndHearsTheDevicesOwnFaults) {
  Running plant(
      source("{name: d, unit: 1, points: ["
             "{name: warm, holding: 2550, scale: 0.1, offset: -20, unit: °C, kind: counter},"
             "{name: broken, holding: 2551, faults: {2551: sensor broken}},"
             "{name: mode, holding: 2552, enum: {2552: automatic}}]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/mode", 2)) << plant.why();
  EXPECT_DOUBLE_EQ(plant.sink().last("d/warm")->value, 235);
  EXPECT_EQ(plant.sink().info("d/warm")->unit, "°C");
  EXPECT_EQ(plant.sink().info("d/warm")->kind, SeriesKind::counter);
  EXPECT_EQ(plant.sink().last("d/broken")->reason, Reason::device_fault);
  EXPECT_EQ(plant.sink().last_label("d/mode"), "automatic");
  EXPECT_TRUE(plant.says(SourceHealth::degraded, "d/broken: sensor broken")) << plant.last_words();
}

TEST_F(ModbusTcp, ABusyUnitIsAskedAgainWithinTheTimeOut) {
  Running plant(source("{name: d, unit: 1, max_gap: 0, points: [{name: x, holding: 1100}, {name: z, holding: 1102}]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/z", 3)) << plant.why();
  for (const Sample& sample : plant.sink().samples("d/x")) EXPECT_EQ(sample.value, 1100);
  for (const Sample& sample : plant.sink().samples("d/z")) EXPECT_EQ(sample.quality, Quality::good);
}

TEST_F(ModbusTcp, AWrongAddressBlindsNoNeighbour) {
  std::string points;
  for (int at = 2000; at < 2020; ++at) points += fmt::format("{{name: r{}, holding: {}}}, ", at, at);
  Running plant(source("{name: d, unit: 1, points: [" + points + "]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/r2019", 3)) << plant.why();
  for (int at = 2000; at < 2020; ++at) {
    const bool hole = at == 2005 || at == 2013;
    EXPECT_EQ(plant.sink().last(fmt::format("d/r{}", at))->quality, hole ? Quality::bad : Quality::good) << at;
    EXPECT_EQ(plant.sink().last(fmt::format("d/r{}", at))->value, hole ? 0 : at);
  }
  EXPECT_TRUE(plant.says(SourceHealth::degraded, "holding 2005: no such address")) << plant.last_words();
  EXPECT_TRUE(plant.says(SourceHealth::degraded, "holding 2013: no such address")) << plant.last_words();
}

TEST_F(ModbusTcp, ARegisterReadAlongThatDoesNotExistIsNoTrouble) {
  Running plant(source("{name: d, unit: 1, points: [{name: a, holding: 2004}, {name: b, holding: 2006}]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/b", 2)) << plant.why();
  EXPECT_EQ(plant.sink().last("d/a")->value, 2004);
  EXPECT_EQ(plant.sink().last("d/b")->value, 2006);
  EXPECT_TRUE(plant.says(SourceHealth::up, "2 points")) << plant.last_words();
}

TEST_F(ModbusTcp, ADeviceThatGivesLessAtOnceThanItsProfileSaysIsReadInSmallerPieces) {
  std::string points;
  for (int at = 2100; at < 2130; ++at) points += fmt::format("{{name: r{}, holding: {}}}, ", at, at);
  Running plant(source("{name: d, unit: 1, points: [" + points + "]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/r2129", 2)) << plant.why();
  EXPECT_TRUE(plant.says(SourceHealth::up, "30 points")) << plant.last_words();
}

TEST_F(ModbusTcp, AMissingUnitCostsTheOthersOneTimeOutAndIsLeftAlone) {
  Running plant(
      source("{name: well, unit: 1, points: [{name: x, holding: 7}]},"
             "{name: gone, unit: 77, points: [{name: x, holding: 7}]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("well/x", 30)) << plant.why();
  EXPECT_EQ(plant.sink().last("gone/x")->reason, Reason::no_answer);
  const auto samples = plant.sink().samples("well/x");
  int late = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const Micros between = samples[i].time - samples[i - 1].time;
    EXPECT_LT(between, 650ms);  // the time-out of 300 ms, and the turns that it covers
    late += between > 250ms ? 1 : 0;
  }
  EXPECT_LE(late, 4) << "in about three seconds it is tried at 0, 1 and 3 s";
  EXPECT_TRUE(plant.says(SourceHealth::degraded, "1 of 2 answer; gone: unit 77 did not answer within 300 ms"))
      << plant.last_words();
}

TEST_F(ModbusTcp, GroupsAreReadAtTheirOwnIntervals) {
  Running plant(
      source("{name: d, unit: 1, points: [{name: often, holding: 1}, {name: seldom, holding: 2, every: 1h}]}"));
  ASSERT_TRUE(plant.sink().wait_for_samples("d/often", 10)) << plant.why();
  EXPECT_EQ(plant.sink().samples("d/seldom").size(), 1u);
  EXPECT_EQ(plant.sink().info("d/seldom")->expected_interval, Micros{1h});
}

TEST(ModbusTcpAway, ComesBackWhenTheDeviceDoes) {
  const int port = test::free_port();
  Running plant(
      fmt::format("{{name: p, type: modbus, tcp: '127.0.0.1:{}', every: 100ms, timeout: 300ms, devices: "
                  "[{{name: d, unit: 1, points: [{{name: x, holding: 7}}]}}, "
                  "{{name: e, unit: 2, points: [{{name: x, holding: 7}}]}}]}}",
                  port));
  ASSERT_TRUE(
      plant.says(SourceHealth::down, fmt::format("0 of 2 answer; d, e: cannot connect to 127.0.0.1:{}: Connection "
                                                 "refused; is Modbus switched on there, at this port?",
                                                 port)))
      << plant.last_words();
  long before = 0;
  for (int round = 0; round < 3; ++round) {
    {
      Simulator simulator("tcp", std::to_string(port));
      ASSERT_TRUE(simulator.ready());
      ASSERT_TRUE(plant.says(SourceHealth::up, "2 devices", 5s)) << plant.last_words();
    }
    ASSERT_TRUE(plant.says(SourceHealth::down, "d, e: ")) << plant.last_words();
    if (round == 0) before = test::held_by().descriptors;
  }
  EXPECT_EQ(test::held_by().descriptors, before) << "a descriptor was left open";
}

}  // namespace
}  // namespace tidegate::drivers::modbus
