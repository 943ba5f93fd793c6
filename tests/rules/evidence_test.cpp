// What a transition was decided by, kind by kind.

#include <gmock/gmock.h>

#include <cmath>

#include "rules/engine.h"
#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The evidence of the first transition over these values, one a second, of a series in °C.
Evidence raised_by(const std::string& condition, const std::vector<double>& values, bool until_silent = false) {
  Engine engine({rule(condition, "boiler/temperature")});
  SeriesInfo info;
  info.unit = "°C";
  Output out;
  engine.declare(SeriesId{0}, "boiler/temperature", info, {}, kStart, out);
  Timestamp now = kStart;
  for (const double value : values) {
    const Sample sample = at(now += seconds(1), value);
    engine.observe({&sample, 1}, now, out);
  }
  if (until_silent) engine.tick(now + seconds(30), out);
  EXPECT_THAT(out.events, SizeIs(1)) << condition;
  return out.events.empty() ? Evidence{} : std::get<AlertTransition>(out.events[0].body).alert.evidence;
}

double value_of(const Evidence& evidence, const std::string& name, const std::string& unit) {
  for (const Fact& fact : evidence.facts) {
    if (fact.name == name && fact.unit == unit) return fact.value;
  }
  ADD_FAILURE() << "no fact " << name << " in '" << unit << "'";
  return NAN;
}

TEST(Evidence, OfALimitIsTheMoment) {
  const Evidence evidence = raised_by("threshold: {above: 5}", {1, 2, 7});
  EXPECT_EQ(evidence.from, kStart + seconds(3));
  EXPECT_EQ(evidence.to, kStart + seconds(3));
  EXPECT_THAT(evidence.facts, IsEmpty());
}

TEST(Evidence, OfATrendIsItsLine) {
  const Evidence evidence = raised_by("trend: {rising: 1 °C/s, over: 4s}", {1, 1, 1, 4, 7});
  EXPECT_EQ(evidence.to - evidence.from, seconds(4));
  EXPECT_EQ(value_of(evidence, "samples", ""), 4);
  EXPECT_THAT(value_of(evidence, "R²", ""), DoubleNear(0.891, 0.001));  // of 1, 1, 4, 7: 2.1² · 5 / 24.75
  const Evidence robust = raised_by("trend: {rising: 1 °C/s, over: 4s, robust: true}", {1, 1, 1, 4, 7});
  EXPECT_EQ(value_of(robust, "samples", ""), 4);
}

TEST(Evidence, OfAForecastIsTheLineAndWhereItStands) {
  const Evidence evidence = raised_by("forecast: {above: 100 °C, within: 1m, from: 4s}", {1, 3, 5, 7, 9});
  EXPECT_THAT(value_of(evidence, "earliest", "s"), DoubleNear(47.5, 1e-9));
  EXPECT_THAT(value_of(evidence, "latest", "s"), DoubleNear(47.5, 1e-9));
  EXPECT_THAT(value_of(evidence, "slope", "°C/h"), DoubleNear(7200, 1e-6));
  EXPECT_THAT(value_of(evidence, "R²", ""), DoubleNear(1, 1e-9));
}

TEST(Evidence, OfADeviationIsWhatWasUsualBefore) {
  const std::vector<double> values{4, 6, 4, 6, 4, 6, 4, 6, 20};
  const Evidence evidence = raised_by("deviation: {sigmas: 4, over: 10s, min_points: 4}", values);
  EXPECT_EQ(value_of(evidence, "mean", "°C"), 5);
  EXPECT_EQ(value_of(evidence, "standard deviation", "°C"), 1);
  const Evidence robust =
      raised_by("deviation: {sigmas: 4, over: 10s, min_points: 4, robust: true}", {4, 5, 6, 4, 5, 6, 4, 5, 6, 20});
  EXPECT_EQ(value_of(robust, "median", "°C"), 5);
}

TEST(Evidence, OfAChangeIsFromWhereToWhere) {
  const Evidence evidence = raised_by("change: {by: 3 °C, within: 10s}", {4, 5, 9});
  EXPECT_EQ(value_of(evidence, "smallest", "°C"), 4);
  EXPECT_EQ(value_of(evidence, "largest", "°C"), 9);
  const Evidence rate = raised_by("change: {rate_above: 2 °C/s, within: 2s}", {4, 5, 9});
  EXPECT_EQ(value_of(rate, "change", "°C"), 4);
  EXPECT_EQ(value_of(rate, "in", "s"), 1);
}

TEST(Evidence, OfAStuckSensorIsHowManySamplesWereTheSame) {
  const Evidence evidence = raised_by("flatline: {for: 4s}", {7, 7, 7, 7, 7});
  EXPECT_EQ(value_of(evidence, "samples", ""), 5);
  EXPECT_EQ(value_of(evidence, "largest", "°C"), 7);
}

TEST(Evidence, OfASilenceIsItsLength) {
  const Evidence evidence = raised_by("absence: {for: 20s}", {7}, true);
  EXPECT_EQ(evidence.from, kStart + seconds(1));
  EXPECT_EQ(evidence.to, kStart + seconds(21));
  const Evidence learned = raised_by("absence: {}", {1, 2, 3, 4, 5, 6, 7, 8, 9}, true);
  EXPECT_EQ(learned.to - learned.from, seconds(3));
  EXPECT_EQ(value_of(learned, "usual interval", "s"), 1);
}

TEST(Evidence, OfAnExpressionIsWhatItComparedAndRead) {
  Engine engine({rule("when: 'max(value, 1m) > limit and mode == off and count(room/+/door == open) > 0'", "b/level")});
  Output out;
  SeriesInfo state;
  state.kind = SeriesKind::state;
  const std::vector<std::string> modes{"on", "off"}, doors{"shut", "open"};
  engine.declare(SeriesId{0}, "b/level", {}, {}, kStart, out);
  engine.declare(SeriesId{1}, "b/limit", {}, {}, kStart, out);
  engine.declare(SeriesId{2}, "b/mode", state, modes, kStart, out);
  engine.declare(SeriesId{3}, "room/a/door", state, doors, kStart, out);
  std::vector<Sample> samples{at(kStart, 9), at(kStart, 5), at(kStart, 1), at(kStart, 1)};
  for (std::uint32_t i = 0; i < samples.size(); ++i) samples[i].series = SeriesId{i};
  engine.observe(samples, kStart, out);
  ASSERT_THAT(out.events, SizeIs(1));
  const Evidence evidence = std::get<AlertTransition>(out.events[0].body).alert.evidence;
  EXPECT_THAT(evidence.series, ElementsAre("b/limit", "b/mode", "room/+/door"));
  EXPECT_THAT(evidence.facts, ElementsAre(Fact{"max(value, 1m)", 9, ""}, Fact{"limit", 5, ""},
                                          Fact{"count(room/+/door == open)", 1, ""}, Fact{"b/limit", 5, ""},
                                          Fact{"b/mode", 1, "", "off"}));
}

TEST(Evidence, TheVersionIsOfWhatIsWritten) {
  const std::string before = rule("threshold: {above: 5}, for: 3s").version;
  EXPECT_EQ(rule("for: 3s, threshold: {above: 5}").version, before);
  EXPECT_NE(rule("threshold: {above: 6}, for: 3s").version, before);
}

/// What its raise asks for, of a rule with a snapshot.
std::optional<SnapshotWish> wish_of(const std::string& snapshot, const std::string& condition,
                                    const std::vector<double>& values) {
  Engine engine({rule(condition + ", snapshot: " + snapshot, "{device}/temperature")});
  SeriesInfo info;
  info.unit = "°C";
  Output out;
  engine.declare(SeriesId{0}, "boiler/temperature", info, {}, kStart, out);
  engine.declare(SeriesId{1}, "boiler/pressure", {}, {}, kStart, out);
  Timestamp now = kStart;
  for (const double value : values) {
    Sample samples[] = {at(now += seconds(1), value), at(now, 5)};
    samples[1].series = SeriesId{1};
    engine.observe(samples, now, out);
  }
  std::optional<SnapshotWish> wish;
  for (const Event& event : out.events) {
    const auto& transition = std::get<AlertTransition>(event.body);
    if (transition.cause == "raised") {
      wish = transition.snapshot;
    } else {
      EXPECT_FALSE(transition.snapshot) << transition.cause;
    }
  }
  return wish;
}

TEST(SnapshotWish, IsOfWhatTheRuleReadsAndNames) {
  const auto plain = wish_of("true", "threshold: {above: 5}", {1, 7});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->from, kStart + seconds(2) - seconds(300));
  EXPECT_EQ(plain->until, kStart + seconds(2) + seconds(120));
  EXPECT_THAT(plain->series, ElementsAre("boiler/temperature"));
  const auto wide = wish_of("{before: 10s, after: 0s, series: ['{device}/#', boiler/pressure]}",
                            "when: 'value > 5 and pressure > 1 and max(room/+/t) < 5 or value > 6'", {1, 7});
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->from, kStart + seconds(2) - seconds(10));
  EXPECT_EQ(wide->until, kStart + seconds(2));
  EXPECT_THAT(wide->series, ElementsAre("boiler/temperature", "boiler/pressure", "room/+/t", "boiler/#"));
  EXPECT_FALSE(wish_of("false", "threshold: {above: 5}", {1, 7}));
}

TEST(SnapshotWish, BeginsBeforeTheConditionDid) {
  const auto wish = wish_of("{before: 10s, after: 5s}", "threshold: {above: 5}, for: 3s", {1, 7, 7, 7, 7, 7});
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->from, kStart + seconds(2) - seconds(10));
  EXPECT_EQ(wish->until, kStart + seconds(5) + seconds(5));
}

}  // namespace
}  // namespace tidegate::rules
