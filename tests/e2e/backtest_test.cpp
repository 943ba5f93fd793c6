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
  EXPECT_THAT(done.output, HasSubstr("alert,raised,active,longest,last raised\r\n"
                                     "hot:boiler1,6,420,270,2026-03-01T05:30:30Z\r\n"));
  EXPECT_THAT(done.output, testing::Not(HasSubstr("silent"))) << "the gateway was off";
  EXPECT_THAT(done.output, HasSubstr("2,100 samples of 1 series"));
}

TEST_F(Backtest, ListsEachTime) {
  const Finished done = run({"--list", "--format", "csv", "--to", "2026-03-01T02:00:00Z"});
  EXPECT_THAT(done.output, HasSubstr("alert,raised,for,value,message\r\n"
                                     "hot:boiler1,2026-03-01T00:30:30Z,30,91,"));
  EXPECT_THAT(done.output, HasSubstr("hot:boiler1,2026-03-01T01:30:30Z,30,91,"));
}

TEST_F(Backtest, TriesOtherValues) {
  const Finished limits = run({"--rule", "hot", "--sweep", "above=79..91:6", "--format", "csv"});
  EXPECT_THAT(limits.output, HasSubstr("rule,value,alerts,raised,active,longest\r\n"
                                       "hot,79 °C,1,1,21560,21560\r\n"));
  EXPECT_THAT(limits.output, HasSubstr("hot,85 °C,1,6,420,270\r\n"
                                       "hot,91 °C,0,0,0,0\r\n"));
  const Finished delays = run({"--rule", "hot", "--sweep", "for=0s..2m:1m", "--format", "csv"});
  EXPECT_THAT(delays.output, HasSubstr("hot,0s,1,6,600,300\r\n"
                                       "hot,1m,1,1,240,240\r\n"
                                       "hot,2m,1,1,180,180\r\n"));
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
  EXPECT_THAT(fine.output, HasSubstr("hot,1000 °C,0,0,0,0\r\nhot,1000.25 °C,0,0,0,0\r\nhot,1000.5 °C,0,0,0,0\r\n"));
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

}  // namespace
}  // namespace tidegate::e2e
