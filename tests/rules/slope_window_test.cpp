#include "rules/slope_window.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <random>

namespace tidegate::rules {
namespace {

struct Point {
  Timestamp time;
  double value;
};

/// Two passes in long double over the very samples: the definition.
long double brute_force(const std::deque<Point>& points) {
  long double mean_time = 0, mean_value = 0;
  for (const Point& p : points) {
    mean_time += static_cast<long double>((p.time - points.front().time).count()) * 1e-6L;
    mean_value += static_cast<long double>(p.value) - static_cast<long double>(points.front().value);
  }
  const auto count = static_cast<long double>(points.size());
  mean_time /= count;
  mean_value /= count;
  long double tt = 0, tv = 0;
  for (const Point& p : points) {
    const long double t = static_cast<long double>((p.time - points.front().time).count()) * 1e-6L - mean_time;
    const long double v =
        static_cast<long double>(p.value) - static_cast<long double>(points.front().value) - mean_value;
    tt += t * t;
    tv += t * v;
  }
  return tv / tt;
}

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

TEST(SlopeWindow, AStraightLineHasItsSlope) {
  SlopeWindow window(std::chrono::seconds(60));
  for (int i = 0; i < 200; ++i) window.add(kStart + std::chrono::seconds(i), 20 + 0.5 * i);
  EXPECT_EQ(window.count(), 60u);
  EXPECT_DOUBLE_EQ(window.line()->slope, 0.5);
}

TEST(SlopeWindow, HoldsWhatIsYoungerThanItsWidth) {
  SlopeWindow window(std::chrono::seconds(10));
  for (const int second : {0, 5, 10}) window.add(kStart + std::chrono::seconds(second), 1);
  EXPECT_EQ(window.count(), 2u) << "t - w < time: the sample exactly as old as the window is out";
  EXPECT_EQ(window.span(), std::chrono::seconds(5));
}

TEST(SlopeWindow, OneTimeHasNoSlope) {
  SlopeWindow window(std::chrono::seconds(10));
  EXPECT_FALSE(window.line());
  window.add(kStart, 1);
  EXPECT_FALSE(window.line());
  window.add(kStart, 2);
  EXPECT_FALSE(window.line());
}

TEST(SlopeWindow, ValuesBeyondADoublesRangeHaveNoSlope) {
  SlopeWindow window(std::chrono::seconds(10));
  window.add(kStart, 1.7e308);
  window.add(kStart + std::chrono::seconds(1), -1.7e308);
  EXPECT_FALSE(window.line());
  for (int i = 20; i < 25; ++i) window.add(kStart + std::chrono::seconds(i), i);
  EXPECT_DOUBLE_EQ(window.line()->slope, 1) << "and leave no trace when they are gone";
}

TEST(SlopeWindow, ASpikeLeavesNoTrace) {
  SlopeWindow window(std::chrono::seconds(100));
  for (int i = 0; i < 1000; ++i) window.add(kStart + std::chrono::seconds(i), i == 500 ? 1e15 : 0.001 * i);
  EXPECT_NEAR(window.line()->slope, 0.001, 1e-15);
}

/// Three million samples of a small wandering signal on an offset of 10^9, at uneven times with gaps.
TEST(SlopeWindow, StaysExactOverMillionsOfSamplesAtALargeOffset) {
  std::mt19937_64 random(20260301);
  std::normal_distribution<double> noise(0, 0.01);
  SlopeWindow window(std::chrono::seconds(120));
  std::deque<Point> points;
  Timestamp now = kStart;
  double walk = 0;
  long double worst = 0;
  for (int i = 0; i < 3'000'000; ++i) {
    now += Micros{static_cast<std::int64_t>(random() % 2'000'000)};
    if (random() % 50'000 == 0) now += std::chrono::minutes(3);
    walk += noise(random);
    points.push_back({now, 1e9 + walk});
    while (points.front().time <= now - std::chrono::seconds(120)) points.pop_front();
    window.add(now, points.back().value);
    ASSERT_EQ(window.count(), points.size());
    if (i % 997 != 0 || points.size() < 3) continue;
    const long double expected = brute_force(points);
    worst = std::max(worst, std::abs(static_cast<long double>(window.line()->slope) - expected) /
                                std::max(std::abs(expected), 1e-6L));
  }
  EXPECT_LT(worst, 1e-9L);
  RecordProperty("worst_relative_error", std::to_string(static_cast<double>(worst)));
}

TEST(SlopeWindow, ADenseWindowIsBoundedAndKeepsItsSlope) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0, 1);
  SlopeWindow window(std::chrono::seconds(100));
  std::deque<Point> points;
  for (int i = 0; i < 300'000; ++i) {  // a thousand a second: 100,000 in the window
    const Timestamp now = kStart + std::chrono::milliseconds(i);
    points.push_back({now, 1e9 + 2e-3 * i + noise(random)});
    while (points.front().time <= now - std::chrono::seconds(100)) points.pop_front();
    window.add(now, points.back().value);
    ASSERT_LE(window.runs(), SlopeWindow::kMaxRuns);
    if (i % 10'000 != 9'999) continue;
    ASSERT_NEAR(static_cast<double>(window.count()), static_cast<double>(points.size()), 100.0 / 4096 * 1000 + 2);
    const double expected = static_cast<double>(brute_force(points));
    ASSERT_NEAR(window.line()->slope, expected, std::abs(expected) * 0.002);
  }
}

/// Two standard errors of the line, from the definition, `x` seconds after the newest sample.
double two_errors(const std::deque<Point>& points, double x) {
  double mean = 0, tt = 0, residuals = 0;
  const auto age = [&](const Point& p) { return static_cast<double>((p.time - points.back().time).count()) * 1e-6; };
  const auto n = static_cast<double>(points.size());
  for (const Point& p : points) mean += age(p) / n;
  double value = 0;
  for (const Point& p : points) value += p.value / n;
  const auto slope = static_cast<double>(brute_force(points));
  for (const Point& p : points) {
    tt += (age(p) - mean) * (age(p) - mean);
    residuals += std::pow(p.value - value - slope * (age(p) - mean), 2);
  }
  return 2 * std::sqrt(residuals / (n - 2) * (1 / n + (x - mean) * (x - mean) / tt));
}

/// Of a line with noise: the window and its points.
std::pair<SlopeWindow, std::deque<Point>> noisy(std::mt19937_64& random, double slope, double sigma) {
  std::normal_distribution<double> noise(0, sigma);
  std::pair<SlopeWindow, std::deque<Point>> made{SlopeWindow(std::chrono::hours(1)), std::deque<Point>()};
  for (int i = 0; i < 40; ++i) {
    const Point p{kStart + std::chrono::seconds(i), 1000 + slope * i + noise(random)};
    made.first.add(p.time, p.value);
    made.second.push_back(p);
  }
  return made;
}

TEST(Band, EndsWhereTheLineLessAndMoreTwoErrorsReachesTheLimit) {
  std::mt19937_64 random(11);
  int endless = 0, ended = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto [window, points] = noisy(random, 0.01 * (i % 100), 2);
    const auto line = window.line();
    const double way = 100 - (line->value - 1000);
    const auto band = window.band(way, line->slope);
    if (!(line->slope > 0)) {
      ASSERT_FALSE(band);
      continue;
    }
    ASSERT_TRUE(band);
    ASSERT_LE(band->earliest, way / line->slope);
    ASSERT_NEAR(line->slope * band->earliest + two_errors(points, band->earliest), way, 1e-6);
    ++(std::isinf(band->latest) ? endless : ended);
    if (std::isinf(band->latest)) {
      // The line less two errors never gets there: it rises more slowly than they grow.
      ASSERT_LE(line->slope * 1e7 - two_errors(points, 1e7), way);
    } else {
      ASSERT_GE(band->latest, way / line->slope);
      ASSERT_NEAR(line->slope * band->latest - two_errors(points, band->latest), way, 1e-6 * band->latest);
    }
  }
  EXPECT_GT(endless, 20);
  EXPECT_GT(ended, 1000);
}

TEST(Band, HoldsTheTruthNinetyFiveTimesInAHundred) {
  std::mt19937_64 random(12);
  int inside = 0;
  for (int i = 0; i < 40'000; ++i) {
    const auto made = noisy(random, 0.5, 2);
    const auto line = made.first.line();
    const auto band = made.first.band(1100 - line->value, line->slope);
    const double truth = 100 / 0.5 - 39;
    inside += band->earliest <= truth && truth <= band->latest ? 1 : 0;
  }
  EXPECT_NEAR(inside / 40'000.0, 0.947, 0.005);  // Student's t with 38 degrees of freedom, within 2
}

TEST(Band, OfALineWithoutScatterIsOneMoment) {
  SlopeWindow window(std::chrono::hours(1));
  for (int i = 0; i < 2; ++i) window.add(kStart + std::chrono::seconds(i), i);
  EXPECT_FALSE(window.band(10, 1)) << "two samples have no scatter";
  window.add(kStart + std::chrono::seconds(2), 2);
  EXPECT_DOUBLE_EQ(window.band(10, 1)->earliest, 10);
  EXPECT_DOUBLE_EQ(window.band(10, 1)->latest, 10);
}

}  // namespace
}  // namespace tidegate::rules
