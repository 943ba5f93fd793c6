// onewire, hwmon and iio on a tree that looks like /sys.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Tree : public testing::Test {
 protected:
  // Replaced in one step, so that no read finds half a file.
  void put(const std::string& file, const std::string& text) {
    const auto whole = root_.path() / file;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(root_.path() / "new") << text;
    std::filesystem::rename(root_.path() / "new", whole);
  }
  void link(const std::string& target, const std::string& at) {
    std::filesystem::create_directories(root_.path() / target);
    std::filesystem::create_directories((root_.path() / at).parent_path());
    std::filesystem::create_directory_symlink(root_.path() / target, root_.path() / at);
  }
  void remove(const std::string& at) { std::filesystem::remove_all(root_.path() / at); }
  void move(const std::string& from, const std::string& to) {
    std::filesystem::rename(root_.path() / from, root_.path() / to);
  }

  void start(const std::string& type, const std::string& every, const std::string& options = "") {
    std::string why;
    driver_ = test::make_driver(fmt::format("{{name: box, type: {}, every: {}, root: '{}'{}{}}}", type, every,
                                            root_.path().string(), options.empty() ? "" : ", ", options),
                                clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && std::abs(last->value - value) < 1e-9;
    });
  }
  bool turns_bad(const std::string& name, Reason why) { return sink_.wait_for_bad(name, why); }
  bool says(const std::string& text) { return sink_.wait_for_words(text); }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  test::TempDir root_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

std::string w1(int milli) { return fmt::format("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 t={}\n", milli); }

TEST_F(Tree, ThermometersHaveTheirNamesOrTheirIds) {
  put("sys/bus/w1/devices/28-000001/w1_slave", w1(21500));
  put("sys/bus/w1/devices/28-000002/w1_slave", w1(-5000));
  put("sys/bus/w1/devices/w1_bus_master1/w1_master_slave_count", "2");
  put("sys/bus/w1/devices/01-00000f/id", "a button");
  start("onewire", "1s", "points: [{find: 28-000001, name: boiler/flow, offset: 0.5}]");
  ASSERT_TRUE(reaches("box/boiler/flow", 22));
  ASSERT_TRUE(reaches("box/28-000002", -5));
  EXPECT_THAT(sink_.names(), UnorderedElementsAre("box/boiler/flow", "box/28-000002"));
  EXPECT_EQ(sink_.info("box/28-000002")->unit, "\u00b0C");
  EXPECT_TRUE(says("all sensors are read"));
}

TEST_F(Tree, AThermometerThatIsUnpluggedOrReadsWronglyIsBadAndComesBack) {
  put("sys/bus/w1/devices/28-000001/w1_slave", w1(21500));
  put("sys/bus/w1/devices/28-000002/w1_slave", w1(30000));
  start("onewire", "1s", "points: [{find: 28-000001, name: flow}]");
  ASSERT_TRUE(reaches("box/flow", 21.5));
  put("sys/bus/w1/devices/28-000001/w1_slave", "72 01 4b 46 7f ff 0e 10 58 : crc=57 NO\n72 01 t=21500\n");
  ASSERT_TRUE(turns_bad("box/flow", Reason::device_fault));
  ASSERT_TRUE(says("box/flow: the checksum is wrong"));
  remove("sys/bus/w1/devices/28-000001");
  remove("sys/bus/w1/devices/28-000002");
  ASSERT_TRUE(turns_bad("box/flow", Reason::no_answer));
  ASSERT_TRUE(turns_bad("box/28-000002", Reason::no_answer));
  EXPECT_TRUE(says("28-000001 is not there"));
  put("sys/bus/w1/devices/28-000001/w1_slave", w1(25000));
  put("sys/bus/w1/devices/28-000002/w1_slave", w1(26000));
  ASSERT_TRUE(reaches("box/flow", 25));
  ASSERT_TRUE(reaches("box/28-000002", 26));
}

TEST_F(Tree, WithoutABusSaysWhatToLoad) {
  start("onewire", "1s");
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink_.reports().back().text, AllOf(HasSubstr("w1-gpio"), HasSubstr("w1-therm")));
}

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
