#include "gateway/app/freshness.h"

#include <gtest/gtest.h>

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};
constexpr SeriesId kSeries{3};

void speak(Freshness& freshness, Timestamp& now, Micros every, int times) {
  for (int i = 0; i < times; ++i) {
    now += every;
    const Sample sample{kSeries, Quality::good, Reason::none, now, 1.0};
    freshness.observe({&sample, 1}, now);
  }
}

TEST(Freshness, AnUnknownSeriesHasAMinute) { EXPECT_EQ(Freshness().stale_after(kSeries), Freshness::kUnknown); }

TEST(Freshness, TheExpectedIntervalWinsOverTheLearned) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 1s, 20);
  freshness.expect(kSeries, 30s, false);
  EXPECT_EQ(freshness.stale_after(kSeries), 90s);
}

TEST(Freshness, ThreeLearnedIntervalsMakeAValueStale) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 5s, 20);
  EXPECT_EQ(freshness.stale_after(kSeries), 15s);
}

TEST(Freshness, AClockThatWasSetTeachesNothing) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 5s, 20);
  now += 24h * 365 * 50;
  freshness.forget_last();
  speak(freshness, now, 5s, 2);
  now += 1h;  // an outage, which alone is not believed either
  speak(freshness, now, 5s, 1);
  EXPECT_EQ(freshness.stale_after(kSeries), 15s);
}

TEST(Freshness, AFastSeriesIsNeverStaleBeforeTheLeastTime) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 10ms, 100);
  EXPECT_EQ(freshness.stale_after(kSeries), Freshness::kLeast);
}

TEST(Freshness, ABurstDoesNotMakeASlowSensorLookDead) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 60s, 10);
  speak(freshness, now, 100ms, 3);
  EXPECT_GT(freshness.stale_after(kSeries), 100s);
}

TEST(Freshness, ASensorThatBecomesSlowIsBelievedSoon) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 1s, 50);
  speak(freshness, now, 60s, 4);
  EXPECT_GT(freshness.stale_after(kSeries), 150s);
}

TEST(Freshness, OneLongStepIsAnOutageAndNoInterval) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 1min, 100);
  speak(freshness, now, 10h, 1);
  EXPECT_EQ(freshness.stale_after(kSeries), 3min);
  speak(freshness, now, 1min, 100);
  speak(freshness, now, 5h, 1);
  EXPECT_LE(freshness.stale_after(kSeries), 4min) << "the first outage is forgotten by the second";
}

TEST(Freshness, AStartAfterALongTimeOffTeachesNothing) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 1s, 1);
  speak(freshness, now, 10h, 1);
  EXPECT_EQ(freshness.stale_after(kSeries), Freshness::kUnknown);
  speak(freshness, now, 5s, 1);
  EXPECT_EQ(freshness.stale_after(kSeries), 15s);
}

TEST(Freshness, ASensorThatSpeaksInBurstsIsFreshBetweenThem) {
  Freshness freshness;
  Timestamp now = kStart;
  for (int i = 0; i < 20; ++i) {
    speak(freshness, now, 60s, 1);
    speak(freshness, now, 100ms, 2);
  }
  EXPECT_GT(freshness.stale_after(kSeries), 60s);
}

TEST(Freshness, ALateSampleTeachesNothing) {
  Freshness freshness;
  Timestamp now = kStart;
  speak(freshness, now, 5s, 20);
  const Sample late{kSeries, Quality::good, Reason::none, now - 1h, 1.0};
  freshness.observe({&late, 1}, now);
  EXPECT_EQ(freshness.stale_after(kSeries), 15s);
}

TEST(Freshness, ARetainedMessageTellsWhenWeConnectedAndTeachesNothing) {
  Freshness freshness;
  Timestamp now = kStart;
  const auto connect = [&](Quality quality) {
    now += 10min;
    const Sample kept{kSeries, quality, Reason::retained, now, 1.0};
    freshness.observe({&kept, 1}, now);
  };
  for (int i = 0; i < 3; ++i) connect(Quality::uncertain);
  EXPECT_EQ(freshness.stale_after(kSeries), Freshness::kUnknown);
  speak(freshness, now, 5s, 20);
  for (int i = 0; i < 3; ++i) connect(Quality::bad);
  EXPECT_EQ(freshness.stale_after(kSeries), 15s);
}

TEST(Freshness, AnIntervalThatIsCertainIsToldOnceOfThoseThatLearn) {
  for (const bool learns : {true, false}) {
    Freshness freshness;
    freshness.expect(kSeries, Micros{0}, learns);
    Timestamp now = kStart;
    speak(freshness, now, 20s, 60);
    const std::vector<std::pair<SeriesId, Micros>> told{{kSeries, 20s}};
    EXPECT_EQ(freshness.take_learned(), learns ? told : decltype(told){});
    speak(freshness, now, 20s, 60);
    EXPECT_TRUE(freshness.take_learned().empty());
  }
}

TEST(Freshness, OneThatIsFedByAnotherSourceIsLearnedAnew) {
  Freshness freshness;
  freshness.expect(kSeries, Micros{0}, true);
  Timestamp now = kStart;
  speak(freshness, now, 20s, 60);
  EXPECT_EQ(freshness.take_learned().size(), 1u);
  freshness.expect(kSeries, Micros{0}, true);  // which knows nothing of it
  speak(freshness, now, 20s, 60);
  EXPECT_EQ(freshness.take_learned().size(), 1u);
}

TEST(Freshness, AClockThatIsHoursBehindMakesNoIntervalOfHours) {
  Freshness freshness;
  freshness.expect(kSeries, Micros{0}, true);
  Timestamp now = kStart;
  for (int i = 0; i < 100; ++i) {
    now += 20s;
    const Sample sample{kSeries, Quality::good, Reason::none, now - 2h, 1.0};
    freshness.observe({&sample, 1}, now);
  }
  const auto told = freshness.take_learned();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].second, 80s);
}

/// A logger that sends each minute what it has read each second.
TEST(Freshness, WhatComesABatchAtATimeIsSilentBetweenThem) {
  Freshness freshness;
  freshness.expect(kSeries, Micros{0}, true);
  Timestamp now = kStart;
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<Sample> samples;
    for (int i = 0; i < 60; ++i) samples.push_back({kSeries, Quality::good, Reason::none, now + i * 1s, 1.0});
    now += 1min;
    freshness.observe(samples, now);
  }
  const auto told = freshness.take_learned();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].second, 61s) << "so old is the newest of a batch when the next comes";
}

TEST(Freshness, RemembersUntilWhenAClockWasAhead) {
  Freshness freshness;
  const Sample near{kSeries, Quality::good, Reason::none, kStart + 2s, 1.0};
  freshness.observe({&near, 1}, kStart);
  EXPECT_EQ(freshness.ahead(kSeries), Timestamp{});
  const Sample far{kSeries, Quality::good, Reason::none, kStart + 290s, 1.0};
  freshness.observe({&far, 1}, kStart);
  const Sample after{kSeries, Quality::good, Reason::none, kStart + 1s, 0.0};
  freshness.observe({&after, 1}, kStart + 1s);
  EXPECT_EQ(freshness.ahead(kSeries), far.time);
}

}  // namespace
}  // namespace tidegate::app
