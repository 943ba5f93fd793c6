// hwmon and iio on a tree that looks like /sys, and the options of all that find their sensors.
#include <gmock/gmock.h>

#include "tests/drivers/finding/tree.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST_F(Tree, ChipsHaveTheirQuantitiesUnitsAndLabels) {
  const std::string chip = "sys/class/hwmon/hwmon0/";
  put(chip + "name", "ina226\n");
  put(chip + "in1_input", "12034\n");
  put(chip + "curr1_input", "-250\n");
  put(chip + "power1_input", "3000000\n");
  put(chip + "power1_average", "1\n");
  put(chip + "energy1_input", "5000000\n");
  put(chip + "fan1_input", "1200\n");
  put(chip + "temp1_input", "48312\n");
  put(chip + "temp1_label", "Core 0\n");
  put(chip + "temp2_input", "50000\n");
  put(chip + "temp2_label", "Core 0\n");
  put(chip + "humidity1_input", "45500\n");
  put(chip + "in1_max", "1\n");
  put(chip + "pwm1", "128\n");
  start("hwmon", "200ms");
  ASSERT_TRUE(reaches("box/ina226/in1", 12.034));
  ASSERT_TRUE(reaches("box/ina226/core_0", 48.312));
  ASSERT_TRUE(reaches("box/ina226/core_0_temp2", 50));
  ASSERT_TRUE(reaches("box/ina226/curr1", -0.25));
  ASSERT_TRUE(reaches("box/ina226/power1", 3));
  ASSERT_TRUE(reaches("box/ina226/energy1", 5));
  ASSERT_TRUE(reaches("box/ina226/fan1", 1200));
  ASSERT_TRUE(reaches("box/ina226/humidity1", 45.5));
  EXPECT_EQ(sink_.names().size(), 8u);
  EXPECT_EQ(sink_.info("box/ina226/in1")->unit, "V");
  EXPECT_EQ(sink_.info("box/ina226/fan1")->unit, "rpm");
  EXPECT_EQ(sink_.info("box/ina226/energy1")->kind, SeriesKind::counter);
}

TEST_F(Tree, ChipsAreKnownByNameWhenTheirNumbersChange) {
  put("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
  put("sys/class/hwmon/hwmon0/temp1_input", "40000\n");
  put("sys/class/hwmon/hwmon1/name", "nvme\n");
  put("sys/class/hwmon/hwmon1/temp1_input", "30000\n");
  start("hwmon", "200ms");
  ASSERT_TRUE(reaches("box/cpu_thermal/temp1", 40));
  ASSERT_TRUE(reaches("box/nvme/temp1", 30));
  thread_.request_stop();
  thread_.join();
  move("sys/class/hwmon/hwmon0", "sys/class/hwmon/hwmon7");
  move("sys/class/hwmon/hwmon1", "sys/class/hwmon/hwmon0");
  put("sys/class/hwmon/hwmon7/temp1_input", "41000\n");
  put("sys/class/hwmon/hwmon0/temp1_input", "31000\n");
  start("hwmon", "200ms");
  ASSERT_TRUE(reaches("box/cpu_thermal/temp1", 41));
  ASSERT_TRUE(reaches("box/nvme/temp1", 31));
}

TEST_F(Tree, TwinChipsAreToldApartByTheirPlace) {
  for (const auto& [number, place, milli] :
       std::vector<std::tuple<int, std::string, int>>{{3, "1-0040", 1000}, {1, "1-0041", 2000}}) {
    const std::string chip = fmt::format("sys/class/hwmon/hwmon{}/", number);
    put(chip + "name", "ina226\n");
    put(chip + "in1_input", fmt::format("{}\n", milli));
    link("sys/devices/i2c-1/" + place, chip + "device");
  }
  start("hwmon", "200ms", "points: [{find: ina226@1-0041/in1, name: pump/voltage}]");
  ASSERT_TRUE(reaches("box/pump/voltage", 2));
  ASSERT_TRUE(reaches("box/ina226@1-0040/in1", 1));
  remove("sys/class/hwmon/hwmon3");
  ASSERT_TRUE(turns_bad("box/ina226@1-0040/in1", Reason::no_answer));
  put("sys/class/hwmon/hwmon1/in1_input", "2500\n");
  ASSERT_TRUE(reaches("box/pump/voltage", 2.5)) << "now it is the only one, and its short name is enough";
}

TEST_F(Tree, ABrokenSensorSpoilsOnlyItself) {
  const std::string chip = "sys/class/hwmon/hwmon0/";
  put(chip + "name", "board\n");
  put(chip + "temp1_input", "20000\n");
  put(chip + "temp2_input", "0\n");
  put(chip + "temp2_fault", "1\n");
  put(chip + "temp3_input", "garbage\n");
  std::filesystem::create_directories(root_.path() / (chip + "temp4_input"));  // cannot be read, whoever asks
  start("hwmon", "200ms");
  ASSERT_TRUE(reaches("box/board/temp1", 20));
  ASSERT_TRUE(turns_bad("box/board/temp2", Reason::device_fault));
  ASSERT_TRUE(turns_bad("box/board/temp3", Reason::no_answer));
  ASSERT_TRUE(turns_bad("box/board/temp4", Reason::no_answer));
  EXPECT_TRUE(says("box/board/temp3: "));
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::degraded);
  put(chip + "temp2_fault", "0\n");
  ASSERT_TRUE(reaches("box/board/temp2", 0));
}

TEST_F(Tree, ConvertersAreScaledAndKnownByNameOrLabel) {
  put("sys/devices/i2c-1/1-0048/iio:device0/name", "ads1115\n");
  put("sys/devices/i2c-1/1-0048/iio:device0/in_voltage0_raw", "8000\n");
  put("sys/devices/i2c-1/1-0048/iio:device0/in_voltage_scale", "0.125\n");
  put("sys/devices/i2c-1/1-0076/iio:device1/name", "bme280\n");
  put("sys/devices/i2c-1/1-0076/iio:device1/label", "outside\n");
  put("sys/devices/i2c-1/1-0076/iio:device1/in_temp_input", "21370\n");
  put("sys/devices/i2c-1/1-0076/iio:device1/in_temp_raw", "5\n");
  put("sys/devices/i2c-1/1-0076/iio:device1/in_pressure_input", "101.3\n");
  link("sys/devices/i2c-1/1-0048/iio:device0", "sys/bus/iio/devices/iio:device0");
  link("sys/devices/i2c-1/1-0076/iio:device1", "sys/bus/iio/devices/iio:device1");
  put("sys/bus/iio/devices/trigger0/name", "sysfstrig\n");
  start("iio", "200ms",
        "others: true, points: [{find: ads1115@1-0048/voltage0, name: level, unit: m, scale: 2, report: change}, "
        "{find: outside/pressure, name: air, unit: hPa, scale: 10}]");
  ASSERT_TRUE(reaches("box/level", 2));
  ASSERT_TRUE(reaches("box/air", 1013));
  ASSERT_TRUE(reaches("box/outside/temp", 21.37));
  EXPECT_EQ(sink_.info("box/level")->unit, "m");
  EXPECT_EQ(sink_.info("box/outside/temp")->unit, "\u00b0C");
  EXPECT_EQ(sink_.names().size(), 3u);
}

TEST_F(Tree, OnlyWhatIsListedIsReadWhereThatIsWanted) {
  put("sys/class/hwmon/hwmon0/name", "a\n");
  put("sys/class/hwmon/hwmon0/temp1_input", "1000\n");
  put("sys/class/hwmon/hwmon0/temp2_input", "2000\n");
  start("hwmon", "200ms", "others: false, points: [{find: a/temp2}, {find: b/temp1, name: gone}]");
  ASSERT_TRUE(reaches("box/a/temp2", 2));
  EXPECT_THAT(sink_.names(), UnorderedElementsAre("box/a/temp2"));
  EXPECT_TRUE(says("b/temp1 is not there"));
}

TEST(FindingOptions, ThatMakeNoSenseAreProblemsAtTheirPlace) {
  GatewayClock clock;
  Metrics metrics;
  for (const auto& [options, expected] :
       std::vector<std::pair<std::string, std::string>>{{"type: hwmon, others: false", "nothing is read"},
                                                        {"type: onewire, every: 100ms", "1s"},
                                                        {"type: iio, points: [{find: 'a/#'}]", "needs a name"},
                                                        {"type: iio, points: [{name: a}]", "find"},
                                                        {"type: iio, prefix: 'a//b'", "prefix"}}) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: box, " + options + "}", clock, metrics, why), nullptr) << options;
    EXPECT_THAT(why, AllOf(HasSubstr("test.yaml:1:"), HasSubstr(expected)));
  }
}

}  // namespace
}  // namespace tidegate::drivers
