// What `tidegate modbus scan` finds, against pymodbus.

#include "drivers/modbus/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/modbus/peer.h"

namespace tidegate::drivers::modbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ModbusScan : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    port_ = test::free_port();
    simulator_ = std::make_unique<test::Simulator>("tcp", std::to_string(port_));
    ASSERT_TRUE(simulator_->ready());
  }
  static void TearDownTestSuite() { simulator_.reset(); }
  static LineOptions options() {
    LineOptions line;
    line.host = "127.0.0.1";
    line.port = port_;
    line.timeout = 100ms;
    return line;
  }

  static inline int port_ = 0;
  static inline std::unique_ptr<test::Simulator> simulator_;
  Line line_{options()};
  std::stop_source stop_;
};

TEST_F(ModbusScan, FindsTheUnitsThatAnswer) {
  std::vector<int> units;
  int asked = 0;
  const Status status = find_units(line_, 1, 6, stop_.get_token(),
                                   {[&](const FoundUnit& found) {
                                      units.push_back(found.unit);
                                      EXPECT_EQ(found.answer, "holding register 0 is 0");
                                      EXPECT_EQ(found.identity, "Pymodbus") << "function 17";
                                    },
                                    [&](int) { ++asked; }});
  EXPECT_TRUE(status);
  EXPECT_EQ(asked, 6);
  EXPECT_THAT(units, testing::ElementsAre(1, 2, 3));
}

TEST_F(ModbusScan, ReadsAllThatAUnitHasAroundWhatItRefuses) {
  const auto cells = dump(line_, 1, Table::holding, 1990, 2019, stop_.get_token());
  ASSERT_TRUE(cells) << cells.error().text;
  ASSERT_EQ(cells->size(), 30u);
  for (std::uint16_t i = 0; i < 30; ++i) {
    const int address = 1990 + i;
    if (address == 2005 || address == 2013) {
      EXPECT_FALSE((*cells)[i]) << address;
    } else {
      EXPECT_EQ((*cells)[i], address);
    }
  }
}

TEST_F(ModbusScan, ReadsMoreThanOneRequestTakes) {
  const auto registers = dump(line_, 1, Table::input, 5000, 5399, stop_.get_token());
  ASSERT_TRUE(registers) << registers.error().text;
  for (std::uint16_t i = 0; i < 400; ++i) EXPECT_EQ((*registers)[i], 5000 + i);
  const auto coils = dump(line_, 1, Table::coil, 0, 4999, stop_.get_token());
  ASSERT_TRUE(coils) << coils.error().text;
  EXPECT_EQ((*coils)[4998], 1);
  EXPECT_EQ((*coils)[4999], 0);
}

TEST_F(ModbusScan, SaysWhatATableLacksAndStopsWhenAsked) {
  const auto none = dump(line_, 1, Table::holding, 9001, 9001, stop_.get_token());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().text, "unit 1 has no holding table");
  EXPECT_EQ(dump(line_, 99, Table::holding, 0, 9, stop_.get_token()).error().code, Errc::timed_out);
  stop_.request_stop();
  EXPECT_EQ(dump(line_, 1, Table::holding, 0, 9, stop_.get_token()).error().code, Errc::stopped);
  EXPECT_EQ(find_units(line_, 1, 9, stop_.get_token(), {[](const FoundUnit&) {}}).error().code, Errc::stopped);
}

TEST_F(ModbusScan, GivesUpWhereTheLineCannotBeOpened) {
  LineOptions nowhere = options();
  nowhere.kind = LineOptions::Kind::serial;
  nowhere.path = "/dev/serial/by-id/none";
  Line line(nowhere);
  const Status status = find_units(line, 1, 247, stop_.get_token(), {[](const FoundUnit&) { FAIL(); }});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().text, HasSubstr("cannot open"));
}

}  // namespace
}  // namespace tidegate::drivers::modbus
