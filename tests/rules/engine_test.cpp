#include "rules/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gateway/config/load.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;

constexpr Timestamp kStart{seconds(1'700'000'000)};
constexpr Timestamp at(int second) { return kStart + seconds(second); }
constexpr SeriesId kFirst{0}, kSecond{1};

Sample good(SeriesId id, int second, double value) { return {id, Quality::good, Reason::none, at(second), value}; }

std::vector<Rule> compile(const std::string& yaml) {
  config::Problems problems;
  config::Node node = config::parse(yaml, "rules.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::list(rule_shape()), problems);
  auto rules = parse_rules(node, problems);
  EXPECT_EQ(problems.text(), "");
  return rules;
}

SeriesInfo with_unit(const std::string& unit) {
  SeriesInfo info;
  info.unit = unit;
  return info;
}

SeriesInfo of_kind(SeriesKind kind) {
  SeriesInfo info;
  info.kind = kind;
  return info;
}

/// From the start on, and nothing comes of it.
void declare(Engine& engine, SeriesId id, std::string_view name, const SeriesInfo& info = {},
             const std::vector<std::string>& labels = {}) {
  Output out;
  engine.declare(id, name, info, labels, kStart, out);
  EXPECT_TRUE(out.events.empty() && out.alerts.empty());
}

/// As they come, with the times that they carry.
void observe(Engine& engine, const std::vector<Sample>& samples, Output& out) {
  for (const Sample& sample : samples) engine.observe({&sample, 1}, sample.time, out);
}

/// Somebody looks each second, from the one after `from` on.
void watch(Engine& engine, int from, int until, Output& out) {
  for (int second = from + 1; second <= until; ++second) engine.tick(at(second), out);
}

/// The last transition: its cause, and what is set because of it.
std::string last_of(const Output& out) {
  const auto& transition = std::get<AlertTransition>(out.events.back().body);
  std::string text = transition.cause;
  for (const PointSetting& one : transition.write) text += ' ' + one.point + ' ' + one.value;
  return text;
}

TEST(Engine, WhatMovesDevicesIsAReadingThatIsGoodAndNotOld) {
  const auto engine = [] {
    Engine made(compile(R"([{name: full, series: "{d}/t", threshold: {above: 90}, write: [
      {point: "{d}/valve", raised: "off", cleared: "on"}, {point: "{d}/lamp", raised: "on", within: 1h}]}])"));
    declare(made, kFirst, "a/t");
    return made;
  };
  const auto raised_by = [&](Sample sample, int now) {
    Engine one = engine();
    Output out;
    one.observe({&sample, 1}, at(now), out);
    return last_of(out);
  };
  EXPECT_EQ(raised_by(good(kFirst, 0, 95), 30), "raised a/valve off a/lamp on");
  EXPECT_EQ(raised_by(good(kFirst, 0, 95), 31), "raised a/lamp on") << "by the valve's time it is too old";
  EXPECT_EQ(raised_by(good(kFirst, 0, 95), 3601), "raised");
  Sample uncertain = good(kFirst, 0, 95);
  uncertain.quality = Quality::uncertain;
  EXPECT_EQ(raised_by(uncertain, 0), "raised");
}

TEST(Engine, WhatAnOldReadingDidNotSetIsNotTakenBack) {
  Engine engine(compile(R"([{name: full, series: "{d}/t", threshold: {above: 90},
    write: [{point: "{d}/valve", raised: "off", cleared: "on"}]}])"));
  declare(engine, kFirst, "a/t");
  const auto at_once = [&](Sample sample, int now) {
    Output out;
    engine.observe({&sample, 1}, at(now), out);
    return last_of(out);
  };
  EXPECT_EQ(at_once(good(kFirst, 0, 95), 100), "raised");
  EXPECT_EQ(at_once(good(kFirst, 100, 80), 100), "cleared");
  EXPECT_EQ(at_once(good(kFirst, 101, 95), 101), "raised a/valve off");
  EXPECT_EQ(at_once(good(kFirst, 102, 80), 200), "cleared a/valve on") << "what was set is, though it be late";
}

TEST(Engine, OfTwoAlertsOfARuleThatSetOnePointTheLastTakesItBack) {
  Engine engine(compile(R"([{name: full, series: "{d}/t", threshold: {above: 90},
    write: [{point: main/valve, raised: "off", cleared: "on"}, {point: "{d}/lamp", raised: "on", cleared: "off"}]}])"));
  declare(engine, kFirst, "a/t");
  declare(engine, kSecond, "b/t");
  const auto at_once = [&](SeriesId series, int second, double value) {
    Output out;
    observe(engine, {good(series, second, value)}, out);
    return last_of(out);
  };
  EXPECT_EQ(at_once(kFirst, 0, 95), "raised main/valve off a/lamp on");
  EXPECT_EQ(at_once(kSecond, 1, 95), "raised main/valve off b/lamp on");
  EXPECT_EQ(at_once(kFirst, 2, 80), "cleared a/lamp off") << "b stands";
  EXPECT_EQ(at_once(kFirst, 3, 95), "raised main/valve off a/lamp on");
  EXPECT_EQ(at_once(kSecond, 4, 80), "cleared b/lamp off");
  EXPECT_EQ(at_once(kFirst, 5, 80), "cleared main/valve on a/lamp off");
}

TEST(Engine, ASilenceIsNoReadingThatCouldBeUncertain) {
  Engine engine(compile(R"([{name: lost, series: "{d}/t", absence: {for: 10s},
    write: [{point: "{d}/valve", raised: "off"}]}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  Sample uncertain = good(kFirst, 0, 1);
  uncertain.quality = Quality::uncertain;
  observe(engine, {uncertain}, out);
  watch(engine, 0, 12, out);
  EXPECT_EQ(last_of(out), "raised a/valve off");
}

TEST(Engine, AShelfLastsAsLongAsItWasGivenForThoughTheClockIsSetForwards) {
  Engine engine(compile(R"([{name: hot, series: "{d}/t", threshold: {above: 90}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  observe(engine, {good(kFirst, 0, 95)}, out);
  ASSERT_TRUE(engine.shelve({"hot:a", "Ada", "why", at(60)}, at(0), out));
  ASSERT_TRUE(engine.shelve({"hot:a", "Ada", "a minute more", at(70)}, at(10), out));
  out.clear();
  engine.tick(at(20), out);
  engine.resume(at(3620), out);
  ASSERT_EQ(out.alerts.size(), 1u);
  EXPECT_EQ(out.alerts[0].shelved_until, at(3670));
  engine.tick(at(3669), out);
  ASSERT_EQ(out.events.size(), 1u) << "that nobody watched";
  engine.tick(at(3670), out);
  EXPECT_EQ(std::get<AlertTransition>(out.events.back().body).cause, "unshelved");
}

/// A source says how often it asks when it starts, and that may be after the rules know the series, and be edited.
TEST(Engine, AnAbsenceGoesByTheIntervalOfNow) {
  Engine engine(compile(R"([{name: silent, series: "{d}/t", absence: {}},
                            {name: mean, series: "{d}/t", change: {by: 5, within: 10m}},
                            {name: known, series: "{d}/t", when: "value > 90"}])"));
  SeriesInfo info;
  const auto interval = [&](int of) {
    info.expected_interval = seconds(of);
    declare(engine, kFirst, "a/t", info);
  };
  interval(0);
  Output out;
  observe(engine, {good(kFirst, 0, 20)}, out);
  interval(60);
  watch(engine, 0, 179, out);
  EXPECT_TRUE(out.events.empty());
  interval(10);
  engine.tick(at(180), out);
  ASSERT_EQ(out.events.size(), 1u);
  EXPECT_EQ(out.events[0].time, at(30)) << "with the shorter one it is over since then";
  observe(engine, {good(kFirst, 200, 95)}, out);
  ASSERT_EQ(out.events.size(), 4u) << "and what the windows hold has stayed: it changed by 75";
  out.clear();
  engine.tick(at(229), out);
  EXPECT_TRUE(out.events.empty());
  engine.tick(at(230), out);
  EXPECT_EQ(out.events.size(), 1u);
}

TEST(Engine, FillsTheRecordOfARaisedAlert) {
  Engine engine(compile(
      R"([{name: hot, series: "{device}/temp", threshold: {above: 90 °C, clear_below: 85 °C}, severity: critical,
    message: "{device} ({series}): {value} {unit} > {limit}, {rule} {severity}", labels: {zone: b, area: a}, runbook: "Close V12."}])"));
  declare(engine, kFirst, "boiler1/temp", with_unit("°C"));
  Output out;
  observe(engine, {good(kFirst, 3, 93.256)}, out);
  ASSERT_EQ(out.events.size(), 1u);
  ASSERT_EQ(out.alerts.size(), 1u);
  const AlertRecord& alert = out.alerts[0];
  AlertRecord expected{"hot:boiler1",
                       "hot",
                       "boiler1/temp",
                       Phase::active,
                       false,
                       Severity::critical,
                       at(3),
                       at(3),
                       93.256,
                       90,
                       "°C",
                       "boiler1 (boiler1/temp): 93.26 °C > 90, hot critical",
                       {{"area", "a"}, {"zone", "b"}},
                       "Close V12.",
                       "",
                       "",
                       Severity::critical};
  expected.evidence = {alert.evidence.version, at(3), at(3), {}, {}};
  EXPECT_EQ(alert.evidence.version.size(), 8u);
  EXPECT_EQ(alert, expected);
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).alert, expected);
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).cause, "raised");
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).from, Phase::normal);
}

TEST(Engine, AnAnonymousWildcardTakesItsIdentityFromTheSeries) {
  Engine engine(compile(R"([{name: hot, series: "+/temp", threshold: {above: 90}}])"));
  declare(engine, kFirst, "a/temp");
  declare(engine, kSecond, "b/temp");
  Output out;
  observe(engine, {good(kFirst, 0, 91), good(kSecond, 0, 91)}, out);
  ASSERT_EQ(out.alerts.size(), 2u);
  EXPECT_EQ(out.alerts[0].id, "hot:a/temp");
  EXPECT_EQ(out.alerts[1].id, "hot:b/temp");
}

TEST(Engine, ColonsInCapturesDoNotMakeTwoAlertsOne) {
  Engine engine(compile(R"([{name: hot, series: "{a}/{b}", threshold: {above: 90}}])"));
  declare(engine, kFirst, "x:y/z");
  declare(engine, kSecond, "x/y:z");
  Output out;
  observe(engine, {good(kFirst, 0, 91), good(kSecond, 0, 91)}, out);
  EXPECT_EQ(out.alerts[0].id, "hot:x%3Ay:z");
  EXPECT_EQ(out.alerts[1].id, "hot:x:y%3Az");
}

TEST(Engine, NoUnitLeavesNoGapInTheMessage) {
  Engine engine(compile(
      R"([{name: hot, series: a/b, threshold: {above: 90}, message: "{value} {unit}, limit {limit}{unit}."}])"));
  declare(engine, kFirst, "a/b");
  Output out;
  observe(engine, {good(kFirst, 0, 91)}, out);
  EXPECT_EQ(out.alerts[0].message, "91, limit 90.");
}

TEST(Engine, AUnitThatDoesNotConvertIsAProblemOfTheRule) {
  Engine engine(compile(R"([{name: hot, series: "{d}/{m}", threshold: {above: 90 °C}}])"));
  declare(engine, kFirst, "a/pressure", with_unit("bar"));
  declare(engine, kSecond, "a/temp", with_unit("K"));
  const auto status = engine.status();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].instances, 1u);
  EXPECT_EQ(status[0].problems,
            std::vector<std::string>{"a/pressure: its unit is bar, and the limit's °C does not convert to that"});
  Output out;
  observe(engine, {good(kFirst, 0, 1000), good(kSecond, 0, 363.2)}, out);
  ASSERT_EQ(out.alerts.size(), 1u);
  EXPECT_EQ(out.alerts[0].limit, 363.15);
  std::vector<Sample> batch;  // nor is it in the way of what is fetched ahead
  for (int i = 1; i <= 16; ++i) batch.push_back(good(i % 2 == 0 ? kFirst : kSecond, i, 363.2));
  out.clear();
  engine.observe(batch, at(16), out);
  EXPECT_TRUE(out.events.empty());
}

TEST(Engine, ARuleThatMakesNoSenseForASeriesSaysWhy) {
  Engine engine(compile(
      R"([{name: a, series: "{d}/m", threshold: {above: 1}}, {name: b, series: "{d}/m", trend: {rising: 1 /s, over: 5s}},
                            {name: c, series: "{d}/m", threshold: {equals: open}}])"));
  declare(engine, kFirst, "s/m", of_kind(SeriesKind::state), std::vector<std::string>{"open"});
  declare(engine, kSecond, "n/m");
  declare(engine, SeriesId{2}, "b/m", of_kind(SeriesKind::boolean));
  const auto status = engine.status();
  EXPECT_EQ(status[0].problems,
            std::vector<std::string>{"s/m: it is a series of states, which have no size; use equals"});
  EXPECT_EQ(status[1].problems, (std::vector<std::string>{"s/m: it is a series of states, which have no slope",
                                                          "b/m: it is a series of booleans, which have no slope"}));
  EXPECT_EQ(status[2].problems, (std::vector<std::string>{"n/m: it is a series of numbers, and 'open' is none",
                                                          "b/m: it is true or false, never 'open'"}));
}

TEST(Engine, ALabelThatComesLaterIsKnownOnceDeclared) {
  Engine engine(compile(R"([{name: door, series: d/door, threshold: {equals: open}}])"));
  declare(engine, kFirst, "d/door", of_kind(SeriesKind::state), std::vector<std::string>{"closed"});
  Output out;
  observe(engine, {good(kFirst, 0, 0)}, out);
  declare(engine, kFirst, "d/door", of_kind(SeriesKind::state), std::vector<std::string>{"closed", "open"});
  observe(engine, {good(kFirst, 1, 1)}, out);
  ASSERT_EQ(out.alerts.size(), 1u);
  EXPECT_EQ(out.alerts[0].message, "d/door is open");
}

TEST(Engine, AChangedUnitIsTakenOver) {
  Engine engine(compile(R"([{name: hot, series: a/t, threshold: {above: 90 °C}}])"));
  declare(engine, kFirst, "a/t", with_unit("°C"));
  declare(engine, kFirst, "a/t", with_unit("°F"));
  Output out;
  observe(engine, {good(kFirst, 0, 150)}, out);
  EXPECT_TRUE(out.alerts.empty());
  observe(engine, {good(kFirst, 1, 195)}, out);
  EXPECT_EQ(out.alerts.size(), 1u);
}

TEST(Engine, AnAlertWhoseSeriesNoLongerFitsIsClosed) {
  Engine engine(compile(R"([{name: hot, series: a/t, threshold: {above: 90 °C}, ack: required},
                            {name: warm, series: a/t, threshold: {above: 20 °C}, for: 1h}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  observe(engine, {good(kFirst, 0, 95)}, out);
  ASSERT_EQ(out.alerts.size(), 2u);
  out.clear();
  engine.declare(kFirst, "a/t", with_unit("bar"), {}, at(5), out);
  ASSERT_EQ(out.alerts.size(), 2u);
  for (const AlertRecord& alert : out.alerts) {
    EXPECT_EQ(alert.phase, Phase::normal);
    EXPECT_EQ(alert.since, at(5));
  }
  ASSERT_EQ(out.events.size(), 1u) << "of a pending one nobody heard";
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).alert.id, "hot");
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).cause, "rule removed");
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).from, Phase::active);
  EXPECT_EQ(engine.status()[0].active, 0u);
  out.clear();
  observe(engine, {good(kFirst, 10, 1)}, out);
  watch(engine, 10, 7200, out);
  engine.declare(kFirst, "a/t", with_unit("°C"), {}, at(7201), out);
  observe(engine, {good(kFirst, 7202, 30)}, out);
  EXPECT_TRUE(out.events.empty());
  ASSERT_EQ(out.alerts.size(), 1u) << "watched again, and from the beginning";
  EXPECT_EQ(out.alerts[0].id, "warm");
  EXPECT_EQ(out.alerts[0].phase, Phase::pending);
}

TEST(Engine, SilenceIsTheSameWhateverTheSeriesHolds) {
  Engine engine(compile(R"([{name: silent, series: a/t, absence: {for: 5m}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  observe(engine, {good(kFirst, 0, 1), Sample{kFirst, Quality::bad, Reason::no_answer, at(50), 0}}, out);
  watch(engine, 50, 250, out);
  engine.declare(kFirst, "a/t", with_unit("bar"), {}, at(250), out);
  watch(engine, 250, 299, out);
  EXPECT_TRUE(out.alerts.empty());
  engine.tick(at(300), out);
  ASSERT_EQ(out.alerts.size(), 1u);
  EXPECT_EQ(out.alerts[0].since, at(300));
}

TEST(Engine, ADeviceWhoseClockStandsStillIsNotSilentWhileItSpeaks) {
  Engine engine(compile(R"([{name: silent, series: a/t, absence: {for: 30s}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  for (int second = 0; second <= 300; ++second) {
    if (second % 10 == 0) engine.observe(std::vector{good(kFirst, 0, second)}, at(second), out);
    engine.tick(at(second), out);
  }
  EXPECT_TRUE(out.alerts.empty());
  watch(engine, 300, 329, out);
  EXPECT_TRUE(out.alerts.empty());
  engine.tick(at(330), out);
  EXPECT_EQ(out.alerts.size(), 1u);
}

TEST(Engine, OldNewsDoNotPutOffASilence) {
  Engine engine(compile(R"([{name: silent, series: a/t, absence: {for: 30s}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  engine.observe(std::vector{good(kFirst, 0, 1)}, at(0), out);
  const Sample retained{kFirst, Quality::uncertain, Reason::retained, at(1), 1};
  const Sample failed{kFirst, Quality::bad, Reason::no_answer, at(2), 0};
  engine.observe(std::vector{retained, failed}, at(25), out);
  engine.tick(at(29), out);
  EXPECT_TRUE(out.alerts.empty());
  engine.tick(at(30), out);
  EXPECT_EQ(out.alerts.size(), 1u);
}

TEST(Engine, ADeviceWhoseClockIsAheadIsMissedByItsOwnTime) {
  Engine engine(compile(R"([{name: silent, series: a/t, absence: {for: 30s}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  engine.observe(std::vector{good(kFirst, 100, 1)}, at(10), out);
  watch(engine, 10, 129, out);
  EXPECT_TRUE(out.alerts.empty());
  engine.tick(at(130), out);
  EXPECT_EQ(out.alerts.size(), 1u);
}

TEST(Engine, NothingFiresOnWhatIsNoNumber) {
  Engine engine(compile(
      R"([{name: a, series: "{d}/x", threshold: {above: -1e300}}, {name: b, series: "{d}/x", threshold: {below: 1e300}},
                            {name: c, series: "{d}/x", trend: {rising: 1 /d, over: 2s, min_points: 2}}])"));
  declare(engine, kFirst, "d/x");
  Output out;
  for (int i = 0; i < 10; ++i) {
    for (const double value :
         {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
      observe(engine, {good(kFirst, i, value)}, out);
    }
    observe(engine, {Sample{kFirst, Quality::bad, Reason::no_answer, at(i), 0}}, out);
    engine.tick(at(i), out);
  }
  EXPECT_TRUE(out.alerts.empty());
  EXPECT_TRUE(out.events.empty());
}

TEST(Engine, SamplesOfAnUnknownSeriesArePassedOver) {
  Engine engine(compile(R"([{name: hot, series: "#", threshold: {above: 90}}])"));
  Output out;
  observe(engine, {good(SeriesId{77}, 0, 100)}, out);
  engine.warm(std::vector{good(SeriesId{77}, 0, 100)});
  EXPECT_TRUE(out.alerts.empty());
}

TEST(Engine, AcknowledgingWhatIsNotActiveIsRefused) {
  Engine engine(compile(R"([{name: hot, series: a/t, threshold: {above: 90}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  EXPECT_FALSE(engine.acknowledge({"hot", "Ada", ""}, at(0), out));
  observe(engine, {good(kFirst, 0, 91)}, out);
  out.clear();
  EXPECT_FALSE(engine.acknowledge({"cold", "Ada", ""}, at(1), out));
  EXPECT_TRUE(engine.acknowledge({"hot", "Ada", "on my way"}, at(1), out));
  EXPECT_FALSE(engine.acknowledge({"hot", "Ben", ""}, at(2), out)) << "once is enough";
  ASSERT_EQ(out.alerts.size(), 1u);
  EXPECT_EQ(out.alerts[0].acknowledged_by, "Ada");
  EXPECT_EQ(out.alerts[0].note, "on my way");
  EXPECT_EQ(out.alerts[0].value, 91);
}

TEST(Engine, RestoresARecordToTheLetterAndAnnouncesNothing) {
  const std::string yaml = R"([{name: hot, series: "{d}/t", threshold: {above: 90}, for: 10s, ack: required}])";
  for (const Phase phase : {Phase::pending, Phase::active, Phase::clearing, Phase::returned}) {
    Engine engine(compile(yaml));
    declare(engine, kFirst, "a/t");
    AlertRecord record{
        "hot:a", "hot", "a/t", phase, phase == Phase::pending, Severity::info, at(-5), at(-7), 91, 90, "K", "as it was",
        {},      "",    "",    ""};
    Output out;
    engine.restore(std::vector{record}, at(0), out);
    engine.tick(at(1), out);
    EXPECT_TRUE(out.events.empty());
    EXPECT_TRUE(out.alerts.empty());
    EXPECT_EQ(engine.status()[0].active, phase == Phase::active || phase == Phase::clearing ? 1u : 0u);
  }
}

TEST(Engine, APendingAlertOfARemovedRuleGoesInSilence) {
  Engine engine({});
  const AlertRecord pending{"gone:a", "gone", "a/t", Phase::pending, true, {}, at(0), {}, 0, 0, "", "", {}, "", "", ""};
  AlertRecord active = pending;
  active.id = "gone:b";
  active.phase = Phase::active;
  active.acknowledged = false;
  Output out;
  engine.restore(std::vector{pending, active}, at(5), out);
  ASSERT_EQ(out.alerts.size(), 2u);
  EXPECT_EQ(out.alerts[0].phase, Phase::normal);
  ASSERT_EQ(out.events.size(), 1u);
  const auto& transition = std::get<AlertTransition>(out.events[0].body);
  EXPECT_EQ(transition.alert.id, "gone:b");
  EXPECT_EQ(transition.cause, "rule removed");
  EXPECT_EQ(transition.from, Phase::active);
}

TEST(Engine, AClockSetForwardAYearRaisesNothingByItself) {
  Engine engine(compile(
      R"([{name: silent, series: a/t, absence: {for: 5m}}, {name: hot, series: a/t, threshold: {above: 90}, for: 1h}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  observe(engine, {good(kFirst, 0, 91)}, out);
  engine.tick(at(1), out);
  out.clear();
  const int year = 365 * 86400;
  engine.tick(at(year), out);
  EXPECT_TRUE(out.alerts.empty());
  ASSERT_EQ(out.events.size(), 1u);
  EXPECT_EQ(out.events[0].time, at(year));
  EXPECT_EQ(std::get<Unwatched>(out.events[0].body).since, at(1));
  out.clear();
  observe(engine, {good(kFirst, year + 1, 80)}, out);
  EXPECT_TRUE(out.events.empty());
}

TEST(Engine, WhoOnlyObservesWatchesToo) {
  Engine engine(compile(R"([{name: silent, series: a/t, absence: {for: 100s}}])"));
  declare(engine, kFirst, "a/t");
  declare(engine, kSecond, "b/t");
  Output out;
  for (int second = 0; second < 120; ++second) observe(engine, {good(kSecond, second, 1)}, out);
  engine.tick(at(120), out);
  ASSERT_EQ(out.events.size(), 1u);
  EXPECT_EQ(std::get<AlertTransition>(out.events[0].body).alert.raised, at(100));
}

TEST(Engine, WhatARunWithAWrongClockLeftHidesNothing) {
  Engine engine(compile(R"([{name: hot, series: a/t, threshold: {above: 90}}])"));
  declare(engine, kFirst, "a/t");
  const int year = 365 * 86400;
  Output out;
  engine.restore({}, at(0), out);
  engine.warm(std::vector{good(kFirst, -10, 50), good(kFirst, year, 50)}, at(year));
  engine.warm(std::vector{good(kFirst, year, 50)});
  observe(engine, {good(kFirst, 1, 95)}, out);
  EXPECT_EQ(out.alerts.size(), 1u);
  EXPECT_EQ(engine.late_samples(), 0u);
}

TEST(Engine, NewRulesCountTheLateSamplesOn) {
  Engine engine(compile(R"([{name: hot, series: a/t, threshold: {above: 90}}])"));
  declare(engine, kFirst, "a/t");
  Output out;
  observe(engine, {good(kFirst, 5, 1), good(kFirst, 4, 1)}, out);
  EXPECT_EQ(engine.late_samples(), 1u);
  engine = Engine({}, engine);
  EXPECT_EQ(engine.late_samples(), 1u);
}

TEST(Engine, LiteralSeriesAreAskedForByName) {
  Engine engine(compile(R"([{name: a, series: b/c, absence: {for: 5m}}, {name: b, series: a/b, threshold: {above: 1}},
                            {name: c, series: b/c, threshold: {above: 1}}, {name: d, series: "{x}/y", absence: {for: 5m}}])"));
  EXPECT_EQ(engine.literal_series(), (std::vector<std::string>{"a/b", "b/c"}));
}

TEST(Engine, LookbackIsTheLongestWindowInUse) {
  Engine engine(compile(
      R"([{name: a, series: "{x}/t", trend: {rising: 1 /s, over: 2h}}, {name: b, series: "{x}/t", absence: {for: 5m}}])"));
  EXPECT_EQ(engine.lookback(kStart), Micros{0});
  declare(engine, kFirst, "a/t");
  EXPECT_EQ(engine.lookback(kStart), std::chrono::minutes(121)) << "and a minute for samples that came later";
  engine.unwatched({kStart - std::chrono::hours(10), kStart - std::chrono::hours(9)});
  engine.unwatched({kStart - std::chrono::hours(3), kStart - std::chrono::hours(1)});
  EXPECT_EQ(engine.lookback(kStart), std::chrono::minutes(241)) << "two hours without the gateway";
}

}  // namespace
}  // namespace tidegate::rules
