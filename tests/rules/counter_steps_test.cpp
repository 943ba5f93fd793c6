#include "rules/counter_steps.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "rules/counted.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;

double counted_of(const std::vector<double>& readings) {
  Steps all;
  for (const double reading : readings) all = merged(all, Steps::of({}, reading));
  return all.counted;
}

TEST(CounterSteps, BelowTheHalfItBeganAnew) {
  EXPECT_EQ(counted_of({100, 102, 1, 2}), 4);
  EXPECT_EQ(counted_of({5000, 5010, 0, 3}), 13);
  EXPECT_EQ(counted_of({5000, 2499}), 2499);
  EXPECT_EQ(counted_of({5000, -3, 2}), 5) << "from below 0 it rises like any other";
}

TEST(CounterSteps, AboveItOnlyWobbled) {
  EXPECT_NEAR(counted_of({52310.8, 52310.79, 52310.8}), 0, 1e-9);
  EXPECT_NEAR(counted_of({52310.8, 52310.79, 52310.78, 52311}), 0.2, 1e-9);
  EXPECT_EQ(counted_of({131'071, 65'536, 131'075}), 4) << "read in two halves";
}

TEST(CounterSteps, ThatAreBackWhereTheyWereDidNotBeginAnew) {
  EXPECT_NEAR(counted_of({52310.8, 0, 52310.9}), 0.1, 1e-9);
  EXPECT_NEAR(counted_of({52310.8, 0, 0, 0, 52310.9, 52311}), 0.2, 1e-9);
  EXPECT_NEAR(counted_of({52310.8, 0, 52310.8, 0, 52310.9}), 0.1, 1e-9);
  EXPECT_NEAR(counted_of({52.31, 0, 52.31}), 0, 1e-9);
  EXPECT_EQ(counted_of({5231, 0, 5231}), 0);
  EXPECT_EQ(counted_of({5231, 0, 1, 2, 5231}), 5231) << "one that counts is no misread one";
  EXPECT_EQ(counted_of({200, 0, 300}), 300) << "so much more may be another day";
}

TEST(CounterSteps, OfAConditionIsHowOftenItBecameTrue) {
  EXPECT_EQ(counted_of({0, 1, 1, 0, 1, 0, 0, 1}), 3);
  EXPECT_EQ(counted_of({2, 3, 0, 3}), 4) << "few are soon counted again";
}

TEST(CounterSteps, ThatWrapLoseNoMoreThanWhatWasLeft) {
  EXPECT_EQ(counted_of({4294967280, 4294967290, 5, 9}), 19);
  EXPECT_EQ(counted_of({4294967290, 4294967296, 5, 9}), 15) << "a driver that sees it says so";
}

/// However a row is cut into runs, and runs are put together.
TEST(CounterSteps, AreTheSameInWhateverPieces) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> readings;
    double value = 200;
    for (int i = 0; i < 12; ++i) {
      value += static_cast<double>(random() % 3);
      const double odd[] = {value, value, value - 2, 0, 0};
      const std::uint64_t which = random() % 5;
      readings.push_back(odd[which]);
      if (random() % 12 == 0) value = static_cast<double>(random() % 10);
    }
    std::vector<Steps> runs;
    for (const double reading : readings) runs.push_back(Steps::of({}, reading));
    while (runs.size() > 1) {
      const auto at = static_cast<std::ptrdiff_t>(random() % (runs.size() - 1));
      runs[static_cast<std::size_t>(at)] =
          merged(runs[static_cast<std::size_t>(at)], runs[static_cast<std::size_t>(at) + 1]);
      runs.erase(runs.begin() + at + 1);
    }
    CounterSteps one_by_one;
    double sum = 0;
    for (const double reading : readings) sum += one_by_one.next(reading);
    EXPECT_NEAR(runs.front().counted, counted_of(readings), 1e-6);
    EXPECT_NEAR(sum, counted_of(readings), 1e-6);
  }
}

TEST(CountWindow, CountsNoRegisterAnewForAWobble) {
  CountWindow window(seconds(60));
  int second = 0;
  for (const double reading : {52310.7, 52310.8, 52310.79, 52310.8, 0.0, 52310.9})
    window.add(Timestamp(seconds(++second)), reading);
  EXPECT_NEAR(window.counted(), 0.2, 1e-6);
}

}  // namespace
}  // namespace tidegate::rules
