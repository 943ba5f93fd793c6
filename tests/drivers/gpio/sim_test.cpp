// What libgpiod and the kernel do for a source, on the kernel's gpio-sim; and where there is no chip.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/gpio/fixture.h"
#include "tests/drivers/gpio/sim_chip.h"
#include "tests/drivers/section.h"
#include "tests/fakes/permission.h"
#include "tests/support/held.h"
#include "tests/support/process.h"

namespace tidegate::drivers::gpio {
namespace {

using namespace std::chrono_literals;

class GpioSim : public OnPins {
 protected:
  void SetUp() override {
    if (const std::string why = SimChip::lacks(); !why.empty()) GTEST_SKIP() << why;
    auto chip = std::make_unique<SimChip>();
    chip_ = chip.get();
    pins_ = std::move(chip);
  }
  SimChip* chip_ = nullptr;
};

TEST_F(GpioSim, LinesAreFoundByNameAndByChipAndAreAsTheyAreConfigured) {
  const std::string label = chip_->line(0).chip;
  std::string why;
  auto driver = test::make_driver(
      "{name: box, type: gpio, every: 100ms, inputs: [{name: door, line: " + chip_->name(0) +
          "}, {name: contact, chip: " + label +
          ", line: '1', bias: up, active_low: true}, {name: meter, chip: " + label + ", line: " + chip_->name(2) +
          ", read: pulses, debounce: 20ms}], outputs: [{name: relay, chip: " + label +
          ", line: '3', active_low: true, writable: {}}]}",
      clock_, metrics_, why);
  ASSERT_NE(driver, nullptr) << why;
  run(std::move(driver));
  ASSERT_TRUE(reaches("box/door", 0));
  chip_->set(0, true);
  EXPECT_TRUE(reaches("box/door", 1));

  EXPECT_TRUE(chip_->level(1)) << "it has its resistor";
  EXPECT_TRUE(reaches("box/contact", 0));
  chip_->set(1, false);
  EXPECT_TRUE(reaches("box/contact", 1));

  chip_->set(2, true);
  EXPECT_TRUE(reaches("box/meter", 1));

  EXPECT_TRUE(reaches("box/relay", 0));
  EXPECT_TRUE(chip_->level(3));
  EXPECT_TRUE(driver_->outlet()->write("box/relay", "on", fakes::granted));
  EXPECT_FALSE(chip_->level(3));
  EXPECT_TRUE(reaches("box/relay", 1));
  EXPECT_TRUE(sink_.wait_for_words("4 lines", SourceHealth::up));
}

TEST_F(GpioSim, ALineThatAnotherProgramHoldsIsNamedAndTakenWhenItIsFree) {
  auto other = system_lines();
  ASSERT_TRUE(other->open({chip_->line(1)}));
  start({input("door", 0), input("window", 1)});
  EXPECT_TRUE(sink_.wait_for_words("line 1: Device or resource busy: another program holds it", SourceHealth::down));
  other.reset();
  EXPECT_TRUE(reaches("window", 0));
}

TEST(SystemLines, ThatAreNotThereLeaveNothingOpenHoweverOftenTheyAreTried) {
  const auto lines = system_lines();
  const test::Held before = test::held_by();
  for (int i = 0; i < test::flaps(1000); ++i) {
    ASSERT_EQ(lines->open({{"gpiochip250", "3"}}).error().code, Errc::not_found);
    ASSERT_EQ(lines->open({{"", "NOSUCHLINE"}}).error().code, Errc::not_found);
  }
  EXPECT_EQ(test::held_by(), before);
}

}  // namespace
}  // namespace tidegate::drivers::gpio
