// The robust slope against its definition, computed anew from all samples at every one.

#include "rules/robust_slope.h"

#include <algorithm>
#include <cmath>

#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;

/// The first sample of each 1/128 of the window on the clock; of those in the window the median of all slopes.
std::optional<double> by_definition(const std::vector<Sample>& all, Micros width) {
  std::vector<Sample> held;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto cell = [&](const Sample& of) { return of.time.time_since_epoch().count() * 128 / width.count(); };
    const bool is_first = i == 0 || cell(all[i]) != cell(all[i - 1]);
    if (is_first && all[i].time > all.back().time - width) held.push_back(all[i]);
  }
  std::vector<double> slopes;
  for (std::size_t i = 0; i < held.size(); ++i) {
    for (std::size_t j = i + 1; j < held.size(); ++j)
      slopes.push_back((held[j].value - held[i].value) /
                       (static_cast<double>((held[j].time - held[i].time).count()) * 1e-6));
  }
  if (slopes.empty()) return std::nullopt;
  std::sort(slopes.begin(), slopes.end());
  return (slopes[slopes.size() / 2] + slopes[(slopes.size() - 1) / 2]) / 2;
}

TEST(RobustSlope, IsItsDefinition) {
  for (const auto width : {Micros(seconds(5)), Micros(seconds(40)), Micros(seconds(200))}) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      RobustSlopeWindow window(width);
      std::vector<Sample> all;
      for (const Sample& sample : restless(seed, 700)) {
        all.push_back(sample);
        window.add(sample.time, sample.value);
        const auto slope = by_definition(all, width);
        ASSERT_EQ(window.slope().has_value(), slope.has_value()) << all.size();
        if (slope) {
          ASSERT_NEAR(*window.slope(), *slope, 1e-12 * std::max(1.0, std::abs(*slope))) << all.size();
        }
      }
    }
  }
}

TEST(RobustSlope, OutliersLeaveItWhereItWas) {
  std::mt19937_64 random(3);
  RobustSlopeWindow window(seconds(60));
  for (int i = 0; i < 600; ++i) {
    const bool is_outlier = random() % 5 == 0;
    window.add(kStart + seconds(i), is_outlier ? 1e6 * static_cast<double>(random() % 100) : 20 + 0.25 * i);
    if (i < 60) continue;
    ASSERT_NEAR(*window.slope(), 0.25, 1e-9) << i;
  }
}

TEST(RobustSlope, IsBounded) {
  RobustSlopeWindow window(seconds(60));
  for (int i = 0; i < 20'000; ++i) window.add(kStart + std::chrono::milliseconds(10 * i), i);
  EXPECT_GE(window.count(), RobustSlopeWindow::kSureSamples);
  EXPECT_LE(window.count(), 129u);
  EXPECT_DOUBLE_EQ(*window.slope(), 100);
}

TEST(RobustSlope, WhatLeavesADoubleSaysNothing) {
  RobustSlopeWindow window(seconds(60));
  window.add(kStart, -1e308);
  window.add(kStart + std::chrono::milliseconds(500), 1e308);
  EXPECT_FALSE(window.slope());
}

TEST(RobustTrend, ARestartForgetsNothing) {
  for (std::uint64_t seed = 0; seed < 2; ++seed)
    expect_lookback_suffices("trend: {rising: 0.2 /s, over: 20s, robust: true}", seed);
}

TEST(RobustTrend, IsNotForCounters) {
  SeriesInfo counter;
  counter.kind = SeriesKind::counter;
  EXPECT_FALSE(watch("trend: {rising: 1 /s, over: 20s, robust: true}", counter));
  EXPECT_TRUE(watch("trend: {rising: 1 /s, over: 20s}", counter));
}

}  // namespace
}  // namespace tidegate::rules
