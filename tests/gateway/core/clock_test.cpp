#include "gateway/core/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

constexpr Micros kTolerance = 500ms;

TEST(ClockCorrection, ADifferenceWithinTheToleranceIsNoStep) {
  for (const Micros difference : {Micros{0}, Micros{500ms}, Micros{-500ms}}) {
    const auto done = correction(difference, Micros{0}, kTolerance);
    EXPECT_EQ(done.adopt, Micros{0});
    EXPECT_EQ(done.held, Micros{0});
    EXPECT_FALSE(done.report);
  }
}

TEST(ClockCorrection, AStepForwardsIsAdoptedAtOnceAndTold) {
  const auto done = correction(30s, Micros{0}, kTolerance);
  EXPECT_EQ(done.adopt, Micros{30s});
  EXPECT_EQ(done.held, Micros{0});
  EXPECT_EQ(done.report, Micros{30s});
}

TEST(ClockCorrection, AStepBackwardsIsHeldAndToldOnce) {
  const auto first = correction(-1h, Micros{0}, kTolerance);
  EXPECT_EQ(first.adopt, Micros{0});
  EXPECT_EQ(first.report, Micros{-1h});
  const auto again = correction(-1h + 100ms, first.held, kTolerance);
  EXPECT_EQ(again.adopt, Micros{0});
  EXPECT_FALSE(again.report);
}

TEST(ClockCorrection, ASecondStepWhileOneIsHeldIsToldToo) {
  const auto further = correction(-2h, -1h, kTolerance);
  EXPECT_EQ(further.adopt, Micros{0});
  EXPECT_EQ(further.report, Micros{-2h});
  const auto nearer = correction(-10min, -2h, kTolerance);
  EXPECT_EQ(nearer.adopt, Micros{0});
  EXPECT_EQ(nearer.report, Micros{-10min});
}

TEST(ClockCorrection, ASlowDriftThatAddsUpWhileHeldIsToldAgain) {
  Micros held = -1h;
  int told = 0;
  for (Micros difference = -1h; difference > -1h - 2s; difference -= 100ms) {
    const auto done = correction(difference, held, kTolerance);
    held = done.held;
    told += done.report ? 1 : 0;
  }
  EXPECT_EQ(told, 3);
}

TEST(ClockCorrection, TheHoldEndsWhenTheSystemClockHasCaughtUp) {
  const auto caught_up = correction(-200ms, -1h, kTolerance);
  EXPECT_EQ(caught_up.held, Micros{0});
  EXPECT_FALSE(caught_up.report);
  EXPECT_EQ(correction(-1h, caught_up.held, kTolerance).report, Micros{-1h});
}

TEST(ClockCorrection, IsKnownToTheCompiler) {
  static_assert(correction(Micros{-2s}, Micros{0}, kTolerance).adopt == Micros{0});
  static_assert(correction(Micros{2s}, Micros{-5s}, kTolerance).adopt == Micros{2s});
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
