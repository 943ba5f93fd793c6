#include "gateway/core/clock.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "gateway/core/device_time.h"
#include "tests/fakes/machine.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

constexpr Micros kTolerance = 500ms;

TEST(ClockCorrection, ADifferenceWithinTheToleranceIsNoStep) {
  for (const Micros difference : {Micros{0}, Micros{500ms}, Micros{-500ms}}) {
    const auto done = correction(difference, Micros{0}, 1s, kTolerance);
    EXPECT_EQ(done.adopt, Micros{0});
    EXPECT_EQ(done.held, Micros{0});
    EXPECT_FALSE(done.report);
  }
}

TEST(ClockCorrection, AStepForwardsIsAdoptedAtOnceAndTold) {
  const auto done = correction(30s, Micros{0}, 1s, kTolerance);
  EXPECT_EQ(done.adopt, Micros{30s});
  EXPECT_EQ(done.held, Micros{0});
  EXPECT_EQ(done.report, Micros{30s});
}

TEST(ClockCorrection, AStepBackwardsIsSlewedAndToldOnce) {
  const auto first = correction(-1h, Micros{0}, 1s, kTolerance);
  EXPECT_EQ(first.adopt, Micros{-125ms});
  EXPECT_EQ(first.held, Micros{-1h + 125ms});
  EXPECT_EQ(first.report, Micros{-1h});
  const auto again = correction(first.held, first.held, 1s, kTolerance);
  EXPECT_EQ(again.adopt, Micros{-125ms});
  EXPECT_FALSE(again.report);
}

TEST(ClockCorrection, ASecondStepWhileOneIsHeldIsToldToo) {
  EXPECT_EQ(correction(-2h, -1h, 1s, kTolerance).report, Micros{-2h});
  EXPECT_EQ(correction(-10min, -2h, 1s, kTolerance).report, Micros{-10min});
}

TEST(ClockCorrection, NoMoreIsTakenOffThanThereIs) {
  EXPECT_EQ(correction(-600ms, -600ms, 1h, kTolerance).adopt, Micros{-600ms});
}

TEST(ClockCorrection, IsKnownToTheCompiler) {
  static_assert(correction(Micros{-2s}, Micros{0}, Micros{1s}, kTolerance).adopt == Micros{-125ms});
  static_assert(correction(Micros{2s}, Micros{-5s}, Micros{1s}, kTolerance).adopt == Micros{2s});
}

using test::Machine;

TEST(GatewayClock, MeetsASystemClockThatWasSetBackAndNeverRunsBackwards) {
  Machine::start(Timestamp{1'700'000'000s});
  GatewayClock clock(Machine::read, Machine::is_kept);
  Machine::set(-1h);
  Timestamp last = clock.now();
  int reports = 0;
  int seconds = 0;
  const auto difference = [&] { return clock.now() - Timestamp{Micros{Machine::wall}}; };
  for (; difference() > kTolerance && seconds < 10 * 3600; ++seconds) {
    reports += clock.correct() ? 1 : 0;
    for (int i = 0; i < 10; ++i) {
      Machine::go(100ms);
      const Timestamp now = clock.now();
      ASSERT_GE(now, last);
      last = now;
    }
  }
  EXPECT_EQ(reports, 1);
  EXPECT_NEAR(seconds, 8 * 3600, 60) << "an eighth of the time is taken off";
  Machine::set(-1h);
  EXPECT_TRUE(clock.correct()) << "the next step is news again";
}

TEST(GatewayClock, TakesAStepForwardsAtOnce) {
  Machine::start(Timestamp{});  // no clock of its own, before the first synchronisation
  GatewayClock clock(Machine::read, Machine::is_kept);
  EXPECT_EQ(clock.now(), Timestamp{});
  Machine::set(std::chrono::hours(24 * 365 * 50));
  EXPECT_EQ(clock.correct(), std::optional<Micros>(std::chrono::hours(24 * 365 * 50)));
  EXPECT_EQ(clock.now(), Timestamp{Micros{Machine::wall}});
}

constexpr Timestamp kToday{std::chrono::seconds(1'800'000'000)};

TEST(ClockBeginning, IsTheSystemsWhereThatHasGoneOn) {
  EXPECT_EQ(beginning(kToday, kToday - 1h, true), kToday);
  EXPECT_EQ(beginning(kToday, kToday, true), kToday);
  EXPECT_EQ(beginning(kToday, Timestamp{}, true), kToday) << "nothing was ever committed";
}

TEST(ClockBeginning, IsWhereTheLastRunLeftOffIfTheSystemsCameBackBehindIt) {
  EXPECT_EQ(beginning(kToday - 1h, kToday, true), kToday);
  EXPECT_EQ(beginning(Timestamp{5s}, kToday, false), kToday) << "a box without a clock, in 1970";
  EXPECT_EQ(beginning(kToday - 24h * 365, kToday, false), kToday) << "and one that begins with its card's date";
}

TEST(ClockBeginning, OneRunWithAWrongClockDoesNotPinItForEver) {
  EXPECT_EQ(beginning(kToday, kToday + 24h * 365, true), kToday);
  EXPECT_EQ(beginning(kToday, kToday + 25h, true), kToday);
}

TEST(GatewayClock, GoesOnFromWhereTheLastRunLeftOff) {
  Machine::start(kToday);
  GatewayClock clock(Machine::read, Machine::is_kept);
  EXPECT_EQ(clock.begin_after(kToday + 1h), Micros{1h});
  EXPECT_EQ(clock.now(), kToday + 1h);
  Machine::go(1s);
  EXPECT_FALSE(clock.correct()) << "it is known";
  EXPECT_GT(clock.now(), kToday + 1h);
  EXPECT_LT(clock.now(), kToday + 1h + 1s) << "the two will meet";
}

TEST(GatewayClock, RunsAtItsOwnPaceWhileTheSystemClockWasNeverSet) {
  Machine::start(Timestamp{5s});
  GatewayClock clock(Machine::read, Machine::is_kept);
  clock.begin_after(kToday);
  for (int i = 0; i < 1000; ++i) {
    Machine::go(1s);
    EXPECT_FALSE(clock.correct());
  }
  EXPECT_EQ(clock.now(), kToday + 1000s);
  Machine::set(kToday + 900s);
  EXPECT_EQ(clock.correct(), Micros{-100s}) << "now it was";
  Machine::go(1s);
  clock.correct();
  EXPECT_GT(clock.now(), kToday + 1000s);
}

TEST(ClockState, IsSetByTheNetworkOrABatteryAndAwaitedForTenMinutes) {
  EXPECT_EQ(clock_state(kToday, 1s, true), ClockState::set);
  EXPECT_EQ(clock_state(kToday, 1s, false), ClockState::unset) << "yesterday's time, out of a file";
  EXPECT_EQ(clock_state(Timestamp{5s}, 5s, true), ClockState::unset) << "the battery has run out";
  EXPECT_EQ(clock_state(kToday, 10min - 1us, false), ClockState::unset);
  EXPECT_EQ(clock_state(kToday, 10min, false), ClockState::given_up);
  EXPECT_EQ(clock_state(Timestamp{10min}, 10min, true), ClockState::given_up);
}

/// A box without a battery, a second after its start.
class UnsetClock : public testing::Test {
 protected:
  UnsetClock() { Machine::start(Timestamp{5s}, false); }
};

TEST_F(UnsetClock, SaysSoUntilItIsSetAndIsThenSetForTheRun) {
  GatewayClock clock(Machine::read, Machine::is_kept);
  EXPECT_EQ(clock.state(), ClockState::unset);
  EXPECT_FALSE(clock.moment().settled);
  EXPECT_EQ(clock.moment().ahead, Micros{4s});
  Machine::set(kToday - Timestamp{5s});
  EXPECT_EQ(clock.correct(), Micros{kToday - Timestamp{5s}}) << "somebody did, but it need not stay so";
  EXPECT_FALSE(clock.moment().settled);
  Machine::kept = true;
  EXPECT_FALSE(clock.correct());
  EXPECT_TRUE(clock.moment().settled);
  EXPECT_EQ(clock.moment().ahead, Micros{kToday - Timestamp{1s}});
  Machine::kept = false;
  clock.correct();
  EXPECT_EQ(clock.state(), ClockState::set);
}

TEST_F(UnsetClock, IsGivenUpAfterTenMinutesAndMayBeSetStill) {
  GatewayClock clock(Machine::read, Machine::is_kept);
  Machine::go(10min);
  clock.correct();
  EXPECT_EQ(clock.state(), ClockState::given_up);
  EXPECT_TRUE(clock.moment().settled);
  Machine::set(kToday - Timestamp{});
  Machine::kept = true;
  EXPECT_TRUE(clock.correct());
  EXPECT_EQ(clock.state(), ClockState::set);
}

TEST_F(UnsetClock, IsNoMeasureWhereItComesBackBehindTheLastRun) {
  Machine::set(kToday - 1h);
  GatewayClock clock(Machine::read, Machine::is_kept);
  clock.begin_after(kToday);
  Machine::go(8s);
  EXPECT_FALSE(clock.correct());
  EXPECT_EQ(clock.now(), kToday + 8s) << "it does not wait for a time that nobody vouches for";
}

TEST(GatewayClock, NoTimeIsLostOrTakenBackByALeapSecond) {
  Machine::start(kToday);
  GatewayClock clock(Machine::read, Machine::is_kept);
  Timestamp last = clock.now();
  Machine::set(-1s);  // the kernel repeats the second
  int told = 0;
  for (int i = 0; i < 60; ++i) {
    Machine::go(1s);
    told += clock.correct() ? 1 : 0;
    EXPECT_GT(clock.now(), last);
    last = clock.now();
  }
  EXPECT_EQ(told, 1);
  EXPECT_LE(clock.now() - Timestamp{Micros{Machine::wall}}, kTolerance);
}

TEST(Restamp, MovesWhatTheGatewaysClockStampedAndNoDevices) {
  std::vector<Sample> samples(4);
  const Timestamp times[] = {Timestamp{-1us}, Timestamp{0us}, Timestamp{90s}, kToday};
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].time = times[i];
  restamp(samples, Timestamp{}, Timestamp{90s}, 24h);
  EXPECT_EQ(samples[0].time, times[0]);
  EXPECT_EQ(samples[1].time, times[1] + 24h);
  EXPECT_EQ(samples[2].time, times[2] + 24h);
  EXPECT_EQ(samples[3].time, times[3]);
}

TEST(BootId, IsTheSameForAsLongAsTheMachineRuns) {
  EXPECT_EQ(boot_id().size(), 36u);
  EXPECT_EQ(boot_id(), boot_id());
}

TEST(GatewayClock, StartsAtTheSystemClockAndNeverRunsBackwards) {
  const GatewayClock clock;
  const auto system = std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  EXPECT_LT(std::chrono::abs(clock.now() - system), 5s);
  Timestamp last = clock.now();
  for (int i = 0; i < 10'000; ++i) {
    const Timestamp now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(GatewayClock, MovesWithTime) {
  const GatewayClock clock;
  const Timestamp before = clock.now();
  std::this_thread::sleep_for(20ms);
  EXPECT_GE(clock.now() - before, Micros{20ms});
}

TEST(GatewayClock, WithoutAStepThereIsNothingToCorrect) {
  GatewayClock clock;
  EXPECT_FALSE(clock.correct(1h));
  EXPECT_FALSE(clock.correct(1h));
}

TEST(FakeClock, StandsStillUntilTold) {
  FakeClock clock(Timestamp{10s});
  EXPECT_EQ(clock.now(), Timestamp{10s});
  clock.advance(250ms);
  EXPECT_EQ(clock.now(), Timestamp{10'250ms});
  clock.set(Timestamp{5s});
  EXPECT_EQ(clock.now(), Timestamp{5s});
}

TEST(Clock, ADevicesTimeIsBelievedFrom2000ToFiveMinutesAhead) {
  using namespace std::chrono;
  constexpr Timestamp kNow = sys_days{2026y / 3 / 1}, kFirst = sys_days{2000y / 1 / 1};
  EXPECT_TRUE(believable(kFirst, kNow));
  EXPECT_FALSE(believable(kFirst - Micros{1}, kNow));
  EXPECT_TRUE(believable(kNow + minutes(5), kNow));
  EXPECT_FALSE(believable(kNow + minutes(5) + Micros{1}, kNow));
  EXPECT_TRUE(believable(kNow, Timestamp{sys_days{1970y / 1 / 2}}))
      << "by a clock that nobody has set nothing is judged";
}

}  // namespace
}  // namespace tidegate
