// `tidegate alerts report`: what the log's events say of a week of alerts.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/journal.h"
#include "tests/e2e/fixture.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::e2e {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Finished;
using testing::HasSubstr;
using testing::Not;

constexpr Timestamp kStart = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

class AlarmReport : public testing::Test {
 protected:
  /// Twelve pumps fail within a minute and are acknowledged five minutes later, which is a flood of an hour; a sensor
  /// is silent for two days, and a rule on trial raises each hour.
  AlarmReport() {
    FakeClock clock(kStart);
    Metrics metrics;
    journal::Options options;
    options.directory = directory.path() / "data";
    auto opened = journal::Journal::open(options, clock, metrics);
    EXPECT_TRUE(opened);
    journal_ = std::move(*opened);
    append({kStart, Notice{"started", "x"}});
    tell(kStart + hours(3), "silent:office", "raised", Phase::active);
    for (int i = 0; i < 12; ++i)
      tell(kStart + hours(5) + seconds(5 * i), fmt::format("low:p{:02}", i), "raised", Phase::active);
    append({kStart + hours(5) + minutes(1), Flood{true, kStart + hours(5), "low:p00", 10}});
    for (int i = 0; i < 12; ++i)
      tell(kStart + hours(5) + minutes(5) + seconds(5 * i), fmt::format("low:p{:02}", i), "acknowledged",
           Phase::active);
    append({kStart + hours(6) + minutes(1), Flood{false, kStart + hours(5), "low:p00", 12}});
    for (int i = 0; i < 12; ++i) tell(kStart + hours(8), fmt::format("low:p{:02}", i), "cleared", Phase::normal);
    for (int i = 10; i < 40; ++i) tell(kStart + hours(i), "trial:x", "raised", Phase::active, true);
    tell(kStart + hours(51), "silent:office", "cleared", Phase::normal);
    tell(kStart + hours(60), "low:p00", "raised", Phase::active);
    journal_.reset();
  }
  void append(Event event) {
    Batch batch;
    batch.events.push_back(std::move(event));
    EXPECT_TRUE(journal_->append(batch));
  }
  void tell(Timestamp at, const std::string& id, const std::string& cause, Phase phase, bool shadow = false) {
    AlertTransition transition{journal::alert(id, phase), Phase::normal, cause};
    transition.alert.rule = id.substr(0, id.find(':'));
    transition.alert.shadow = shadow;
    append({at, std::move(transition)});
  }
  Finished run(std::vector<std::string> more) {
    std::vector<std::string> arguments{"alerts", "report",     "--data", directory.path() / "data",
                                       "--from", "2026-03-01", "--to",   "2026-03-04"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tidegate(std::move(arguments));
  }
  test::TempDir directory{journal::memory()};
  std::unique_ptr<journal::Journal> journal_;  ///< while it is filled
};

TEST_F(AlarmReport, ByRule) {
  const Finished done = run({"--format", "csv"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output,
              HasSubstr("rule,raised,an hour,most in 10 min,chattering,stale,acknowledged,to acknowledge\r\n"
                        "low,13,0.18055555555555555,12,0,0,12,300\r\n"
                        "silent,1,0.013888888888888888,1,0,1,0,\r\n"));
  EXPECT_THAT(done.output, Not(HasSubstr("trial"))) << "nobody was called";
}

TEST_F(AlarmReport, ByDayWithTheTimeInFlood) {
  const Finished done = run({"--by", "day", "--format", "json"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr(R"("day":"2026-03-01","raised":13,)"));
  EXPECT_THAT(done.output, HasSubstr(R"("in flood":0.041666666666666664})"));
  EXPECT_THAT(done.output, HasSubstr(R"("day":"2026-03-02","raised":0,)")) << "a quiet day";
  EXPECT_THAT(done.output, HasSubstr(R"("stale":1,)")) << "on the second day";
}

TEST_F(AlarmReport, ForPeopleWithASumAndTheWorstAlone) {
  const Finished done = run({"--by", "alert", "--top", "1"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, testing::MatchesRegex("alert .*\n"
                                                 "low:p00 +2 +0.03 .* 5m *\n"
                                                 "all +14 +0.19 +12 +0 +1 +12 +5m *\n"));
  const Finished each = run({"--by", "rule-day"});
  EXPECT_THAT(each.output, testing::ContainsRegex("2026-03-01 +low +12 "));
  EXPECT_THAT(each.output, testing::ContainsRegex("2026-03-03 +low +1 "));
}

TEST_F(AlarmReport, SaysWhatItCouldNotRead) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((directory.path() / "data" / "journal.db").c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "UPDATE event SET json = '{' WHERE id = 5", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const Finished done = run({});
  EXPECT_EQ(done.status, 65) << done.output;
  EXPECT_THAT(done.output, HasSubstr("1 event cannot be read any more, and is not counted"));
  EXPECT_THAT(done.output, testing::ContainsRegex("low +12 "));
}

TEST_F(AlarmReport, AWrongTimeOrWordIsUsage) {
  EXPECT_EQ(run({"--by", "month"}).status, 64);
  EXPECT_EQ(tidegate({"alerts", "report", "--data", directory.path() / "data", "--from", "yesterday"}).status, 64);
  EXPECT_EQ(tidegate({"alerts", "report", "--data", directory.path() / "none"}).status, 1);
}

}  // namespace
}  // namespace tidegate::e2e
