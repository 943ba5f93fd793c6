// The driver against pymodbus on a serial line, which is a pair of pseudo-terminals, and over a serial server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/modbus/peer.h"
#include "tests/support/held.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers::modbus {
namespace {

using namespace std::chrono_literals;
using test::Running;
using test::SerialLine;
using test::Simulator;

class ModbusRtu : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(line_.plugged());
    start_units();
  }
  void start_units() {
    units_ = std::make_unique<Simulator>("serial", line_.end(2));
    ASSERT_TRUE(units_->ready()) << units_->process().output();
  }
  std::string source(const std::string& devices) const {
    return "{name: line, type: modbus, serial: {port: " + line_.end(1) + "}, every: 100ms, timeout: 1s, devices: [" +
           devices + "]}";
  }
  static std::string unit(int number) {
    return fmt::format(
        "{{name: u{}, unit: {}, points: [{{name: x, holding: 7}}, {{name: f, input: 114, type: float32}}]}}", number,
        number);
  }
  /// The longest between two samples that are good.
  static Micros longest_gap(const std::vector<Sample>& samples) {
    Micros longest{0};
    Timestamp last = samples.front().time;
    for (const Sample& sample : samples) {
      if (sample.quality != Quality::good) continue;
      longest = std::max(longest, sample.time - last);
      last = sample.time;
    }
    return longest;
  }

  test::TempDir folder_;
  SerialLine line_{folder_.path().string()};
  std::unique_ptr<Simulator> units_;
};

TEST_F(ModbusRtu, SeveralUnitsShareALine) {
  Running line(source(unit(1) + "," + unit(2) + "," + unit(3)));
  ASSERT_TRUE(line.sink().wait_for_samples("u3/x", 5)) << line.why();
  for (const char* name : {"u1", "u2", "u3"}) {
    EXPECT_EQ(line.sink().last(std::string(name) + "/x")->value, 7);
    EXPECT_FLOAT_EQ(static_cast<float>(line.sink().last(std::string(name) + "/f")->value), -123.456F);
  }
  EXPECT_TRUE(line.says(SourceHealth::up, "3 devices, 6 points")) << line.last_words();
}

TEST_F(ModbusRtu, AWrongChecksumIsAskedForOnceMore) {
  Running line(source(unit(11)));
  ASSERT_TRUE(line.sink().wait_for_samples("u11/x", 8)) << line.why();
  for (const Sample& sample : line.sink().samples("u11/x")) EXPECT_EQ(sample.quality, Quality::good);
}

TEST_F(ModbusRtu, ShortFramesNoiseAndMissingUnitsDoNotHarmTheOthers) {
  Running line(source(unit(1) + "," + unit(12) + "," + unit(13) + "," + unit(77)));
  ASSERT_TRUE(line.sink().wait_for_samples("u1/x", 40)) << line.why();
  EXPECT_EQ(line.sink().last("u12/x")->reason, Reason::no_answer);
  EXPECT_EQ(line.sink().last("u13/x")->reason, Reason::no_answer);
  EXPECT_EQ(line.sink().last("u77/x")->reason, Reason::no_answer);
  for (const Sample& sample : line.sink().samples("u1/x")) EXPECT_EQ(sample.quality, Quality::good);
  // At worst all three are tried in one turn, each for a time-out of 1 s.
  EXPECT_LT(longest_gap(line.sink().samples("u1/x")), 5s);
  EXPECT_TRUE(line.says(SourceHealth::degraded, "1 of 4 answer")) << line.last_words();
  EXPECT_THAT(
      line.last_words(),
      testing::HasSubstr(
          "u12: unit 12 did not answer within 1 s; is it on, and are its number, baud, parity and wiring right?"));
}

TEST_F(ModbusRtu, APortThatIsUnpluggedIsOpenedAgainWithinFiveSeconds) {
  Running line(source(unit(1) + "," + unit(2)));
  ASSERT_TRUE(line.says(SourceHealth::up, "2 devices")) << line.last_words();
  long before = 0;
  for (int round = 0; round < 4; ++round) {
    units_.reset();
    line_.unplug();
    ASSERT_TRUE(line.says(SourceHealth::down, "0 of 2 answer")) << line.last_words();
    std::this_thread::sleep_for(round == 2 ? 8s : 500ms);  // long enough for a rest to have grown
    line_.plug_in();
    ASSERT_TRUE(line_.plugged());
    start_units();
    const auto plugged = std::chrono::steady_clock::now();
    ASSERT_TRUE(line.says(SourceHealth::up, "2 devices", 10s)) << line.last_words();
    EXPECT_LT(std::chrono::steady_clock::now() - plugged, 5s) << "in round " << round;
    if (round == 0) before = test::held_by().descriptors;
  }
  EXPECT_EQ(test::held_by().descriptors, before) << "a descriptor was left open";
}

TEST_F(ModbusRtu, SaysWhatIsWrongWithAPort) {
  Running missing("{name: l, type: modbus, serial: {port: /dev/serial/by-id/none}, devices: [" + unit(1) + "]}");
  EXPECT_TRUE(missing.says(SourceHealth::down,
                           "cannot open /dev/serial/by-id/none: No such file or directory; is it plugged in?"))
      << missing.last_words();
  Running first(source(unit(1)));
  ASSERT_TRUE(first.says(SourceHealth::up, "1 device")) << first.last_words();
  Running second(source(unit(2)));
  EXPECT_TRUE(second.says(SourceHealth::down, "is in use by another program or source")) << second.last_words();
  EXPECT_TRUE(first.says(SourceHealth::up, "1 device"));
}

TEST(ModbusRtuOverTcp, IsReadAsALineIs) {
  const int port = test::free_port();
  Simulator server("rtu-over-tcp", std::to_string(port));
  ASSERT_TRUE(server.ready()) << server.process().output();
  Running line(
      fmt::format("{{name: l, type: modbus, rtu_over_tcp: '127.0.0.1:{}', every: 100ms, timeout: 300ms, devices: ["
                  "{{name: a, unit: 1, points: [{{name: x, holding: 7}}, {{name: c, coil: 3}}]}}, "
                  "{{name: b, unit: 11, points: [{{name: x, holding: 7}}]}}, "
                  "{{name: gone, unit: 77, points: [{{name: x, holding: 7}}]}}]}}",
                  port));
  ASSERT_TRUE(line.sink().wait_for_samples("b/x", 10)) << line.why();
  EXPECT_EQ(line.sink().last("a/x")->value, 7);
  EXPECT_EQ(line.sink().last("a/c")->value, 1);
  EXPECT_EQ(line.sink().last("b/x")->value, 7) << "every second answer has a wrong checksum";
  EXPECT_EQ(line.sink().last("gone/x")->reason, Reason::no_answer);
  EXPECT_TRUE(line.says(SourceHealth::degraded, "2 of 3 answer; gone: unit 77 did not answer")) << line.last_words();
}

}  // namespace
}  // namespace tidegate::drivers::modbus
