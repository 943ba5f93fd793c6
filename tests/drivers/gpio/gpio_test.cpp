#include "drivers/gpio/gpio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/gpio/fixture.h"
#include "tests/drivers/section.h"
#include "tests/fakes/permission.h"

namespace tidegate::drivers::gpio {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class GpioDriver : public OnPins {
 protected:
  GpioDriver() : OnPins(std::make_unique<Board>()), board_(static_cast<Board&>(*pins_)) {}
  Board& board_;
};

TEST_F(GpioDriver, AnEdgeThatWasLostIsSeenAtTheNextTurn) {
  start({input("door", 0)});
  ASSERT_TRUE(reaches("door", 0));
  board_.set_unseen(0, true);
  ASSERT_TRUE(reaches("door", 1));
}

TEST_F(GpioDriver, AnOutputThatDoesNotFollowIsAnError) {
  start({}, 10s, pump_and_power(0));
  ASSERT_TRUE(reaches("pump", 0));
  board_.hold(0);
  const Status status = driver_->outlet()->write("pump", "on", fakes::granted);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::conflict);
  EXPECT_EQ(status.error().text, "pump: written, but it shows off instead of on");
}

TEST_F(GpioDriver, WhatCannotBeSetIsRefused) {
  start({}, 10s, pump_and_power(0));
  ASSERT_TRUE(reaches("power", 1));
  EXPECT_EQ(driver_->outlet()->write("pump", "fast", fakes::granted).error().code, Errc::invalid);
  EXPECT_EQ(driver_->outlet()->write("power", "off", fakes::granted).error().code, Errc::not_found)
      << "it does not say writable";
  EXPECT_TRUE(board_.level(1));
}

TEST_F(GpioDriver, WordsOfAnOutputAreWhatItIsSetTo) {
  std::string why;
  driver_ = test::make_driver(
      "{name: box, type: gpio, outputs: [{name: valve, chip: gpiochip250, line: '3', initial: true, "
      "enum: {0: shut, 1: open}, writable: {interlock: box/may}}]}",
      clock_, metrics_, why);
  ASSERT_NE(driver_, nullptr) << why;
  const WritablePoint valve = driver_->outlet()->points().at(0);
  EXPECT_EQ(valve.series, "box/valve");
  EXPECT_THAT(valve.states, testing::ElementsAre("shut", "open"));
  EXPECT_EQ(valve.interlock, "box/may");
  EXPECT_THAT(driver_->outlet()->write("box/valve", "open", fakes::granted).error().text,
              HasSubstr("its lines are not opened yet"));
}

TEST_F(GpioDriver, WithoutSuchAChipIsDownAndSaysSo) {
  std::string why;
  auto driver = test::make_driver(
      "{name: box, type: gpio, inputs: [{name: a, chip: gpiochip250, line: '3'}, {name: b, "
      "line: NOSUCHLINE, read: pulses, debounce: 5ms}]}",
      clock_, metrics_, why);
  ASSERT_NE(driver, nullptr) << why;
  run(std::move(driver));
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("cannot open gpiochip250"));
  ASSERT_TRUE(sink_.wait_for_samples("box/b", 1));
}

TEST(GpioOptions, ThatMakeNoSenseAreProblemsAtTheirPlace) {
  GatewayClock clock;
  Metrics metrics;
  for (const auto& [options, expected] : std::vector<std::pair<std::string, std::string>>{
           {"inputs: []", "nothing is read"},
           {"inputs: [{name: a}]", "line"},
           {"inputs: [{name: a, line: '3'}]", "say which"},
           {"inputs: [{name: a, line: x, read: pulses, offset: 5}]", "begins at 0"},
           {"inputs: [{name: a, line: x, debounce: 1h}]", "10s"},
           {"outputs: [{name: a, line: '3'}]", "say which"},
           {"outputs: [{name: a, line: x, debounce: 1s}]", "unknown key 'debounce'"},
           {"outputs: [{name: a, line: x, enum: {2: open}}]", "codes 0 and 1"},
           {"outputs: [{name: a, line: x, writable: {min: 0, max: 1}}]", "has no min and max"},
           {"inputs: [{name: a, line: x, bias: both}]", "as_is, none, up, down"}}) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: box, type: gpio, " + options + "}", clock, metrics, why), nullptr) << options;
    EXPECT_THAT(why, AllOf(HasSubstr("test.yaml:1:"), HasSubstr(expected)));
  }
}

}  // namespace
}  // namespace tidegate::drivers::gpio
