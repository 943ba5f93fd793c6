// What a source does with its lines: the same on a board without a kernel, and on the kernel's gpio-sim by libgpiod.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/gpio/fixture.h"
#include "tests/drivers/gpio/sim_chip.h"
#include "tests/fakes/permission.h"
#include "tests/support/held.h"
#include "tests/support/process.h"

namespace tidegate::drivers::gpio {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

class GpioLines : public OnPins, public testing::WithParamInterface<bool> {
 protected:
  bool simulated() const { return GetParam(); }
  void SetUp() override {
    if (simulated()) {
      if (const std::string why = SimChip::lacks(); !why.empty()) GTEST_SKIP() << why;
      pins_ = std::make_unique<SimChip>();
    } else {
      pins_ = std::make_unique<Board>();
    }
  }
  /// The kernel keeps 16 edges of a line: not more than it keeps of one that is slow to be read.
  void pulse(std::size_t pin, int times) {
    for (int i = 0; i < times; ++i) {
      pins_->set(pin, true);
      pins_->set(pin, false);
    }
  }
};

TEST_P(GpioLines, ALevelIsToldAtOnceAndAgainWhileItRests) {
  pins_->set(0, true);
  start({input("door", 0)}, 10s);
  ASSERT_TRUE(reaches("door", 1));
  const auto begun = std::chrono::steady_clock::now();
  const Timestamp before = clock_.now();
  pins_->set(0, false);
  ASSERT_TRUE(reaches("door", 0));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  EXPECT_GE(sink_.last("door")->time, before - 10ms) << "an edge has the time at which it was";
  EXPECT_EQ(sink_.info("door")->kind, SeriesKind::boolean);
  EXPECT_EQ(sink_.info("door")->expected_interval, Micros{10s});
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up);
}

TEST_P(GpioLines, PulsesAreCountedEachOnce) {
  InputOptions meter = input("meter", 0, true);
  meter.value.unit = "L";
  meter.value.scale.factor = 0.5;
  start({meter, input("other", 1, true)});
  ASSERT_TRUE(reaches("meter", 0));
  for (int round = 1; round <= 5; ++round) {
    pulse(0, 7);
    ASSERT_TRUE(reaches("meter", 3.5 * round)) << "in round " << round;
  }
  EXPECT_EQ(sink_.info("meter")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.info("meter")->unit, "L");
  EXPECT_EQ(sink_.last("other")->value, 0);
}

TEST_P(GpioLines, ABouncingContactIsOnePulse) {
  start({input("meter", 0, true, 200ms)});
  ASSERT_TRUE(reaches("meter", 0));
  pulse(0, 5);
  pins_->set(0, true);
  ASSERT_TRUE(reaches("meter", 1));
  pins_->set(0, false);
  std::this_thread::sleep_for(500ms);
  pins_->set(0, true);
  ASSERT_TRUE(reaches("meter", 2));
}

TEST_P(GpioLines, WordsAreAState) {
  InputOptions door = input("door", 0);
  door.value.kind = SeriesKind::state;
  door.value.states = {{0, "closed"}, {1, "open"}};
  start({door});
  ASSERT_TRUE(sink_.wait_for_samples("door", 1));
  EXPECT_EQ(sink_.last_label("door"), "closed");
  pins_->set(0, true);
  EXPECT_TRUE(sink_.wait_until([](const fakes::FakeSink& sink) { return sink.last_label("door") == "open"; }));
}

TEST_P(GpioLines, OfAChipThatIsUnpluggedAreBadAndComeBackWithTheirCount) {
  start({input("meter", 0, true), input("door", 1)});
  ASSERT_TRUE(reaches("meter", 0));
  pins_->set(0, true);
  ASSERT_TRUE(reaches("meter", 1));
  pins_->unplug(true);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_EQ(sink_.last("door")->reason, Reason::no_answer);
  EXPECT_EQ(sink_.last("meter")->quality, Quality::bad);
  pins_->unplug(false);
  ASSERT_TRUE(reaches("meter", 1));
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
}

TEST_P(GpioLines, AnOutputIsAsItIsSaidAtFirstAndIsSet) {
  start({input("door", 0)}, 10s, pump_and_power(1));
  ASSERT_TRUE(reaches("pump", 0));
  ASSERT_TRUE(reaches("power", 1));
  EXPECT_TRUE(pins_->level(2));
  EXPECT_EQ(sink_.info("pump")->kind, SeriesKind::boolean);
  ASSERT_NE(driver_->outlet(), nullptr);
  ASSERT_EQ(driver_->outlet()->points().size(), 1u);
  EXPECT_EQ(driver_->outlet()->points()[0].series, "pump");
  const Status stopped = driver_->outlet()->write("pump", "on", fakes::refused);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().text, fakes::refused().error().text);
  EXPECT_FALSE(pins_->level(1));
  EXPECT_TRUE(driver_->outlet()->write("pump", "on", fakes::granted));
  EXPECT_TRUE(pins_->level(1));
  EXPECT_TRUE(reaches("pump", 1));
  EXPECT_TRUE(driver_->outlet()->write("pump", "off", fakes::granted));
  EXPECT_FALSE(pins_->level(1));
  EXPECT_TRUE(reaches("pump", 0));
}

TEST_P(GpioLines, AnOutputThatIsOnlyLookedAtStaysAsItIs) {
  pins_->set(0, true);
  look({}, pump_and_power(0));
  ASSERT_TRUE(reaches("pump", 1));
  ASSERT_TRUE(reaches("power", 0));
  EXPECT_TRUE(pins_->level(0)) << "though its initial value is off";
  EXPECT_FALSE(pins_->level(1));
}

TEST_P(GpioLines, AnOutputOfAChipThatIsAwayIsNotSetAndBeginsAnew) {
  start({}, 100ms, pump_and_power(0));
  ASSERT_TRUE(reaches("pump", 0));
  ASSERT_TRUE(driver_->outlet()->write("pump", "on", fakes::granted));
  pins_->unplug(true);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_EQ(sink_.last("pump")->quality, Quality::bad);
  const Status status = driver_->outlet()->write("pump", "on", fakes::granted);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().text, AllOf(HasSubstr("pump: not written: "), HasSubstr("No such")));
  pins_->unplug(false);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
  EXPECT_TRUE(reaches("pump", 0));
}

TEST_P(GpioLines, ThatAreLostAgainAndAgainAreBackEachTimeAndNoPulseIsForgotten) {
  start({input("meter", 0, true), input("door", 1)}, 100ms, pump_and_power(2), 1ms);
  ASSERT_TRUE(reaches("power", 1));
  const test::Held before = test::held_by();
  for (int i = 0; i < test::flaps(simulated() ? 50 : 1000); ++i) {
    ASSERT_TRUE(reaches("meter", i)) << "in turn " << i;
    ASSERT_TRUE(reaches("pump", 0)) << "in turn " << i;
    ASSERT_TRUE(driver_->outlet()->write("pump", "on", fakes::granted)) << "in turn " << i;
    pulse(0, 1);
    for (const bool open : {true, false}) {  // told at once, and the pulse before it was taken then
      pins_->set(1, open);
      ASSERT_TRUE(reaches("door", open ? 1 : 0)) << "in turn " << i;
    }
    pins_->unplug(true);
    ASSERT_TRUE(sink_.wait_for_bad("meter", Reason::no_answer)) << "in turn " << i;
    pins_->unplug(false);
  }
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
  EXPECT_EQ(test::held_by(), before);
}

INSTANTIATE_TEST_SUITE_P(Of, GpioLines, testing::Bool(),
                         [](const auto& way) { return way.param ? "GpioSim" : "ABoard"; });

}  // namespace
}  // namespace tidegate::drivers::gpio
