#include "gateway/core/clock.h"

#include <gtest/gtest.h>

#include <thread>

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

/// The two clocks of a machine, moved by hand.
struct Machine {
  static inline std::int64_t boot = 0, wall = 0;
  static std::int64_t read(clockid_t id) { return id == CLOCK_REALTIME ? wall : boot; }
  static void go(Micros by) {
    boot += by.count();
    wall += by.count();
  }
  static void set(Micros by) { wall += by.count(); }
};

TEST(GatewayClock, MeetsASystemClockThatWasSetBackAndNeverRunsBackwards) {
  Machine::boot = 1'000'000;
  Machine::wall = 1'700'000'000'000'000;
  GatewayClock clock(Machine::read);
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
  Machine::boot = 1'000'000;
  Machine::wall = 0;  // no clock of its own, before the first synchronisation
  GatewayClock clock(Machine::read);
  EXPECT_EQ(clock.now(), Timestamp{});
  Machine::set(std::chrono::hours(24 * 365 * 50));
  EXPECT_EQ(clock.correct(), std::optional<Micros>(std::chrono::hours(24 * 365 * 50)));
  EXPECT_EQ(clock.now(), Timestamp{Micros{Machine::wall}});
}

constexpr Timestamp kToday{std::chrono::seconds(1'800'000'000)};

TEST(ClockBeginning, IsTheSystemsWhereThatHasGoneOn) {
  EXPECT_EQ(beginning(kToday, kToday - 1h), kToday);
  EXPECT_EQ(beginning(kToday, kToday), kToday);
  EXPECT_EQ(beginning(kToday, Timestamp{}), kToday) << "nothing was ever committed";
}

TEST(ClockBeginning, IsWhereTheLastRunLeftOffIfTheSystemsCameBackBehindIt) {
  EXPECT_EQ(beginning(kToday - 1h, kToday), kToday);
  EXPECT_EQ(beginning(Timestamp{5s}, kToday), kToday) << "a box without a clock, in 1970";
}

TEST(ClockBeginning, OneRunWithAWrongClockDoesNotPinItForEver) {
  EXPECT_EQ(beginning(kToday, kToday + 24h * 365), kToday);
  EXPECT_EQ(beginning(kToday, kToday + 25h), kToday);
}

TEST(GatewayClock, GoesOnFromWhereTheLastRunLeftOff) {
  Machine::boot = 1'000'000;
  Machine::wall = kToday.time_since_epoch().count();
  GatewayClock clock(Machine::read);
  EXPECT_EQ(clock.begin_after(kToday + 1h), Micros{1h});
  EXPECT_EQ(clock.now(), kToday + 1h);
  Machine::go(1s);
  EXPECT_FALSE(clock.correct()) << "it is known";
  EXPECT_GT(clock.now(), kToday + 1h);
  EXPECT_LT(clock.now(), kToday + 1h + 1s) << "the two will meet";
}

TEST(GatewayClock, RunsAtItsOwnPaceWhileTheSystemClockWasNeverSet) {
  Machine::boot = 1'000'000;
  Machine::wall = 5'000'000;
  GatewayClock clock(Machine::read);
  clock.begin_after(kToday);
  for (int i = 0; i < 1000; ++i) {
    Machine::go(1s);
    EXPECT_FALSE(clock.correct());
  }
  EXPECT_EQ(clock.now(), kToday + 1000s);
  Machine::set(kToday + 900s - Timestamp{Micros{Machine::wall}});
  EXPECT_EQ(clock.correct(), Micros{-100s}) << "now it was";
  Machine::go(1s);
  clock.correct();
  EXPECT_GT(clock.now(), kToday + 1000s);
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

}  // namespace
}  // namespace tidegate
