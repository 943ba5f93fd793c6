#include "drivers/gpio/gpio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "drivers/gpio/source.h"
#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::gpio {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

/// Lines whose levels a test sets, where the kernel has no gpio-sim. Any thread.
class Board {
 public:
  void set(std::size_t line, bool active) {
    const std::lock_guard lock(mutex_);
    levels_[line] = active;
    edges_.push_back({line, active, Micros{0}});
    changed_.notify_all();
  }
  void set_unseen(std::size_t line, bool active) {
    const std::lock_guard lock(mutex_);
    levels_[line] = active;
  }
  bool level(std::size_t line) {
    const std::lock_guard lock(mutex_);
    return levels_[line];
  }
  /// An output that follows nothing: shorted to ground, say.
  void hold(std::size_t line) {
    const std::lock_guard lock(mutex_);
    held_ = line;
  }
  void unplug(bool unplugged) {
    const std::lock_guard lock(mutex_);
    unplugged_ = unplugged;
    changed_.notify_all();
  }

 private:
  friend class BoardLines;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> levels_ = std::vector<bool>(8);
  std::vector<Edge> edges_;
  std::optional<std::size_t> held_;
  bool unplugged_ = false;
};

class BoardLines final : public Lines {
 public:
  explicit BoardLines(Board& board) : board_(board) {}
  Status open(const std::vector<LineOptions>& lines) override {
    const std::lock_guard lock(board_.mutex_);
    board_.edges_.clear();
    if (board_.unplugged_) return fail(Errc::not_found, "cannot open gpiochip1: No such file or directory");
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].output) board_.levels_[i] = *lines[i].output;
    }
    return {};
  }
  Status set(std::size_t line, bool active) override {
    const std::lock_guard lock(board_.mutex_);
    if (board_.unplugged_) return fail(Errc::io, "cannot set line 1: No such device");
    if (board_.held_ != line) board_.levels_[line] = active;
    return {};
  }
  Result<bool> active(std::size_t line) override {
    const std::lock_guard lock(board_.mutex_);
    return board_.levels_[line];
  }
  Result<std::vector<Edge>> wait(Micros at_most) override {
    std::unique_lock lock(board_.mutex_);
    board_.changed_.wait_for(lock, at_most, [&] { return !board_.edges_.empty() || board_.unplugged_; });
    if (board_.unplugged_) return fail(Errc::io, "cannot wait for line 1: No such device");
    return std::exchange(board_.edges_, {});
  }

 private:
  Board& board_;
};

class GpioDriver : public testing::Test {
 protected:
  void start(std::vector<InputOptions> inputs, Micros every = 100ms, std::vector<OutputOptions> outputs = {}) {
    driver_ = make_source({every, std::move(inputs), std::move(outputs)}, std::make_unique<BoardLines>(board_),
                          {"box", clock_, metrics_});
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool reaches(const std::string& name, double value) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto last = sink.last(name);
      return last && last->quality == Quality::good && last->value == value;
    });
  }

  Board board_;
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

TEST_F(GpioDriver, ALevelIsToldAtOnceAndAgainWhileItRests) {
  board_.set(0, true);
  start({{"door", {"0", "1"}}}, 10s);
  ASSERT_TRUE(reaches("door", 1));
  const auto begun = std::chrono::steady_clock::now();
  board_.set(0, false);
  ASSERT_TRUE(reaches("door", 0));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  EXPECT_EQ(sink_.info("door")->kind, SeriesKind::boolean);
  EXPECT_EQ(sink_.info("door")->expected_interval, Micros{10s});
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up);
}

TEST_F(GpioDriver, PulsesAreCountedEachOnce) {
  ValueOptions litres;
  litres.unit = "L";
  litres.scale.factor = 0.5;
  start({{"meter", {"0", "1"}, true, 0ms, litres}, {"other", {"0", "2"}, true}});
  ASSERT_TRUE(reaches("meter", 0));
  for (int i = 0; i < 50; ++i) {
    board_.set(0, true);
    board_.set(0, false);
  }
  ASSERT_TRUE(reaches("meter", 25));
  EXPECT_EQ(sink_.info("meter")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.info("meter")->unit, "L");
  EXPECT_EQ(sink_.last("other")->value, 0);
}

TEST_F(GpioDriver, ABouncingContactIsOnePulse) {
  start({{"meter", {"0", "1"}, true, 100ms}});
  ASSERT_TRUE(reaches("meter", 0));
  for (int i = 0; i < 5; ++i) {
    board_.set(0, true);
    board_.set(0, false);
  }
  board_.set(0, true);
  ASSERT_TRUE(reaches("meter", 1));
  board_.set(0, false);
  std::this_thread::sleep_for(250ms);
  board_.set(0, true);
  ASSERT_TRUE(reaches("meter", 2));
}

TEST_F(GpioDriver, AnEdgeThatWasLostIsSeenAtTheNextTurn) {
  start({{"door", {"0", "1"}}});
  ASSERT_TRUE(reaches("door", 0));
  board_.set_unseen(0, true);
  ASSERT_TRUE(reaches("door", 1));
}

TEST_F(GpioDriver, WordsAreAState) {
  ValueOptions words;
  words.kind = SeriesKind::state;
  words.states = {{0, "closed"}, {1, "open"}};
  start({{"door", {"0", "1"}, false, 0ms, words}});
  ASSERT_TRUE(sink_.wait_for_samples("door", 1));
  EXPECT_EQ(sink_.last_label("door"), "closed");
  board_.set(0, true);
  EXPECT_TRUE(sink_.wait_until([](const fakes::FakeSink& sink) { return sink.last_label("door") == "open"; }));
}

TEST_F(GpioDriver, AChipThatIsUnpluggedIsBadAndComesBackWithItsCount) {
  start({{"meter", {"1", "1"}, true}, {"door", {"1", "2"}}});
  ASSERT_TRUE(reaches("meter", 0));
  board_.set(0, true);
  ASSERT_TRUE(reaches("meter", 1));
  board_.unplug(true);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_EQ(sink_.last("door")->reason, Reason::no_answer);
  EXPECT_EQ(sink_.last("meter")->quality, Quality::bad);
  board_.unplug(false);
  ASSERT_TRUE(reaches("meter", 1));
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
}

/// A pump on a relay, which may be set, and the power of a sensor, which is on.
std::vector<OutputOptions> pump_and_power() {
  const Writable pump{{.series = "pump", .kind = SeriesKind::boolean}, {}};
  return {{"pump", {"0", "5", false, Bias::as_is, false}, {}, pump},
          {"power", {"0", "6", false, Bias::as_is, true}, {}, std::nullopt}};
}

TEST_F(GpioDriver, AnOutputIsAsItIsSaidAtFirstAndIsSet) {
  start({{"door", {"0", "1"}}}, 10s, pump_and_power());
  ASSERT_TRUE(reaches("pump", 0));
  ASSERT_TRUE(reaches("power", 1));
  EXPECT_EQ(sink_.info("pump")->kind, SeriesKind::boolean);
  ASSERT_NE(driver_->outlet(), nullptr);
  ASSERT_EQ(driver_->outlet()->points().size(), 1u);
  EXPECT_EQ(driver_->outlet()->points()[0].series, "pump");
  EXPECT_TRUE(driver_->outlet()->write("pump", "on"));
  EXPECT_TRUE(board_.level(1));
  EXPECT_TRUE(reaches("pump", 1));
  EXPECT_TRUE(driver_->outlet()->write("pump", "off"));
  EXPECT_TRUE(reaches("pump", 0));
}

TEST_F(GpioDriver, AnOutputThatDoesNotFollowIsAnError) {
  start({}, 10s, pump_and_power());
  ASSERT_TRUE(reaches("pump", 0));
  board_.hold(0);
  const Status status = driver_->outlet()->write("pump", "on");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::conflict);
  EXPECT_EQ(status.error().text, "pump: written, but it shows off instead of on");
}

TEST_F(GpioDriver, WhatCannotBeSetIsRefused) {
  start({}, 10s, pump_and_power());
  ASSERT_TRUE(reaches("power", 1));
  EXPECT_EQ(driver_->outlet()->write("pump", "fast").error().code, Errc::invalid);
  EXPECT_EQ(driver_->outlet()->write("power", "off").error().code, Errc::not_found) << "it does not say writable";
  EXPECT_TRUE(board_.level(1));
}

TEST_F(GpioDriver, AnOutputOfAChipThatIsAwayIsNotSetAndBeginsAnew) {
  start({}, 100ms, pump_and_power());
  ASSERT_TRUE(reaches("pump", 0));
  ASSERT_TRUE(driver_->outlet()->write("pump", "on"));
  board_.unplug(true);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_EQ(sink_.last("pump")->quality, Quality::bad);
  const Status status = driver_->outlet()->write("pump", "on");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().text, AllOf(HasSubstr("pump: not written: "), HasSubstr("No such")));
  board_.unplug(false);
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
  EXPECT_TRUE(reaches("pump", 0));
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
  EXPECT_THAT(driver_->outlet()->write("box/valve", "open").error().text, HasSubstr("its lines are not opened yet"));
}

TEST_F(GpioDriver, WithoutSuchAChipIsDownAndSaysSo) {
  std::string why;
  driver_ = test::make_driver(
      "{name: box, type: gpio, inputs: [{name: a, chip: gpiochip250, line: '3'}, {name: b, "
      "line: NOSUCHLINE, read: pulses, debounce: 5ms}]}",
      clock_, metrics_, why);
  ASSERT_NE(driver_, nullptr) << why;
  thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
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
