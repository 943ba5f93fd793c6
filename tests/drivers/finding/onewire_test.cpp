// onewire on a tree that looks like /sys, where the test plays the kernel.
#include <gmock/gmock.h>

#include "tests/drivers/finding/tree.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

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

/// The thermometers hang on buses that measure together when they are told to, as the kernel's do.
class OneWireBus : public Tree {
 protected:
  static std::string bulk_file(const std::string& master) { return "sys/devices/" + master + "/therm_bulk_read"; }
  // As the kernel shows it before it has measured: without a word.
  void plug(const std::string& master, const std::string& id) {
    link("sys/devices/" + master + '/' + id, "sys/bus/w1/devices/" + id);
    put("sys/bus/w1/devices/" + id + "/w1_slave", "");
  }
  void unplug(const std::string& master, const std::string& id) {
    remove("sys/bus/w1/devices/" + id);
    remove("sys/devices/" + master + '/' + id);
  }
  void says_state(const std::string& master, const std::string& state) { put(bulk_file(master), state + '\n'); }
  bool is_told(const std::string& master) const {
    return test::read_file(root_.path() / bulk_file(master)) == "trigger\n";
  }
  bool gets_told(const std::string& master) {
    return sink_.wait_until([&](const fakes::FakeSink&) { return is_told(master); });
  }
  void shows(const std::string& id, const std::string& text) { put("sys/bus/w1/devices/" + id + "/w1_slave", text); }
  void expect_all_good() { EXPECT_THAT(sink_.samples(), Each(Field(&Sample::quality, Quality::good))); }
};

TEST_F(OneWireBus, MeasuresAllAtOnceAndIsReadWhenItHas) {
  plug("w1_bus_master1", "28-000001");
  plug("w1_bus_master1", "28-000002");
  says_state("w1_bus_master1", "0");
  start("onewire", "1s", "points: [{find: 28-000001, name: flow}]");
  ASSERT_TRUE(gets_told("w1_bus_master1"));
  says_state("w1_bus_master1", "-1");
  shows("28-000001", w1(21500));
  shows("28-000002", w1(30000));
  says_state("w1_bus_master1", "1");
  ASSERT_TRUE(reaches("box/flow", 21.5));
  ASSERT_TRUE(reaches("box/28-000002", 30));
  EXPECT_TRUE(gets_told("w1_bus_master1")) << "in the next turn again";
  expect_all_good();
  EXPECT_TRUE(says("all sensors are read"));
}

TEST_F(OneWireBus, DoesNotWaitForAnother) {
  plug("w1_bus_master1", "28-000001");
  plug("w1_bus_master2", "28-000002");
  says_state("w1_bus_master1", "0");
  says_state("w1_bus_master2", "0");
  start("onewire", "1s");
  ASSERT_TRUE(
      sink_.wait_until([&](const fakes::FakeSink&) { return is_told("w1_bus_master1") && is_told("w1_bus_master2"); }));
  for (const auto& [master, id] : {std::pair{"w1_bus_master1", "28-000001"}, {"w1_bus_master2", "28-000002"}}) {
    shows(id, w1(20000));
    says_state(master, "1");
  }
  ASSERT_TRUE(reaches("box/28-000001", 20));
  ASSERT_TRUE(reaches("box/28-000002", 20));
  expect_all_good();
}

TEST_F(OneWireBus, ThatMeasuresForEverIsToldAndComesBack) {
  plug("w1_bus_master1", "28-000001");
  says_state("w1_bus_master1", "0");
  start("onewire", "1s", "points: [{find: 28-000001, name: flow}]");
  ASSERT_TRUE(gets_told("w1_bus_master1"));
  says_state("w1_bus_master1", "-1");
  ASSERT_TRUE(turns_bad("box/flow", Reason::no_answer));
  ASSERT_TRUE(says(""));
  EXPECT_THAT(sink_.reports().front().text, HasSubstr("therm_bulk_read says that it still measures, after 1.5 s"));
  ASSERT_TRUE(gets_told("w1_bus_master1"));
  shows("28-000001", w1(21500));
  says_state("w1_bus_master1", "1");
  ASSERT_TRUE(reaches("box/flow", 21.5));
}

TEST_F(OneWireBus, IsNotWaitedForByAStop) {
  plug("w1_bus_master1", "28-000001");
  shows("28-000001", w1(21500));
  start("onewire", "1s", "points: [{find: 28-000001, name: flow}]");
  ASSERT_TRUE(reaches("box/flow", 21.5));
  says_state("w1_bus_master1", "0");
  ASSERT_TRUE(gets_told("w1_bus_master1"));
  says_state("w1_bus_master1", "-1");
  const auto asked = std::chrono::steady_clock::now();
  thread_.request_stop();
  thread_.join();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 1s) << "it waits 1.5 s for the bus";
  expect_all_good();
}

TEST_F(OneWireBus, ThatMayNotBeToldIsReadAsOneThatCannot) {
  plug("w1_bus_master1", "28-000001");
  shows("28-000001", w1(21500));
  std::filesystem::create_directory(root_.path() / bulk_file("w1_bus_master1"));  // cannot be written, whoever asks
  start("onewire", "1s");
  ASSERT_TRUE(sink_.wait_for_samples("box/28-000001", 2));
  EXPECT_TRUE(reaches("box/28-000001", 21.5));
  expect_all_good();
  EXPECT_THAT(sink_.reports(), Each(fakes::FakeSink::Report{SourceHealth::up, "all sensors are read"}));
}

TEST_F(OneWireBus, ThatGoesWhileItMeasuresIsMissedAndComesBack) {
  plug("w1_bus_master1", "28-000001");
  says_state("w1_bus_master1", "0");
  start("onewire", "1s", "points: [{find: 28-000001, name: flow}]");
  ASSERT_TRUE(gets_told("w1_bus_master1"));
  unplug("w1_bus_master1", "28-000001");
  remove("sys/devices/w1_bus_master1");
  const auto gone = std::chrono::steady_clock::now();
  ASSERT_TRUE(turns_bad("box/flow", Reason::no_answer));
  EXPECT_LT(std::chrono::steady_clock::now() - gone, 1s) << "it waits 1.5 s for a bus that is there";
  ASSERT_TRUE(says("28-000001 is not there"));
  plug("w1_bus_master2", "28-000001");
  says_state("w1_bus_master2", "0");
  ASSERT_TRUE(gets_told("w1_bus_master2"));
  shows("28-000001", w1(21500));
  says_state("w1_bus_master2", "1");
  ASSERT_TRUE(reaches("box/flow", 21.5));
  EXPECT_TRUE(says("all sensors are read"));
}

TEST_F(OneWireBus, IsBelievedNoMoreThanOneThermometer) {
  for (const char* id : {"28-000001", "28-000002", "28-000003", "28-000004"}) plug("w1_bus_master1", id);
  says_state("w1_bus_master1", "0");
  start("onewire", "1s", "points: [{find: 28-000004, name: silent}]");
  ASSERT_TRUE(gets_told("w1_bus_master1"));
  shows("28-000001", "72 01 4b 46 7f ff 0e 10 58 : crc=57 NO\n72 01 t=21500\n");
  shows("28-000002", "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n");
  shows("28-000003", "50 05 4b 46 7f ff 10 10 f5 : crc=f5 YES\n50 05 4b 46 7f ff 10 10 f5 t=85000\n");
  says_state("w1_bus_master1", "1");
  ASSERT_TRUE(turns_bad("box/28-000001", Reason::device_fault));
  ASSERT_TRUE(turns_bad("box/28-000002", Reason::device_fault));
  ASSERT_TRUE(reaches("box/28-000003", 85));
  ASSERT_TRUE(turns_bad("box/silent", Reason::no_answer));
  EXPECT_TRUE(says("box/silent: the thermometer did not answer"));
}

}  // namespace
}  // namespace tidegate::drivers
