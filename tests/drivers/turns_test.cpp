#include "drivers/turns.h"

#include <gtest/gtest.h>

#include <vector>

#include "drivers/polled.h"
#include "drivers/poller.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;

/// What a test lets pass on its clock while a turn reads, and from its end to the next one's beginning.
struct Passing {
  Micros reading, between;
};

/// Reads in no time but what it is told; the clock stands still beside that, so that no figure is of the machine.
class Slow final : public PolledDevice {
 public:
  Slow(FakeClock& clock, std::vector<Passing> script, std::stop_source& stop)
      : clock_(clock), script_(std::move(script)), stop_(stop) {}

  Status open(Sink&) override { return {}; }
  Result<std::string> read(std::size_t, Turn&) override {
    clock_.advance(script_[at_].reading);
    return "";
  }
  void lose(std::size_t, Reason, Turn&) override {}
  // Asked for when a turn is over.
  std::string notice() const override {
    clock_.advance(script_[at_].between);
    if (++at_ == script_.size()) stop_.request_stop();
    return {};
  }

 private:
  FakeClock& clock_;
  const std::vector<Passing> script_;
  std::stop_source& stop_;
  mutable std::size_t at_ = 0;
};

/// Each `between` ends at the next turn's time or after it, so that nothing is waited for.
class TurnsOfASource : public testing::Test {
 protected:
  void play(Micros every, std::vector<Passing> script) {
    std::stop_source stop;
    std::vector<Polled> devices;
    devices.push_back({"", {every}, std::make_unique<Slow>(clock_, std::move(script), stop)});
    driver_ = make_polled(std::move(devices), "one device", {"line", clock_, metrics_});
    EXPECT_FALSE(driver_->turns()) << "no turn was taken";
    EXPECT_TRUE(driver_->run(sink_, stop.get_token()));
    ASSERT_TRUE(driver_->turns());
    turns_ = *driver_->turns();
  }

  FakeClock clock_{Timestamp{1'700'000'000s}};
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  Turns turns_;
};

TEST_F(TurnsOfASource, ThatComeInTimeAreNotLate) {
  play(1s, {{12ms, 988ms}, {3ms, 997ms}, {5ms, 0ms}});
  EXPECT_EQ(turns_.lateness, 0);
  EXPECT_DOUBLE_EQ(turns_.time, 0.012);
  EXPECT_EQ(turns_.missed, 0u);
}

TEST_F(TurnsOfASource, AreToldWithHowLateTheyBegan) {
  play(1s, {{10ms, 993ms}, {10ms, 987ms}, {10ms, 0ms}});
  EXPECT_DOUBLE_EQ(turns_.lateness, 0.003) << "of the second turn; the third was in time";
  EXPECT_EQ(turns_.missed, 0u);
}

TEST_F(TurnsOfASource, AreMetricsToo) {
  play(1s, {{10ms, 990ms}, {3250ms, 0ms}, {10ms, 0ms}});
  EXPECT_DOUBLE_EQ(metrics_.gauge("source/line/turn_lateness", "s", "").value(), 2.25);
  EXPECT_DOUBLE_EQ(metrics_.gauge("source/line/turn_time", "s", "").value(), 3.25);
  EXPECT_EQ(metrics_.counter("source/line/missed_turns", "", "").value(), 2);
}

TEST_F(TurnsOfASource, TheLatestIsForgottenAfterAMinuteOrTwo) {
  std::vector<Passing> script = {{1ms, 999ms + 40ms}, {200ms, 760ms}};
  script.resize(60, {1ms, 999ms});
  play(1s, script);
  EXPECT_DOUBLE_EQ(turns_.lateness, 0.040) << "a minute is not over";
  EXPECT_DOUBLE_EQ(turns_.time, 0.200);
  clock_.set(Timestamp{1'700'010'000s});
  script.resize(125, {1ms, 999ms});
  play(1s, script);
  EXPECT_EQ(turns_.lateness, 0);
  EXPECT_DOUBLE_EQ(turns_.time, 0.001);
}

TEST_F(TurnsOfASource, ALongerOneThanTheIntervalMissesTurns) {
  // Of the turns at 1 s to 5 s the first is late, and the others came while it was waited for.
  play(1s, {{5300ms, 0ms}, {10ms, 0ms}});
  EXPECT_DOUBLE_EQ(turns_.lateness, 4.3);
  EXPECT_DOUBLE_EQ(turns_.time, 5.3);
  EXPECT_EQ(turns_.missed, 4u);
}

TEST_F(TurnsOfASource, OneThatEndsBeforeTheNextMissesNone) {
  play(1s, {{999ms, 1ms}, {999ms, 1ms}, {999ms, 0ms}});
  EXPECT_EQ(turns_.lateness, 0);
  EXPECT_EQ(turns_.missed, 0u);
}

TEST_F(TurnsOfASource, AStepOfTheClockIsNoneOfTheirs) {
  play(1s, {{10ms, 24h * 365}, {24h * 365, 0ms}, {10ms, 0ms}});
  EXPECT_EQ(turns_.lateness, 0);
  EXPECT_DOUBLE_EQ(turns_.time, 0.010);
  EXPECT_EQ(turns_.missed, 0u);
}

/// Shows those times, one at each look, and the last for ever.
class ScriptedClock final : public Clock {
 public:
  explicit ScriptedClock(std::vector<Micros> times) : times_(std::move(times)) {}
  Timestamp now() const override { return Timestamp{times_[at_ + 1 < times_.size() ? at_++ : at_]}; }

 private:
  const std::vector<Micros> times_;
  mutable std::size_t at_ = 0;
};

TEST(TurnsOfAPoll, AreMeasuredFromTheTimeThatWasPlanned) {
  // It looks before it waits for its turn at 10 s, when it has waited, and when it has polled; then it is over.
  const ScriptedClock clock({9'999ms, 10'007ms, 10'020ms});
  Metrics metrics;
  TurnMeter turns({"box", clock, metrics});
  std::stop_source stop;
  poll_aligned(1s, clock, turns, stop.get_token(), [&](Timestamp now) {
    EXPECT_EQ(now, Timestamp{10'007ms});
    stop.request_stop();
  });
  ASSERT_TRUE(turns.turns());
  EXPECT_DOUBLE_EQ(turns.turns()->lateness, 0.007);
  EXPECT_DOUBLE_EQ(turns.turns()->time, 0.013);
  EXPECT_EQ(turns.turns()->missed, 0u);
}

TEST(TurnsOfAPoll, ALongOneMissesThoseThatCameMeanwhile) {
  const ScriptedClock clock({9'999ms, 10'000ms, 12'500ms});
  Metrics metrics;
  TurnMeter turns({"box", clock, metrics});
  std::stop_source stop;
  poll_aligned(1s, clock, turns, stop.get_token(), [&](Timestamp) { stop.request_stop(); });
  ASSERT_TRUE(turns.turns());
  EXPECT_DOUBLE_EQ(turns.turns()->time, 2.5);
  EXPECT_EQ(turns.turns()->missed, 2u);
}

TEST(TurnsOfAPoll, ThatWereMissedAreCountedWithTheTurnThatMissedThem) {
  // Of a turn at 10 s that is over at 12.5 s, the next at 13 s, and the clock that is set while that one polls.
  const ScriptedClock clock({9'999ms, 10'000ms, 12'500ms, 13'000ms, 2h});
  Metrics metrics;
  TurnMeter turns({"box", clock, metrics});
  std::stop_source stop;
  std::vector<Timestamp> polls;
  poll_aligned(1s, clock, turns, stop.get_token(), [&](Timestamp now) {
    polls.push_back(now);
    if (polls.size() == 2) stop.request_stop();
  });
  EXPECT_EQ(polls, (std::vector{Timestamp{10s}, Timestamp{13s}}));
  EXPECT_EQ(turns.turns()->missed, 2u) << "a step of the clock is none";
}

}  // namespace
}  // namespace tidegate::drivers
