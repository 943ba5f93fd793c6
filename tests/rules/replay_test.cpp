// What a rule would have made of the past is what it makes of the present.

#include "rules/replay.h"

#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

constexpr const char* kSeries = "{d}/t";

using std::chrono::minutes;
using std::chrono::seconds;

Replay replay(const std::string& condition, std::vector<Interval> off = {}, const SeriesInfo& info = {}) {
  return {rule(condition, kSeries), "boiler/t", info, {}, std::move(off)};
}

/// The very engine that runs live, a sample and a tick at a time.
std::vector<std::string> live(const std::string& condition, const std::vector<Sample>& samples, Timestamp until) {
  Engine engine({rule(condition, kSeries)});
  Output out;
  engine.declare(SeriesId{0}, "boiler/t", {}, {}, samples.front().time, out);
  Timestamp tick = samples.front().time;
  for (const Sample& sample : samples) {
    for (; tick < sample.time; tick += seconds(1)) engine.tick(tick, out);
    engine.observe({&sample, 1}, sample.time, out);
  }
  for (; tick <= until; tick += seconds(1)) engine.tick(tick, out);
  std::vector<std::string> story;
  for (const Event& event : out.events) {
    const auto& alert = std::get<AlertTransition>(event.body).alert;
    story.push_back(fmt::format("{} {}", (event.time - kStart).count(), name(alert.phase)));
  }
  return story;
}

TEST(Replay, FindsWhatTheGatewayWouldHaveRaised) {
  for (const char* condition :
       {"threshold: {above: 21, clear_below: 20}, for: 3s, clear_after: 2s", "absence: {for: 5s}",
        "flatline: {for: 8s, tolerance: 0.5}", "change: {by: 3, within: 6s}"}) {
    const auto samples = restless(4, 5000);
    const Timestamp until = samples.back().time + minutes(1);
    Replay past = replay(condition);
    past.observe(samples);
    past.finish(until);
    std::vector<std::string> story;
    for (const Firing& firing : past.firings()) {
      story.push_back(fmt::format("{} active", (firing.raised - kStart).count()));
      if (firing.is_over) story.push_back(fmt::format("{} normal", (firing.ended - kStart).count()));
    }
    ASSERT_GT(story.size(), 4u) << condition;
    EXPECT_EQ(story, live(condition, samples, until)) << condition;
    EXPECT_EQ(past.alert(), "hot:boiler");
  }
}

/// Samples five minutes apart are no time in which nobody watched; the gateway was off where it says so.
TEST(Replay, KnowsSilenceFromTimesWhenTheGatewayWasOff) {
  std::vector<Sample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back(at(kStart + minutes(5 * i), 20));
  for (int i = 24; i < 36; ++i) samples.push_back(at(kStart + minutes(5 * i), 20));
  Replay on = replay("absence: {for: 11m}");
  on.observe(samples);
  on.finish(samples.back().time);
  ASSERT_EQ(on.firings().size(), 1u);
  EXPECT_EQ(on.firings()[0].raised, kStart + minutes(55 + 11));
  EXPECT_EQ(on.firings()[0].ended, kStart + minutes(120));
  Replay off = replay("absence: {for: 11m}", {{kStart + minutes(56), kStart + minutes(119)}});
  off.observe(samples);
  off.finish(samples.back().time);
  EXPECT_TRUE(off.firings().empty());
  EXPECT_TRUE(replay("absence: {for: 1s}").firings().empty());
}

TEST(Replay, ARestartOfSecondsIsNoSilenceEither) {
  std::vector<Sample> samples;
  for (int i = 0; i < 60; ++i) {
    if (i < 30 || i >= 42) samples.push_back(at(kStart + seconds(i), 20));
  }
  Replay on = replay("absence: {for: 5s}"),
         off = replay("absence: {for: 5s}", {{kStart + seconds(30), kStart + seconds(41)}});
  for (Replay* one : {&on, &off}) {
    one->observe(samples);
    one->finish(samples.back().time);
  }
  EXPECT_EQ(on.firings().size(), 1u);
  EXPECT_TRUE(off.firings().empty());
}

TEST(Replay, AnAlertThatIsStillUpEndsWhereTheReplayDoes) {
  Replay past = replay("threshold: {above: 5}");
  const Sample sample = at(kStart, 9);
  past.observe({&sample, 1});
  past.finish(kStart + minutes(3));
  ASSERT_EQ(past.firings().size(), 1u);
  EXPECT_FALSE(past.firings()[0].is_over);
  EXPECT_EQ(past.firings()[0].ended - past.firings()[0].raised, minutes(3));
  EXPECT_EQ(past.firings()[0].message, "boiler/t is at 9, limit 5");
}

TEST(Replay, SaysWhyARuleDoesNotWatchTheSeries) {
  Replay past = replay("threshold: {above: 5 bar}", {}, {SeriesKind::number, "°C", "", Micros{0}, {}});
  const Sample sample = at(kStart, 9);
  past.observe({&sample, 1});
  EXPECT_EQ(past.problem(), "boiler/t: its unit is °C, and the limit's bar does not convert to that");
  EXPECT_TRUE(past.firings().empty());
}

}  // namespace
}  // namespace tidegate::rules
