// Rules that read several series, on the engine: series that come late, change, or do not fit.

#include <gmock/gmock.h>

#include "rules/engine.h"
#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class JointTest : public testing::Test {
 protected:
  void rules(const std::string& condition, const std::string& series) {
    engine = std::make_unique<Engine>(std::vector{rule(condition, series)});
  }
  void declare(std::uint32_t id, std::string_view name, const std::string& unit = "",
               const std::vector<std::string>& states = {}) {
    SeriesInfo info;
    info.unit = unit;
    if (!states.empty()) info.kind = SeriesKind::state;
    engine->declare(SeriesId{id}, name, info, states, kStart, out);
  }
  void observe(std::uint32_t id, int second, double value, Quality quality = Quality::good) {
    const Sample sample{SeriesId{id}, quality, Reason::none, kStart + seconds(second), value};
    engine->observe({&sample, 1}, sample.time, out);
  }
  void tick(int second) { engine->tick(kStart + seconds(second), out); }
  /// Second and cause of everything that was announced.
  std::vector<std::string> told() const {
    std::vector<std::string> all;
    for (const Event& event : out.events) {
      if (const auto* transition = std::get_if<AlertTransition>(&event.body))
        all.push_back(std::to_string((event.time - kStart) / seconds(1)) + " " + transition->cause);
    }
    return all;
  }
  std::unique_ptr<Engine> engine;
  Output out;
};

TEST_F(JointTest, ASiblingThatComesLaterIsReadFromThenOn) {
  rules("when: 'value > 3 and flow < 1'", "{pump}/current");
  declare(0, "p1/current");
  observe(0, 1, 5);
  declare(1, "p1/flow");
  observe(0, 2, 5);
  EXPECT_THAT(told(), ElementsAre());
  observe(1, 3, 0.5);
  EXPECT_THAT(told(), ElementsAre("3 raised"));
}

TEST_F(JointTest, TheRestOfAMomentIsWaitedForASecond) {
  rules("when: 'value - flow > 20'", "{pump}/current");
  declare(0, "p1/current");
  declare(1, "p1/flow");
  for (const int second : {1, 2}) {
    observe(0, second, 60 * second);
    observe(1, second, 60 * second - 10);
    tick(second);
  }
  observe(0, 4, 150);
  tick(4);
  EXPECT_THAT(told(), ElementsAre()) << "the other one came with it the last time";
  tick(5);
  EXPECT_THAT(told(), ElementsAre("5 raised"));
  observe(0, 6, 160);
  observe(1, 7, 155);
  EXPECT_THAT(told(), ElementsAre("5 raised", "7 cleared")) << "they came apart";
}

TEST_F(JointTest, AMemberThatComesLaterJoins) {
  rules("when: 'count(room/+/temperature > 26) > 1'", "hall/fan");
  declare(0, "hall/fan");
  declare(1, "room/a/temperature");
  observe(1, 1, 30);
  declare(2, "room/b/temperature");
  observe(2, 2, 30);
  EXPECT_THAT(told(), ElementsAre("2 raised"));
}

TEST_F(JointTest, AStateMoreCostsNoWindow) {
  rules("when: 'max(value, 1m) > 8 and mode == off'", "{d}/level");
  declare(0, "d/level");
  declare(1, "d/mode", "", {"on"});
  observe(1, 1, 0);
  observe(0, 2, 9);
  observe(0, 3, 1);
  declare(1, "d/mode", "", {"on", "off"});
  observe(1, 4, 1);
  EXPECT_THAT(told(), ElementsAre("4 raised")) << "the 9 of second 2 is still in the window";
}

TEST_F(JointTest, TheWatchedSeriesMayChangeAsWell) {
  rules("when: 'value == off and max(level, 1m) > 8'", "{d}/mode");
  declare(0, "d/mode", "", {"on"});
  declare(1, "d/level");
  observe(1, 1, 9);
  observe(1, 2, 1);
  declare(0, "d/mode", "", {"on", "off"});
  observe(0, 3, 1);
  EXPECT_THAT(told(), ElementsAre("3 raised"));
}

TEST_F(JointTest, AUnitThatDoesNotConvertEndsTheAlertAndSaysWhy) {
  rules("when: 'value > 3 A and flow < 1 L/min'", "{pump}/current");
  declare(0, "p1/current", "A");
  declare(1, "p1/flow", "L/min");
  observe(0, 1, 5);
  observe(1, 2, 0);
  declare(1, "p1/flow", "bar");
  EXPECT_THAT(told(), ElementsAre("2 raised", "2 rule removed"));
  const auto status = engine->status().at(0);
  EXPECT_EQ(status.unfit, 1u);
  EXPECT_THAT(status.problems, ElementsAre(HasSubstr("bar")));
  declare(1, "p1/flow", "L/min");
  observe(1, 3, 0);
  EXPECT_THAT(told().back(), "3 raised");
}

TEST_F(JointTest, AMemberThatComesLaterJoinsEachPatternThatNamesIt) {
  rules("when: 'count(room/+/temperature > 26) > 0 and max(room/a/+) > 28'", "hall/fan");
  declare(0, "hall/fan");
  declare(1, "room/a/temperature");
  observe(1, 1, 30);
  EXPECT_THAT(told(), ElementsAre("1 raised"));
}

/// It would be judged with its new value in one place and its old one in another.
TEST_F(JointTest, ASeriesThatIsNamedTwiceIsHeardInBothPlacesBeforeItIsJudged) {
  rules("when: 'value > 60 and d0/v < 50 and count(+/v > 65) < 1'", "{d}/v");
  declare(0, "d0/v");
  observe(0, 1, 40);
  observe(0, 2, 70);
  observe(0, 3, 40);
  EXPECT_THAT(told(), ElementsAre());
}

TEST_F(JointTest, AMemberThatChangesItsUnitIsReadInThat) {
  rules("when: 'count(room/+/temperature > 26 °C) > 0'", "hall/fan");
  declare(0, "hall/fan");
  declare(1, "room/a/temperature", "°C");
  observe(1, 1, 20);
  declare(1, "room/a/temperature", "K");
  observe(1, 2, 290);
  EXPECT_THAT(told(), ElementsAre());
  observe(1, 3, 310);
  EXPECT_THAT(told(), ElementsAre("3 raised"));
}

TEST_F(JointTest, ASilenceInWhichNobodyWatchedMakesNothingOld) {
  rules("when: 'age(value) > 90s'", "hall/fan");
  declare(0, "hall/fan");
  observe(0, 0, 1);
  tick(60);
  tick(360);
  tick(390);
  EXPECT_THAT(told(), ElementsAre());
  tick(392);
  EXPECT_THAT(told(), ElementsAre("390 raised"));
}

TEST_F(JointTest, WhatIsOldStaysOldThroughATimeInWhichNobodyWatched) {
  rules("when: 'age(value) > 90s'", "hall/fan");
  declare(0, "hall/fan");
  observe(0, 0, 1);
  tick(60);
  tick(92);
  tick(400);
  tick(460);
  EXPECT_THAT(told(), ElementsAre("90 raised"));
  observe(0, 470, 1);
  EXPECT_THAT(told(), ElementsAre("90 raised", "470 cleared"));
}

TEST_F(JointTest, AMemberMayHaveAStateMore) {
  rules("when: 'any(door/+/state == open)'", "hall/fan");
  declare(0, "hall/fan");
  declare(1, "door/a/state", "", {"shut"});
  observe(1, 1, 0);
  declare(1, "door/a/state", "", {"shut", "open"});
  observe(1, 2, 1);
  EXPECT_THAT(told(), ElementsAre("2 raised"));
}

TEST_F(JointTest, AMemberThatDoesNotFitIsLeftOutAndTheRuleSaysSo) {
  rules("when: 'count(room/+/temperature > 26 °C) > 0'", "hall/fan");
  declare(0, "hall/fan");
  declare(1, "room/a/temperature", "°C");
  declare(2, "room/b/temperature", "bar");
  EXPECT_THAT(engine->status().at(0).problems, ElementsAre(HasSubstr("room/b/temperature: its unit is bar")));
  declare(2, "room/b/temperature", "K");
  EXPECT_THAT(engine->status().at(0).problems, ElementsAre());
  observe(1, 1, 20);
  declare(1, "room/a/temperature", "bar");
  observe(2, 2, 310);
  EXPECT_THAT(told(), ElementsAre("2 raised"));
  EXPECT_THAT(engine->status().at(0).problems, ElementsAre(HasSubstr("room/a/temperature")));
}

// `suppress_when`.

TEST_F(JointTest, WhatSuppressesAnAlertIsKnownWhenTheSampleRaisesIt) {
  rules("threshold: {above: 90}, suppress_when: 'count(+/t > 90) > 1'", "{d}/t");
  declare(0, "a/t");
  declare(1, "b/t");
  observe(0, 1, 95);
  observe(1, 2, 95);
  EXPECT_THAT(told(), ElementsAre("1 raised", "2 suppressed", "2 raised"));
  EXPECT_EQ(out.alerts.back().id, "hot:b");
  EXPECT_TRUE(silenced(out.alerts.back()));
}

TEST_F(JointTest, AnAlertIsNotSuppressedByWhatMakesNoSenseForIt) {
  rules("threshold: {above: 90}, suppress_when: 'flow < 1 L/min'", "{pump}/t");
  declare(0, "p1/t");
  declare(1, "p1/flow", "bar");
  observe(1, 1, 0);
  observe(0, 2, 95);
  EXPECT_THAT(told(), ElementsAre("2 raised"));
  EXPECT_FALSE(silenced(out.alerts.back()));
  const auto status = engine->status();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].instances, 1u);
  EXPECT_EQ(status[0].unfit, 0u);
  EXPECT_THAT(status[0].problems, ElementsAre(AllOf(HasSubstr("suppress_when of p1/t: "), HasSubstr("bar"))));
}

TEST_F(JointTest, TheConditionIsNoAlert) {
  rules("threshold: {above: 90}, suppress_when: 'flow < 1'", "{pump}/t");
  declare(0, "p1/t");
  for (const std::string id : {":p1", "", "hot"}) {
    EXPECT_FALSE(engine->knows(id)) << id;
    EXPECT_FALSE(engine->shelve({id, "Ada", "why not", kOutOfService}, kStart, out)) << id;
  }
  EXPECT_TRUE(engine->knows("hot:p1"));
}

TEST_F(JointTest, AnAlertThatIsTakenOverIsSuppressedUntilTheConditionIsKnown) {
  const std::string kind = "threshold: {above: 90}, suppress_when: 'mode == off'";
  rules(kind, "{d}/t");
  declare(0, "p1/t");
  declare(1, "p1/mode", "", {"on", "off"});
  observe(1, 1, 1);
  observe(0, 2, 95);
  const AlertRecord suppressed = out.alerts.back();
  ASSERT_EQ(suppressed.suppressed_by, "mode == \"off\"");
  out.clear();
  rules(kind, "{d}/t");
  declare(0, "p1/t");
  declare(1, "p1/mode", "", {"on", "off"});
  engine->restore({&suppressed, 1}, kStart + seconds(3), out);
  observe(0, 4, 96);
  EXPECT_THAT(told(), ElementsAre()) << "nobody has told it of the mode";
  observe(1, 5, 0);
  EXPECT_THAT(told(), ElementsAre("5 unsuppressed"));
}

}  // namespace
}  // namespace tidegate::rules
