#include "drivers/iio/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace tidegate::drivers::iio {
namespace {

TEST(IioChannel, IsKnownByItsFile) {
  EXPECT_FALSE(channel_of("in_voltage0_scale"));
  EXPECT_FALSE(channel_of("out_voltage0_raw"));
  EXPECT_FALSE(channel_of("in__raw") && channel_of("in_raw"));
  EXPECT_FALSE(channel_of("name"));
  EXPECT_EQ(channel_of("in_voltage0-voltage1_raw")->name, "voltage0-voltage1");
  EXPECT_EQ(channel_of("in_voltage0-voltage1_raw")->unit, "V");
  EXPECT_EQ(channel_of("in_humidityrelative_input")->unit, "%");
  EXPECT_EQ(channel_of("in_temp_object_raw")->unit, "\u00b0C");
  EXPECT_EQ(channel_of("in_accel_x_raw")->unit, "m/s\u00b2");
  EXPECT_EQ(channel_of("in_countably_raw")->unit, "");
}

double value(const test::TempDir& folder, const char* file) {
  const auto read = value_of(*channel_of(file), folder.path());
  EXPECT_TRUE(read) << (read ? "" : read.error().text);
  return read ? *read : -1;
}

TEST(IioChannel, HasTheOffsetAndScaleOfItsOwnOrItsKind) {
  test::TempDir folder;
  folder.write("in_voltage0_raw", "2000\n");
  folder.write("in_voltage1_raw", "2000\n");
  folder.write("in_voltage_scale", "0.5\n");
  folder.write("in_voltage1_scale", "2\n");
  folder.write("in_voltage0-voltage1_raw", "-1000\n");
  folder.write("in_voltage-voltage_scale", "3\n");
  folder.write("in_accel_x_raw", "100\n");
  folder.write("in_accel_scale", "0.01\n");
  folder.write("in_temp_raw", "100\n");
  folder.write("in_temp_offset", "-20\n");
  folder.write("in_temp_scale", "250\n");
  folder.write("in_pressure_input", "101.325000000\n");
  EXPECT_DOUBLE_EQ(value(folder, "in_voltage0_raw"), 1);
  EXPECT_DOUBLE_EQ(value(folder, "in_voltage1_raw"), 4);
  EXPECT_DOUBLE_EQ(value(folder, "in_voltage0-voltage1_raw"), -3);
  EXPECT_DOUBLE_EQ(value(folder, "in_accel_x_raw"), 1);
  EXPECT_DOUBLE_EQ(value(folder, "in_temp_raw"), 20);
  EXPECT_DOUBLE_EQ(value(folder, "in_pressure_input"), 101.325);
}

TEST(IioChannel, WithAScaleThatIsNoneIsNoNumber) {
  test::TempDir folder;
  folder.write("in_voltage0_raw", "2000\n");
  folder.write("in_voltage_scale", "half\n");
  const auto read = value_of(*channel_of("in_voltage0_raw"), folder.path());
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text, testing::HasSubstr("in_voltage_scale"));
}

}  // namespace
}  // namespace tidegate::drivers::iio
