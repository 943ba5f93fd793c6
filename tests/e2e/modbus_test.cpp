// `tidegate modbus`, against pymodbus.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/modbus/simulator.h"
#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using test::Finished;
using testing::HasSubstr;
using testing::Not;

class ModbusTool : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    port_ = test::free_port();
    simulator_ = std::make_unique<test::Simulator>("tcp", std::to_string(port_));
    ASSERT_TRUE(simulator_->ready());
  }
  static void TearDownTestSuite() { simulator_.reset(); }
  static Finished scan(std::vector<std::string> more) {
    std::vector<std::string> arguments{"modbus",    "scan", "--tcp", "127.0.0.1:" + std::to_string(port_),
                                       "--timeout", "50ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tidegate(std::move(arguments));
  }
  static inline int port_ = 0;
  static inline std::unique_ptr<test::Simulator> simulator_;
};

TEST_F(ModbusTool, FindsUnits) {
  const Finished found = scan({"--units", "2-5", "--format", "csv"});
  EXPECT_EQ(found.status, 0) << found.output;
  EXPECT_THAT(found.output, HasSubstr("unit,answer,identity"));
  EXPECT_THAT(found.output, HasSubstr("2,holding register 0 is 0,"));
  EXPECT_THAT(found.output, HasSubstr("3,holding register 0 is 0,"));
  EXPECT_THAT(found.output, Not(HasSubstr("4,")));
}

TEST_F(ModbusTool, ReadsAUnitsRegistersAsWhatTheyMayBe) {
  const Finished read = scan({"--unit", "1", "--holding", "114-115", "--coil", "3-4", "--format", "csv"});
  EXPECT_EQ(read.status, 0) << read.output;
  EXPECT_THAT(read.output, HasSubstr("holding,114,0xc2f6,49910,-15626,3270961529,-1024005767,-123.456,"));
  EXPECT_THAT(read.output, HasSubstr("coil,3,,1,"));
  EXPECT_THAT(read.output, HasSubstr("coil,4,,0,"));
}

TEST_F(ModbusTool, SaysWhatToDoWhereNothingAnswersOrTheCommandIsWrong) {
  const Finished none = scan({"--units", "50-51"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("no unit from 50 to 51 answers at 127.0.0.1:"));
  EXPECT_THAT(none.output, HasSubstr("do the cable, baud rate and parity fit?"));
  EXPECT_EQ(scan({"--units", "9-3"}).status, 64);
  EXPECT_EQ(scan({"--serial", "/dev/x"}).status, 64);
  const Finished which = scan({"--holding", "0-9"});
  EXPECT_EQ(which.status, 64);
  EXPECT_THAT(which.output, HasSubstr("--unit"));
}

TEST_F(ModbusTool, ListsAndPrintsProfiles) {
  const Finished list = tidegate({"modbus", "profiles"});
  EXPECT_EQ(list.status, 0);
  EXPECT_THAT(list.output, HasSubstr("eastron-sdm630   Eastron SDM630-Modbus"));
  const Finished one = tidegate({"modbus", "profiles", "pzem-016"});
  EXPECT_THAT(one.output, HasSubstr("{name: voltage, input: 0x0000"));
  EXPECT_EQ(tidegate({"modbus", "profiles", "none"}).status, 1);
}

}  // namespace
}  // namespace tidegate::e2e
