#include "rules/alarm_report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace tidegate::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr Timestamp kDay = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
constexpr Interval kWeek{kDay, kDay + hours(7 * 24)};

class AlarmReportTest : public testing::Test {
 protected:
  using By = AlarmReport::By;
  void tell(Timestamp at, const std::string& id, const std::string& cause, Phase phase = Phase::active,
            bool shadow = false) {
    AlertTransition transition;
    transition.alert.id = id;
    transition.alert.rule = id.substr(0, id.find(':'));
    transition.alert.phase = phase;
    transition.alert.shadow = shadow;
    transition.cause = cause;
    events.push_back({at, transition});
  }
  void fire(Timestamp at, const std::string& id, Micros lasts) {
    tell(at, id, "raised");
    tell(at + lasts, id, "cleared", Phase::normal);
  }
  std::vector<std::string> raised(By by, const Interval& period = kWeek) {
    AlarmReport report(by, period);
    for (const Event& event : events) report.take(event);
    std::vector<std::string> all;
    for (const auto& [of, figures] : report.lines())
      all.push_back(fmt::format("{} {}", fmt::join(of, " "), figures.raised));
    return all;
  }
  AlarmFigures total(const Interval& period = kWeek) {
    AlarmReport report(By::day, period);
    for (const Event& event : events) report.take(event);
    report.lines();
    return report.total();
  }
  std::vector<Event> events;
};

TEST_F(AlarmReportTest, CountsByRuleByAlertAndByDay) {
  fire(kDay + hours(1), "hot:b1", minutes(1));
  fire(kDay + hours(2), "hot:b2", minutes(1));
  fire(kDay + hours(3), "low:p1", minutes(1));
  fire(kDay + hours(49), "hot:b2", minutes(1));
  fire(kDay + hours(50), "hot:b2", minutes(1));
  EXPECT_THAT(raised(By::rule), ElementsAre("hot 4", "low 1"));
  EXPECT_THAT(raised(By::alert), ElementsAre("hot:b2 3", "hot:b1 1", "low:p1 1"));
  EXPECT_THAT(raised(By::rule_and_day), ElementsAre("2026-03-01 hot 2", "2026-03-01 low 1", "2026-03-03 hot 2"));
  EXPECT_THAT(raised(By::day, {kDay, kDay + hours(60)}), ElementsAre("2026-03-01 3", "2026-03-02 0", "2026-03-03 2"));
  EXPECT_THAT(raised(By::rule, {kDay + hours(2), kDay + hours(50)}), ElementsAre("hot 2", "low 1"))
      << "the end is not in it";
}

TEST_F(AlarmReportTest, LeavesOutForWhichNobodyIsCalled) {
  tell(kDay, "trial:b1", "raised", Phase::active, true);
  tell(kDay, "hot:b1", "escalated");
  tell(kDay, "hot:b1", "unshelved", Phase::normal);
  EXPECT_THAT(raised(By::rule), ElementsAre());
  tell(kDay, "hot:b1", "unsuppressed");
  EXPECT_THAT(raised(By::rule), ElementsAre("hot 1"));
}

TEST_F(AlarmReportTest, TheFourthWithinAMinuteChatters) {
  for (int i = 0; i < 6; ++i) fire(kDay + seconds(15 * i), "hot:b1", seconds(5));
  for (int i = 0; i < 6; ++i) fire(kDay + seconds(15 * i), fmt::format("low:p{}", i), seconds(5));
  for (int i = 0; i < 6; ++i) fire(kDay + hours(1) + seconds(21 * i), "slow:p1", seconds(5));
  EXPECT_EQ(total().chattering, 3u) << "those of 45 s, 60 s and 75 s";
}

TEST_F(AlarmReportTest, WhatStoodForADayIsStaleOnTheDayWhenItDid) {
  fire(kDay + hours(1), "hot:b1", hours(23));
  fire(kDay + hours(1), "hot:b2", hours(24));
  tell(kDay - hours(30), "old:b3", "raised");
  tell(kDay + hours(100), "late:b4", "raised");
  EXPECT_EQ(total().stale, 2u) << "hot:b2, late:b4; old:b3 was it before the week";
  EXPECT_EQ(total({kDay - hours(6), kDay}).stale, 1u);
  EXPECT_EQ(total({kDay, kDay + hours(25)}).stale, 0u);
  EXPECT_EQ(total({kDay, kDay + hours(26)}).stale, 1u);
}

TEST_F(AlarmReportTest, AShelvedAlertDoesNotStand) {
  tell(kDay, "hot:b1", "raised");
  AlertTransition shelved = std::get<AlertTransition>(events.back().body);
  shelved.alert.shelved_until = kOutOfService;
  shelved.cause = "shelved";
  events.push_back({kDay + hours(23), shelved});
  tell(kDay + hours(30), "hot:b1", "unshelved");
  tell(kDay + hours(40), "hot:b1", "cleared", Phase::normal);
  EXPECT_EQ(total().stale, 0u);
  EXPECT_EQ(total().raised, 2u);
}

TEST_F(AlarmReportTest, TheTimeToAcknowledgeIsTheMedian) {
  for (const int minute : {1, 9, 2}) {
    tell(kDay + hours(minute), fmt::format("hot:b{}", minute), "raised");
    tell(kDay + hours(minute) + minutes(minute), fmt::format("hot:b{}", minute), "acknowledged");
  }
  tell(kDay + hours(20), "hot:b9", "acknowledged");
  EXPECT_EQ(total().acknowledged, 3u) << "nothing was owed any more";
  EXPECT_EQ(total().to_acknowledge, minutes(2));
  tell(kDay + hours(30), "low:p1", "raised");
  tell(kDay + hours(31), "low:p1", "returned", Phase::returned);
  tell(kDay + hours(32), "low:p1", "acknowledged", Phase::normal);
  EXPECT_EQ(total().to_acknowledge, seconds(330));
}

TEST_F(AlarmReportTest, TheMostInTenMinutesSlides) {
  for (const int minute : {0, 8, 9, 11, 17, 40})
    fire(kDay + minutes(minute), fmt::format("hot:b{}", minute), minutes(1));
  EXPECT_EQ(total().most_in_ten_minutes, 4u) << "from minute 8 to 17";
}

TEST_F(AlarmReportTest, AFloodIsCutAtMidnightAndAtTheEnds) {
  events.push_back({kDay + hours(23), Flood{true, kDay + hours(22), "hot:b1", 10}});
  events.push_back({kDay + hours(26), Flood{false, kDay + hours(22), "hot:b1", 50}});
  events.push_back({kDay + hours(71), Flood{true, kDay + hours(71), "hot:b1", 10}});
  AlarmReport report(By::day, {kDay, kDay + hours(72)});
  for (const Event& event : events) report.take(event);
  const auto lines = report.lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].figures.in_flood, hours(1));
  EXPECT_EQ(lines[1].figures.in_flood, hours(2));
  EXPECT_EQ(lines[2].figures.in_flood, hours(1)) << "it is on";
  EXPECT_EQ(report.total().in_flood, hours(4));
  EXPECT_EQ(lines[0].figures.span, hours(24));
  EXPECT_EQ(report.total().span, hours(72));
}

}  // namespace
}  // namespace tidegate::rules
