#include "rules/flood.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "rules/engine.h"
#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

Timestamp second(int n) { return kStart + seconds(n); }

/// Second, on or over, second of the first, its id, how many.
std::vector<std::string> floods(const std::vector<Event>& events) {
  std::vector<std::string> all;
  for (const Event& event : events) {
    const auto* flood = std::get_if<Flood>(&event.body);
    if (flood == nullptr) continue;
    all.push_back(fmt::format("{} {} {} {} {}", (event.time - kStart) / seconds(1), flood->on ? "on" : "over",
                              (flood->since - kStart) / seconds(1), flood->first, flood->count));
  }
  return all;
}

class FloodTest : public testing::Test {
 protected:
  void raise(int at, const std::string& alert = "a") {
    watch.pass(second(at), out);
    watch.raised(second(at), alert, out);
  }
  FloodWatch watch;
  std::vector<Event> out;
};

TEST_F(FloodTest, TenInTenMinutesAreOneAndNineAreNone) {
  for (int i = 0; i < 9; ++i) raise(i * 60, std::to_string(i));
  EXPECT_THAT(floods(out), IsEmpty());
  EXPECT_FALSE(watch.now());
  raise(599, "9");
  EXPECT_THAT(floods(out), ElementsAre("599 on 0 0 10"));
  ASSERT_TRUE(watch.now());
  EXPECT_EQ(watch.now()->first, "0");
}

TEST_F(FloodTest, WhatIsTenMinutesOldCountsNoMore) {
  for (int i = 0; i < 9; ++i) raise(i * 60);
  raise(600);
  EXPECT_THAT(floods(out), IsEmpty()) << "the first was ten minutes ago";
}

TEST_F(FloodTest, ItEndsWhenFewerThanFiveAreLeftAndTellsWhenThatWas) {
  for (int i = 0; i < 12; ++i) raise(i * 10, std::to_string(i));
  watch.pass(second(12 * 10), out);
  out.clear();
  watch.pass(second(669), out);
  EXPECT_THAT(floods(out), IsEmpty()) << "from the seventh, at 60 s, on, five are left";
  watch.pass(second(9000), out);
  EXPECT_THAT(floods(out), ElementsAre("670 over 0 0 12"));
  EXPECT_FALSE(watch.now());
  watch.pass(second(9001), out);
  EXPECT_EQ(out.size(), 1u);
}

TEST_F(FloodTest, WhatGoesOnKeepsIt) {
  for (int i = 0; i < 100; ++i) raise(i * 60, std::to_string(i));
  EXPECT_THAT(floods(out), ElementsAre("540 on 0 0 10"));
  EXPECT_EQ(watch.now()->count, 100u);
  EXPECT_EQ(watch.now()->first, "0");
}

TEST_F(FloodTest, OneThatCameLateIsTheFirstByItsTime) {
  for (int i = 1; i < 10; ++i) raise(i * 10, std::to_string(i));
  raise(5, "late");
  EXPECT_THAT(floods(out), ElementsAre("90 on 5 late 10"));
}

TEST_F(FloodTest, OneThatCameLateDoesNotReachBackFurther) {
  for (const int at : {0, 1, 2, 3}) raise(at);
  for (const int at : {590, 591, 592, 593, 610}) watch.raised(second(at), "a", out);
  raise(589, "late");
  EXPECT_THAT(floods(out), IsEmpty()) << "six within ten minutes";
}

TEST(Calls, ASilencedAlertIsNoneOfThem) {
  AlertTransition transition;
  transition.alert.phase = Phase::active;
  transition.cause = "raised";
  EXPECT_TRUE(calls_somebody(transition));
  for (const char* cause : {"unshelved", "unsuppressed"}) {
    transition.cause = cause;
    EXPECT_TRUE(calls_somebody(transition)) << cause;
  }
  for (const char* cause : {"escalated", "acknowledged", "shelved", "suppressed", "cleared"}) {
    transition.cause = cause;
    EXPECT_FALSE(calls_somebody(transition)) << cause;
  }
  transition.cause = "raised";
  transition.alert.shadow = true;
  EXPECT_FALSE(calls_somebody(transition));
  transition.alert.shadow = false;
  transition.cause = "unshelved";
  transition.alert.phase = Phase::normal;
  EXPECT_FALSE(calls_somebody(transition));
}

// On the engine.

class EngineFlood : public testing::Test {
 protected:
  static constexpr std::uint32_t kPumps = 12;
  void start(const std::string& more = "") {
    engine = std::make_unique<Engine>(std::vector{rule("threshold: {above: 5}" + more, "{pump}/t")});
    for (std::uint32_t i = 0; i < kPumps; ++i)
      engine->declare(SeriesId{i}, fmt::format("p{}/t", i), {}, {}, kStart, out);
  }
  void observe(std::uint32_t pump, Timestamp time, double value, Timestamp now) {
    const Sample sample{SeriesId{pump}, Quality::good, Reason::none, time, value};
    engine->observe({&sample, 1}, now, out);
  }
  void raise(std::uint32_t pumps) {
    for (std::uint32_t i = 0; i < pumps; ++i) observe(i, second(static_cast<int>(i)), 9, second(static_cast<int>(i)));
  }
  std::unique_ptr<Engine> engine;
  Output out;
};

TEST_F(EngineFlood, IsToldAfterTheAlertWithWhichItBegan) {
  start();
  raise(10);
  EXPECT_THAT(floods(out.events), ElementsAre("9 on 0 hot:p0 10"));
  EXPECT_TRUE(std::holds_alternative<Flood>(out.events.back().body));
  raise(12);
  EXPECT_EQ(engine->flood()->count, 12u);
  for (int minute = 0; minute < 20; ++minute) engine->tick(second(11) + seconds(30) * minute, out);
  EXPECT_THAT(floods(out.events), ElementsAre("9 on 0 hot:p0 10"));
  for (int minute = 20; minute < 30; ++minute) engine->tick(second(11) + seconds(30) * minute, out);
  EXPECT_THAT(floods(out.events), ElementsAre("9 on 0 hot:p0 10", "607 over 0 hot:p0 12"));
}

TEST_F(EngineFlood, AlertsOnTrialAreNone) {
  start(", shadow: true");
  raise(12);
  EXPECT_THAT(floods(out.events), IsEmpty());
}

TEST_F(EngineFlood, AClockThatLagsByHoursHidesNone) {
  start();
  for (std::uint32_t i = 0; i < 10; ++i) observe(i, second(static_cast<int>(i)), 9, second(7200 + static_cast<int>(i)));
  EXPECT_THAT(floods(out.events), ElementsAre("7209 on 7200 hot:p0 10"));
}

TEST_F(EngineFlood, SurvivesARestart) {
  for (const std::uint32_t before : {9u, 10u, 11u}) {
    out.clear();
    start();
    raise(before);
    const Output told = out;
    const auto was_on = engine->flood();
    start();
    out.clear();
    engine->told(told.events);
    engine->restore(told.alerts, second(11), out);
    EXPECT_EQ(engine->flood(), was_on) << before;
    EXPECT_THAT(out.events, IsEmpty()) << "nothing is told twice";
    for (std::uint32_t i = before; i < 12; ++i) observe(i, second(20), 9, second(20));
    EXPECT_EQ(floods(out.events).size(), before < 10 ? 1u : 0u) << before;
    ASSERT_TRUE(engine->flood()) << before;
    EXPECT_EQ(engine->flood()->count, 12u) << before;
    EXPECT_EQ(engine->flood()->first, "hot:p0") << before;
  }
}

TEST_F(EngineFlood, ThatEndedWhileTheGatewayWasOffIsOver) {
  start();
  raise(12);
  const Output told = out;
  start();
  out.clear();
  engine->told(told.events);
  engine->unwatched({second(12), second(5000)});
  engine->restore(told.alerts, second(5000), out);
  engine->tick(second(5000), out);
  EXPECT_THAT(floods(out.events), ElementsAre("607 over 0 hot:p0 12"));
}

}  // namespace
}  // namespace tidegate::rules
