// Writing, against pymodbus.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/modbus/device.h"
#include "gateway/core/text.h"
#include "tests/drivers/modbus/peer.h"
#include "tests/fakes/permission.h"

namespace tidegate::drivers::modbus {
namespace {

using test::Simulator;
using testing::HasSubstr;

class ModbusWriting : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    port_ = test::free_port();
    simulator_ = std::make_unique<Simulator>("tcp", std::to_string(port_));
    ASSERT_TRUE(simulator_->ready());
  }
  static void TearDownTestSuite() { simulator_.reset(); }

  void SetUp() override {
    config::Problems problems;
    const config::Node section = test::source_section(
        fmt::format(
            "{{name: s, type: modbus, tcp: '127.0.0.1:{}', devices: [{{name: d, unit: 1, points: ["
            "{{name: word, holding: 3000, writable: {{min: 0, max: 60000}}}}, "
            "{{name: degrees, holding: 3001, type: int16, scale: 0.1, offset: -10, writable: {{min: -40, max: 80}}}}, "
            "{{name: float, holding: 3002, type: float32, order: cdab, writable: {{min: -1e9, max: 1e9}}}}, "
            "{{name: mode, holding: 3004, enum: {{0: stop, 3: run}}, writable: {{}}}}, "
            "{{name: many, holding: 3005, writable: {{min: 0, max: 9, function: multiple}}}}, "
            "{{name: tens, holding: 3007, scale: 10, unit: °C, writable: {{min: 40, max: 80}}}}, "
            "{{name: whole, holding: 3008, writable: {{min: 0, max: 80}}}}, "
            "{{name: big, holding: 3010, type: uint32, writable: {{min: 0, max: 4.2e9}}}}, "
            "{{name: coil, coil: 3000, writable: {{}}}}, "
            "{{name: coils, coil: 3001, writable: {{function: multiple}}}}, "
            "{{name: stubborn, holding: 3050, writable: {{min: 0, max: 9}}}}, "
            "{{name: command, holding: 3050, writable: {{min: 0, max: 9, verify: false}}}}, "
            "{{name: missing, holding: 20000, writable: {{min: 0, max: 9}}}}, "
            "{{name: fixed, holding: 3006}}]}}]}}",
            port_),
        problems);
    ASSERT_EQ(problems.text(), "");
    Options options = read_options(section, problems);
    ASSERT_EQ(problems.text(), "");
    line_ = std::make_shared<Line>(options.line);
    device_ = std::make_unique<Device>(options.devices[0], line_);
  }

  Status write(const std::string& point, const std::string& value) {
    return device_->write("d/" + point, value, fakes::granted);
  }
  std::vector<std::uint16_t> stored(const Span& span) {
    std::vector<std::uint16_t> registers;
    EXPECT_TRUE(line_->read(1, span, registers));
    return registers;
  }
  static std::string why(const Status& status) { return status ? "it was written" : status.error().text; }

  static inline int port_ = 0;
  static inline std::unique_ptr<Simulator> simulator_;
  std::shared_ptr<Line> line_;
  std::unique_ptr<Device> device_;
};

using Registers = std::vector<std::uint16_t>;

TEST_F(ModbusWriting, WritesWhatTheDeviceTakesForWhatIsShown) {
  ASSERT_EQ(why(write("word", "54321")), "it was written");
  EXPECT_EQ(stored({Table::holding, 3000, 1}), Registers{54321});
  ASSERT_EQ(why(write("degrees", "-20.5")), "it was written");
  EXPECT_EQ(stored({Table::holding, 3001, 1}), Registers{static_cast<std::uint16_t>(-105)});
  ASSERT_EQ(why(write("float", "230.2")), "it was written");
  EXPECT_EQ(stored({Table::holding, 3002, 2}), (Registers{0x3333, 0x4366})) << "words swapped";
  ASSERT_EQ(why(write("mode", "run")), "it was written");
  EXPECT_EQ(stored({Table::holding, 3004, 1}), Registers{3});
  ASSERT_EQ(why(write("mode", "stop")), "it was written");
  EXPECT_EQ(stored({Table::holding, 3004, 1}), Registers{0});
  ASSERT_EQ(why(write("many", "9")), "it was written");
  EXPECT_EQ(stored({Table::holding, 3005, 1}), Registers{9});
}

TEST_F(ModbusWriting, WritesCoils) {
  for (const char* point : {"coil", "coils"}) {
    const std::uint16_t at = std::string(point) == "coil" ? 3000 : 3001;
    ASSERT_EQ(why(write(point, "on")), "it was written");
    EXPECT_EQ(stored({Table::coil, at, 1}), Registers{1});
    ASSERT_EQ(why(write(point, "0")), "it was written");
    EXPECT_EQ(stored({Table::coil, at, 1}), Registers{0});
  }
}

TEST_F(ModbusWriting, RefusesWhatIsNotAllowedAndAsksTheUnitForNothing) {
  ASSERT_TRUE(write("word", "1"));
  const std::pair<Status, const char*> cases[] = {
      {write("word", "60001"), "60001 is not within 0 and 60000"},
      {write("word", "-1"), "not within"},
      {write("degrees", "80.1"), "not within"},
      {write("mode", "fly"), "'fly' is none of stop, run"},
      {write("mode", "3"), "'3' is none of stop, run"},
      {write("coil", "2"), "'2' is none of on and off"},
      {write("coil", "maybe"), "none of on and off"},
      {write("word", "many"), "'many' is no number"},
      {write("fixed", "1"), "does not say writable"},
      {write("coil", ""), "none of on and off"},
      {write("word", "nan"), "'nan' is no number"},
  };
  for (const auto& [status, expected] : cases) {
    EXPECT_THAT(why(status), HasSubstr(expected));
    EXPECT_TRUE(!status && status.error().code == Errc::invalid) << expected;
  }
  EXPECT_EQ(device_->write("d/none", "1", fakes::granted).error().code, Errc::not_found);
  EXPECT_EQ(stored({Table::holding, 3000, 1}), Registers{1});
}

/// Nobody asked for its neighbour, and the answer would tell of a value that is not there.
TEST_F(ModbusWriting, WritesNoNeighbourOfAValueThatTheRegistersCannotHold) {
  ASSERT_TRUE(write("tens", "50"));
  ASSERT_TRUE(write("whole", "74"));
  ASSERT_TRUE(write("float", "1.5"));
  ASSERT_TRUE(write("degrees", "20"));
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"tens", "76", "d/tens: 76 lies between two values that it takes, 70 and 80"},
      {"tens", "44", "d/tens: 44 lies between two values that it takes, 40 and 50"},
      {"whole", "74.6", "lies between two values that it takes, 74 and 75"},
      {"degrees", "20.04", "lies between two values that it takes, 20 and 20.1"},
      {"float", "1e-46", "the nearest that its registers hold is 0"}};
  for (const auto& [point, value, expected] : cases) {
    const Status status = write(point, value);
    EXPECT_THAT(why(status), HasSubstr(expected)) << point << ' ' << value;
    EXPECT_TRUE(!status && status.error().code == Errc::invalid);
  }
  EXPECT_EQ(stored({Table::holding, 3007, 2}), (Registers{5, 74}));
  EXPECT_EQ(stored({Table::holding, 3001, 3}), (Registers{300, 0, 0x3fc0})) << "words swapped";
}

TEST_F(ModbusWriting, TakesEveryValueOfItsSteps) {
  for (int tenths = -400; tenths <= 800; tenths += 7) {
    ASSERT_EQ(why(write("degrees", number_text(tenths / 10.0))), "it was written") << tenths;
    EXPECT_EQ(stored({Table::holding, 3001, 1}), Registers{static_cast<std::uint16_t>(tenths + 100)});
  }
  for (const char* value : {"0.1", "-0.3", "1e9", "123456.7", "0"}) {
    EXPECT_EQ(why(write("float", value)), "it was written") << value;
  }
  EXPECT_EQ(why(write("big", "4199999999")), "it was written");
}

TEST_F(ModbusWriting, SaysWhenTheDeviceDidNotTakeIt) {
  const Status status = write("stubborn", "5");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::conflict);
  EXPECT_THAT(status.error().text, HasSubstr("written, but it shows 3050 instead of 5"));
  EXPECT_TRUE(write("command", "5")) << "a command reads otherwise";
  EXPECT_THAT(why(write("missing", "5")), HasSubstr("not written: no such address (exception 2)"));
}

}  // namespace
}  // namespace tidegate::drivers::modbus
