#include "drivers/onewire/thermometer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate::drivers::onewire {
namespace {

using testing::HasSubstr;

constexpr const char* kGood = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";

TEST(Thermometer, IsReadFromBothLines) {
  EXPECT_EQ(*parse_thermometer(kGood), 23.125);
  EXPECT_EQ(*parse_thermometer("5e ff 4b 46 7f ff 02 10 c0 : crc=c0 YES\n5e ff 4b 46 7f ff 02 10 c0 t=-10125\n"),
            -10.125);
}

TEST(Thermometer, OfAWrongChecksumSaysSo) {
  const auto read = parse_thermometer("72 01 4b 46 7f ff 0e 10 58 : crc=57 NO\n72 01 4b 46 7f ff 0e 10 58 t=23125\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::corrupt);
  EXPECT_THAT(read.error().text, HasSubstr("checksum"));
}

TEST(Thermometer, ThatHasNotMeasuredIsToldFromOneThatIsHot) {
  const auto cold = parse_thermometer("50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n");
  ASSERT_FALSE(cold);
  EXPECT_THAT(cold.error().text, HasSubstr("power-on"));
  EXPECT_EQ(*parse_thermometer("50 05 4b 46 7f ff 10 10 f5 : crc=f5 YES\n50 05 4b 46 7f ff 10 10 f5 t=85000\n"), 85);
}

TEST(Thermometer, ThatMakesNoSenseIsAnError) {
  for (const char* wrong : {"", "\n", "YES", "00 : crc=00 YES\n00 t=\n", "00 : crc=00 YES\n00 t=abc\n",
                            "00 : crc=00 YES\n00 t=200000\n", "00 : crc=00 YES\n00 t=-127000\n", "\xff\xfe\0"}) {
    const auto read = parse_thermometer(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_FALSE(read.error().text.empty());
  }
}

}  // namespace
}  // namespace tidegate::drivers::onewire
