#include "gateway/app/regularity.h"

#include <gtest/gtest.h>

#include <random>

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

/// What it has said last, after these waits.
struct Learner {
  Regularity regularity;
  Micros interval{0};

  void add(Micros wait, int times = 1) {
    for (int i = 0; i < times; ++i) {
      if (const auto now = regularity.add(wait, wait)) interval = *now;
    }
  }
};

TEST(Regularity, TheIntervalIsKnownAfterSixteenMinutesAndNoSooner) {
  Learner sensor;
  sensor.add(10s, 95);
  EXPECT_EQ(sensor.interval, 0s);
  sensor.add(10s);
  EXPECT_EQ(sensor.interval, 10s);
}

TEST(Regularity, OfASlowOneAfterSixteenSamples) {
  Learner sensor;
  sensor.add(1h, 15);
  EXPECT_EQ(sensor.interval, 0s);
  sensor.add(1h);
  EXPECT_EQ(sensor.interval, 1h);
}

TEST(Regularity, TwoOutagesAreNoInterval) {
  Learner sensor;
  sensor.add(10s, 30);
  sensor.add(3h);
  sensor.add(10s, 30);
  sensor.add(5h);
  sensor.add(10s, 30 + 24);
  EXPECT_EQ(sensor.interval, 10s);
}

TEST(Regularity, WhatJittersIsKnownByItsLongWaits) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> millis(8'000, 12'000);
  Learner sensor;
  for (int i = 0; i < 200; ++i) sensor.add(std::chrono::milliseconds(millis(random)));
  EXPECT_GT(sensor.interval, 10s);
  EXPECT_LE(sensor.interval, 12s);
}

TEST(Regularity, WhatComesInBurstsIsKnownByTheRestBetweenThem) {
  Regularity regularity;
  std::optional<Micros> interval;
  for (int burst = 0; burst < 16; ++burst) {
    for (int i = 0; i < 60; ++i) {
      if (const auto now = regularity.add(60s - i * 1s, i == 0 ? 60s : 0s)) interval = now;
    }
  }
  EXPECT_EQ(interval, 60s);
}

TEST(Regularity, WhatSpeaksWhenItLikesHasNone) {
  std::mt19937 random(7);
  std::exponential_distribution<double> minutes(1.0 / 5);
  Learner door;
  for (int i = 0; i < 2'000; ++i) door.add(std::chrono::round<Micros>(minutes(random) * 1min));
  EXPECT_EQ(door.interval, 0s);
}

/// Moved once in a while: many steps within some seconds each time.
TEST(Regularity, ASliderHasNone) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> hours(1, 12);
  Learner slider;
  for (int i = 0; i < 100; ++i) {
    slider.add(hours(random) * 1h);
    slider.add(200ms, 20);
  }
  EXPECT_EQ(slider.interval, 0s);
}

TEST(Regularity, AnIntervalThatIsSetAnewIsFollowed) {
  Learner sensor;
  sensor.add(10s, 200);
  sensor.add(5min, 7);
  EXPECT_EQ(sensor.interval, 10s);
  sensor.add(5min, 20);
  EXPECT_EQ(sensor.interval, 5min);
  sensor.add(20s, 3 * 13);
  EXPECT_EQ(sensor.interval, 5min);
  sensor.add(20s, 3 * 3);
  EXPECT_EQ(sensor.interval, 20s);
}

TEST(Regularity, OnceKnownItStaysAndGrowsWhenItHasTo) {
  Learner sensor;
  sensor.add(10s, 200);
  for (int i = 0; i < 100; ++i) sensor.add(i % 3 == 0 ? 13s : 10s);
  EXPECT_EQ(sensor.interval, 10s);
  for (int i = 0; i < 32; ++i) sensor.add((i % 16 + 1) * 1min);
  EXPECT_GT(sensor.interval, 5min);
  EXPECT_LE(sensor.interval, 14min);
}

TEST(Regularity, AStartGoesOnWithWhatTheRunBeforeHasLearned) {
  Learner sensor;
  sensor.regularity.begin_with(10s);
  sensor.add(11s, 200);
  EXPECT_EQ(sensor.interval, 0s) << "nothing new";
  sensor.add(1min, 16);
  EXPECT_EQ(sensor.interval, 1min);
}

TEST(Regularity, LongWaitsAndNoneAreBounded) {
  Learner sensor;
  sensor.add(24h * 400, 16);
  EXPECT_GT(sensor.interval, 24h * 49);
  Learner quick;
  quick.add(1us, 16 * 60'000'000 / 1'000 + 16);
  EXPECT_EQ(quick.interval, 0s) << "a minute is not over";
}

}  // namespace
}  // namespace tidegate::app
