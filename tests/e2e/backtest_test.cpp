// `tidegate backtest`: rules over what is stored, in log and history.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "tests/e2e/fixture.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::e2e {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::Finished;
using testing::HasSubstr;

constexpr Timestamp kStart = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

class Backtest : public testing::Test {
 protected:
  /// A boiler for six hours, each ten seconds: at minute 30 of each hour it is at 91 °C for a minute, in the third for
  /// five. The first four hours are in history. From 3:40 to 3:50 the gateway was off.
  Backtest() {
    FakeClock clock(kStart);
    Metrics metrics;
    journal::Options options;
    options.directory = directory.path() / "data";
    auto journal = journal::Journal::open(options, clock, metrics);
    EXPECT_TRUE(journal);
    const auto id =
        (*journal)->catalogue().intern("boiler1/temperature", {SeriesKind::number, "°C", "test", Micros{0}, {}});
    EXPECT_TRUE(id);
    for (int i = 0; i < 6 * 360; ++i, clock.advance(seconds(10))) {
      const auto minute = i / 6;
      if (minute >= 220 && minute < 230) continue;
      Batch batch;
      const int hot = minute / 60 == 2 ? 5 : 1;
      const bool is_hot = minute % 60 >= 30 && minute % 60 < 30 + hot;
      batch.samples.push_back({.series = *id, .time = clock.now(), .value = is_hot ? 91.0 : 80.0});
      if (minute == 230 && i % 6 == 0) batch.events.push_back({clock.now(), Unwatched{kStart + minutes(220)}});
      EXPECT_TRUE((*journal)->append(batch));
      if (i == 4 * 360) {
        for (bool more = true; more;) more = (*journal)->compact({}, true).value_or(false);
      }
    }
    std::ofstream(directory.path() / "tidegate.yaml")
        << "storage: {path: data}\n"
           "rules:\n"
           "  - {name: hot, series: \"{device}/temperature\", threshold: {above: 90 °C}, for: 30s}\n"
           "  - {name: silent, series: \"{device}/temperature\", absence: {for: 2m}}\n"
           "  - {name: high, series: \"{device}/pressure\", threshold: {above: 5 bar}, enabled: false}\n";
  }
  Finished run(std::vector<std::string> more) {
    std::vector<std::string> arguments{"backtest", "--config", directory.path() / "tidegate.yaml", "--from",
                                       "2026-03-01"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tidegate(std::move(arguments));
  }
  test::TempDir directory{journal::memory()};
};

TEST_F(Backtest, CountsWhatWouldHaveBeenRaised) {
  const Finished done = run({"--format", "csv"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("alert,raised,suppressed,active,longest,last raised\r\n"
                                     "hot:boiler1,6,0,420,270,2026-03-01T05:30:30Z\r\n"));
  EXPECT_THAT(done.output, testing::Not(HasSubstr("silent"))) << "the gateway was off";
  EXPECT_THAT(done.output, HasSubstr("2,100 samples of 1 series"));
}

TEST_F(Backtest, ListsEachTime) {
  const Finished done = run({"--list", "--format", "csv", "--to", "2026-03-01T02:00:00Z"});
  EXPECT_THAT(done.output, HasSubstr("alert,raised,for,suppressed by,value,message\r\n"
                                     "hot:boiler1,2026-03-01T00:30:30Z,30,,91,"));
  EXPECT_THAT(done.output, HasSubstr("hot:boiler1,2026-03-01T01:30:30Z,30,,91,"));
}

TEST_F(Backtest, TriesOtherValues) {
  const Finished limits = run({"--rule", "hot", "--sweep", "above=79..91:6", "--format", "csv"});
  EXPECT_THAT(limits.output, HasSubstr("rule,value,alerts,raised,suppressed,active,longest\r\n"
                                       "hot,79 °C,1,1,0,21560,21560\r\n"));
  EXPECT_THAT(limits.output, HasSubstr("hot,85 °C,1,6,0,420,270\r\n"
                                       "hot,91 °C,0,0,0,0,0\r\n"));
  const Finished delays = run({"--rule", "hot", "--sweep", "for=0s..2m:1m", "--format", "csv"});
  EXPECT_THAT(delays.output, HasSubstr("hot,0s,1,6,0,600,300\r\n"
                                       "hot,1m,1,1,0,240,240\r\n"
                                       "hot,2m,1,1,0,180,180\r\n"));
}

TEST_F(Backtest, TriesEachValueAsItIsAndLeavesOutWhatMakesNoRule) {
  std::ofstream(directory.path() / "draft.yaml")
      << "rules: [{name: cold, series: boiler1/temperature, threshold: {above: 1, clear_below: -3}, enabled: false}]\n";
  const std::string file = directory.path() / "draft.yaml";
  const Finished done = run({"--rules", file, "--rule", "cold", "--sweep", "above=-5..-1:1", "--format", "csv"});
  EXPECT_THAT(done.output, HasSubstr("left out: -5: rule 'cold' is wrong: "));
  EXPECT_THAT(done.output, HasSubstr("cold,-3,1,1"));
  EXPECT_THAT(done.output, HasSubstr("cold,-1,1,1"));
  EXPECT_EQ(done.status, 0);
  const Finished fine = run({"--rule", "hot", "--sweep", "above=1000..1000.5:0.25", "--format", "csv"});
  EXPECT_THAT(fine.output,
              HasSubstr("hot,1000 °C,0,0,0,0,0\r\nhot,1000.25 °C,0,0,0,0,0\r\nhot,1000.5 °C,0,0,0,0,0\r\n"));
}

TEST_F(Backtest, SaysWhatIsNotStored) {
  EXPECT_THAT(run({"--rule", "high"}).output, HasSubstr("high: nothing is stored of {device}/pressure in this time"));
}

TEST_F(Backtest, AMistakeInTheRulesIsToldWithItsPlace) {
  std::ofstream(directory.path() / "draft.yaml") << "rules:\n  - {name: draft, series: a, threshold: {abov: 1}}\n";
  const Finished done = run({"--rules", directory.path() / "draft.yaml"});
  EXPECT_EQ(done.status, 78);
  EXPECT_THAT(done.output, HasSubstr("draft.yaml:2:42: unknown key 'abov'"));
}

TEST_F(Backtest, TakesRulesOfAnotherFile) {
  std::ofstream(directory.path() / "draft.yaml")
      << "rules: [{name: draft, series: boiler1/temperature, change: {rises_by: 5 °C, within: 1m}}]\n";
  const Finished done = run({"--rules", directory.path() / "draft.yaml", "--format", "csv"});
  EXPECT_THAT(done.output, HasSubstr("draft,6,"));
}

TEST_F(Backtest, SaysWhatIsWrong) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"--rule", "hto"}, "there is no rule 'hto' (did you mean 'hot'?)"},
      {{"--rule", "hot", "--sweep", "above"}, "write KEY=FROM..TO"},
      {{"--rule", "hot", "--sweep", "above=90..80"}, "from the smaller one up"},
      {{"--rule", "hot", "--sweep", "below=1..2"}, "rule 'hot' has no such value"},
      {{"--rule", "hot", "--sweep", "name=1..2"}, "rule 'hot' has no such value"},
      {{"--rule", "hot", "--sweep", "above=1..2:0.0001"}, "is more than 100 values"},
      {{"--rule", "hot", "--sweep", "for=1..2"}, "no value makes a rule; 1 s: rule 'hot' is wrong"},
      {{"--sweep", "for=1s..2s", "--list"}, "do not go together"},
      {{"--to", "soon"}, "--to soon: is no time"}};
  for (const auto& [arguments, told] : cases) {
    const Finished done = run(arguments);
    EXPECT_EQ(done.status, 64) << told;
    EXPECT_THAT(done.output, HasSubstr(told));
  }
}

/// Two pumps for three hours, each ten seconds: each runs from minute 10 to 20 of each hour, and p1 has no water from
/// 12 to 14. That p1's valve is open and p2's is not, was said once, at the beginning. Two hours are in history.
class BacktestOfSeveralSeries : public testing::Test {
 protected:
  BacktestOfSeveralSeries() {
    FakeClock clock(kStart);
    Metrics metrics;
    journal::Options options;
    options.directory = directory.path() / "data";
    auto journal = journal::Journal::open(options, clock, metrics);
    EXPECT_TRUE(journal);
    const auto series = [&](const std::string& name, SeriesKind kind, const std::string& unit) {
      return *(*journal)->catalogue().intern(name, {kind, unit, "test", Micros{0}, {}});
    };
    SeriesId current[2], flow[2], valve[2];
    for (const std::size_t pump : {0u, 1u}) {
      const std::string name = pump == 0 ? "p1" : "p2";
      current[pump] = series(name + "/current", SeriesKind::number, "A");
      flow[pump] = series(name + "/flow", SeriesKind::number, "L/min");
      valve[pump] = series(name + "/valve", SeriesKind::state, "");
      for (const char* state : {"closed", "open"}) EXPECT_TRUE((*journal)->catalogue().label(valve[pump], state));
    }
    for (int i = 0; i < 3 * 360; ++i, clock.advance(seconds(10))) {
      const int minute = i / 6 % 60;
      Batch batch;
      const auto put = [&](SeriesId id, double value) {
        batch.samples.push_back({.series = id, .time = clock.now(), .value = value});
      };
      for (const std::size_t pump : {0u, 1u}) {
        put(current[pump], minute >= 10 && minute < 20 ? 5 : 0);
        put(flow[pump], pump == 0 && minute >= 12 && minute < 14 ? 0.5 : 8);
        if (i == 0) put(valve[pump], pump == 0 ? 1 : 0);
      }
      EXPECT_TRUE((*journal)->append(batch));
      if (i == 2 * 360) {
        for (bool more = true; more;) more = (*journal)->compact({}, true).value_or(false);
      }
    }
    std::ofstream(directory.path() / "tidegate.yaml")
        << "storage: {path: data}\n"
           "rules:\n"
           "  - {name: low, series: \"{pump}/flow\", threshold: {below: 1}, for: 30s, suppressed_by: [dry]}\n"
           "  - {name: dry, series: \"{pump}/current\", when: \"value > 3 A and flow < 1 L/min\", for: 20s}\n"
           "  - {name: busy, series: \"{pump}/current\", count: {of: \"value > 3 A\", more_than: 30, within: 10m}}\n"
           "  - {name: open, series: \"{pump}/current\", sequence: {steps: [valve == open, value > 3], within: 1h}}\n"
           "  - {name: both, series: p1/flow, when: \"all(+/current > 3 A) and p2/flow > 5\"}\n";
  }
  Finished run(std::vector<std::string> more, const std::string& from = "2026-03-01") {
    std::vector<std::string> arguments{"backtest", "--config", directory.path() / "tidegate.yaml", "--from", from,
                                       "--format", "csv"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tidegate(std::move(arguments));
  }
  test::TempDir directory{journal::memory()};
};

TEST_F(BacktestOfSeveralSeries, CountsWhatWouldHaveBeenRaised) {
  const Finished done = run({});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("alert,raised,suppressed,active,longest,last raised\r\n"
                                     "dry:p1,3,0,300,100,2026-03-01T02:12:20Z\r\n"
                                     "busy:p1,3,0,1770,590,2026-03-01T02:15:00Z\r\n"
                                     "open:p1,3,0,1800,600,2026-03-01T02:10:00Z\r\n"
                                     "low:p1,3,3,270,90,2026-03-01T02:12:30Z\r\n"
                                     "both,3,0,1800,600,2026-03-01T02:10:00Z\r\n"
                                     "busy:p2,3,0,1770,590,2026-03-01T02:15:00Z\r\n"));
  EXPECT_THAT(done.output, HasSubstr("4,322 samples of 6 series"));
}

TEST_F(BacktestOfSeveralSeries, OverABackupItSaysTheSame) {
  const std::string backup = directory.path() / "backup", store = directory.path() / "data";
  EXPECT_EQ(tidegate({"backup", backup, "--data", store}).status, 0);
  const std::string expected = run({}).output;
  std::filesystem::remove_all(store);
  EXPECT_EQ(run({}).status, 1);
  EXPECT_EQ(run({"--data", backup}).output, expected);
  const Finished elsewhere = tidegate({"backtest", "--rules", directory.path() / "tidegate.yaml", "--data", backup,
                                       "--from", "2026-03-01", "--format", "csv"});
  EXPECT_EQ(elsewhere.output, expected);
}

TEST_F(BacktestOfSeveralSeries, ListsEachTime) {
  const Finished done = run({"--list", "--rule", "dry", "low", "--to", "2026-03-01T01:00:00Z"});
  EXPECT_THAT(done.output, HasSubstr("dry:p1,2026-03-01T00:12:20Z,100,,5,"));
  EXPECT_THAT(done.output, HasSubstr("low:p1,2026-03-01T00:12:30Z,90,dry:p1,0.5,"));
}

TEST_F(BacktestOfSeveralSeries, AConditionThatSuppressesIsReadAsWell) {
  std::ofstream(directory.path() / "draft.yaml")
      << "rules: [{name: low, series: '{pump}/flow', threshold: {below: 1}, suppress_when: 'current > 3 A and valve == "
         "open'}]\n";
  const Finished done = run({"--rules", directory.path() / "draft.yaml"});
  EXPECT_THAT(done.output, HasSubstr("low:p1,3,3,360,120,2026-03-01T02:12:00Z\r\n")) << "three of three";
}

TEST_F(BacktestOfSeveralSeries, ADerivedSeriesThatNeverRanIsMade) {
  std::ofstream(directory.path() / "draft.yaml")
      << "derived:\n"
         "  - {name: \"{pump}/excess\", from: \"{pump}/double\", value: value - current}\n"
         "  - {name: \"{pump}/double\", from: \"{pump}/current\", value: value * 2}\n"
         "  - {name: plant/total, value: \"sum(+/current)\"}\n"
         "rules:\n"
         "  - {name: strong, series: \"{pump}/double\", threshold: {above: 8}, for: 60s}\n"
         "  - {name: whole, series: plant/total, threshold: {above: 9}}\n"
         "  - {name: idle, series: \"{pump}/flow\", when: \"excess > 4 and value < 1\"}\n";
  const Finished done = run({"--rules", directory.path() / "draft.yaml"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("idle:p1,3,0,360,120,2026-03-01T02:12:00Z\r\n"));
  EXPECT_THAT(done.output, HasSubstr("strong:p1,3,0,1620,540,2026-03-01T02:11:00Z\r\n"
                                     "strong:p2,3,0,1620,540,2026-03-01T02:11:00Z\r\n"
                                     "whole,3,0,1800,600,2026-03-01T02:10:00Z\r\n"));
  EXPECT_THAT(done.output,
              HasSubstr("made of what is stored: p1/double, p1/excess, p2/double, p2/excess, plant/total\n"));
}

TEST_F(BacktestOfSeveralSeries, WhatIsStoredOfADerivedSeriesIsTakenAsItIs) {
  std::ofstream(directory.path() / "draft.yaml")
      << "derived: [{name: '{pump}/flow', from: '{pump}/current', value: value * 0}]\n"
         "rules: [{name: low, series: '{pump}/flow', threshold: {below: 1}, for: 30s}]\n";
  const Finished done = run({"--rules", directory.path() / "draft.yaml"});
  EXPECT_THAT(done.output, HasSubstr("low:p1,3,0,270,90,2026-03-01T02:12:30Z\r\n"));
  EXPECT_THAT(done.output, testing::Not(HasSubstr("low:p2")));
  EXPECT_THAT(done.output, testing::Not(HasSubstr("made of")));
}

TEST_F(BacktestOfSeveralSeries, ASeriesThatSaidNothingSinceIsAsItWas) {
  const Finished done = run({"--rule", "open"}, "2026-03-01T00:30:00Z");
  EXPECT_THAT(done.output, HasSubstr("open:p1,2,0,1200,600,2026-03-01T02:10:00Z"));
  EXPECT_THAT(done.output, testing::Not(HasSubstr("open:p2")));
}

TEST_F(BacktestOfSeveralSeries, TriesOtherValues) {
  const Finished delays = run({"--rule", "dry", "--sweep", "for=0s..3m:90s"});
  EXPECT_THAT(delays.output, HasSubstr("dry,0s,1,3,0,360,120\r\n"
                                       "dry,1m30s,1,3,0,90,30\r\n"
                                       "dry,3m,0,0,0,0,0\r\n"));
  const Finished counts = run({"--rule", "busy", "--sweep", "more_than=30..60:15"});
  EXPECT_THAT(counts.output, HasSubstr("busy,30,2,6,0,3540,590\r\n"
                                       "busy,45,2,6,0,1740,290\r\n"
                                       "busy,60,0,0,0,0,0\r\n"));
  EXPECT_THAT(run({"--rule", "low", "--sweep", "below=0.4..8.8:8.4"}).output,
              HasSubstr("low,0.4,0,0,0,0,0\r\nlow,8.8,2,2,0,"));
  const Finished condition = run({"--rule", "dry", "--sweep", "below=1..2"});
  EXPECT_EQ(condition.status, 64);
  EXPECT_THAT(condition.output, HasSubstr("the numbers within its conditions are not swept: try them by --rules"));
}

}  // namespace
}  // namespace tidegate::e2e
