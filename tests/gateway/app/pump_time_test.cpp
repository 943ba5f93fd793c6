// What the pump makes of time: silence, restarts, clocks that step, floods.

#include "tests/fakes/machine.h"
#include "tests/gateway/app/pump_rig.h"

namespace tidegate::app {
namespace {

TEST(Pump, ASensorThatARuleNamesIsMissedEvenIfItNeverSpoke) {
  const test::TempDir directory;
  Rig rig(directory.path(), "rules: [{name: silent, series: cellar/level, absence: {for: 1s}}]\n");
  EXPECT_TRUE(eventually([&] { return rig.transitions().size() == 1; }));
}

TEST(Pump, ASensorThatNeverSpokeIsNoFreshNewsAfterAQuickRestart) {
  const test::TempDir directory;
  const std::string rules =
      "rules:\n"
      "  - {name: silent, series: cellar/level, absence: {for: 1h}}\n"
      "  - {name: cold, series: cellar/level, threshold: {below: 4}}\n";
  {
    Rig rig(directory.path(), rules);
    rig.store(rig.series("plant/a"), 1);
  }
  Rig rig(directory.path(), rules);
  rig.store(rig.series("plant/a"), 2);
  std::this_thread::sleep_for(300ms);  // a few ticks of the timers
  EXPECT_THAT(rig.transitions(), testing::IsEmpty());
}

/// What a gateway of before left: a sample of each series, taken and stored so long ago. Oldest first.
void leave_behind(const std::filesystem::path& directory, const std::vector<std::pair<std::string, Micros>>& samples) {
  const Timestamp now = GatewayClock().now();
  FakeClock clock(now);
  Metrics metrics;
  journal::Options options;
  options.directory = directory;
  auto journal = journal::Journal::open(options, clock, metrics);
  ASSERT_TRUE(journal) << journal.error().text;
  for (const auto& [series, ago] : samples) {
    clock.set(now - ago);
    Batch batch;
    batch.samples = {{*(*journal)->catalogue().intern(series, {}), Quality::good, Reason::none, clock.now(), 50}};
    ASSERT_TRUE((*journal)->append(std::move(batch)));
  }
}

TEST(Pump, WhileTheGatewayWasOffNobodyWasSilent) {
  const test::TempDir directory;
  leave_behind(directory.path(), {{"cellar/level", 41min}, {"plant/a", 40min}});
  const std::string rules = "rules: [{name: silent, series: cellar/level, absence: {for: 30m}}]\n";
  for (int start = 0; start < 3; ++start) {
    Rig rig(directory.path(), rules);
    rig.store(rig.series("plant/a"), 1);
    std::this_thread::sleep_for(200ms);  // a few ticks of the timers
    EXPECT_THAT(rig.transitions(), testing::IsEmpty());
    rig.pump_->replace_rules(rules_of(rules));
    rig.store(rig.series("plant/a"), 1);
    std::this_thread::sleep_for(200ms);
    EXPECT_THAT(rig.transitions(), testing::IsEmpty());
  }
}

/// The lookback of an absence is its time and a minute: the last sample lies within it, just beyond it, and far.
TEST(Pump, ASensorThatIsSilentForLongIsMissedOnceHoweverOftenTheGatewayStarts) {
  for (const Micros silence : {Micros(60min + 30s), Micros(61min + 1s), Micros(24h * 40)}) {
    const test::TempDir directory;
    leave_behind(directory.path(), {{"cellar/level", silence}, {"plant/a", 0min}});
    const std::string rules = "rules: [{name: silent, series: \"{place}/level\", absence: {for: 1h}}]\n";
    for (int start = 0; start < 3; ++start) {
      Rig rig(directory.path(), rules);
      rig.store(rig.series("plant/a"), 1);
      EXPECT_TRUE(eventually([&] { return !rig.transitions().empty(); }));
      EXPECT_EQ(rig.journal_->alerts()->size(), 1u);
    }
    Rig rig(directory.path(), rules);
    rig.store(rig.series("cellar/level"), 1);
    EXPECT_THAT(rig.transitions(), testing::ElementsAre("silent:cellar raised", "silent:cellar cleared"));
  }
}

TEST(Pump, AClockThatComesBackBehindTheLastCommitMakesNoRuleBlind) {
  const test::TempDir directory;
  leave_behind(directory.path(), {{"boiler/temperature", -1h}});
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised"));
}

TEST(Pump, ARunWithAClockFarAheadMakesNoRuleBlind) {
  const test::TempDir directory;
  leave_behind(directory.path(), {{"boiler/temperature", -24h * 3650}});
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised"));
}

/// A pump on a machine whose clocks the test moves.
class PumpOnMachine : public testing::Test {
 protected:
  static constexpr Timestamp kToday{std::chrono::seconds(1'800'000'000)};

  Rig& start(const std::string& rules, Micros commit_every) {
    rig.emplace(directory.path(), rules,
                Rig::Options{.commit_every = commit_every, .read = Machine::read, .kept = Machine::is_kept});
    return *rig;
  }

  using Machine = test::Machine;
  const test::TempDir directory;
  std::optional<Rig> rig;
};

TEST_F(PumpOnMachine, AStepOfTheClockAloneRaisesNothing) {
  Machine::start(kToday);
  start(
      "rules: [{name: hot, series: boiler/temperature, threshold: {above: 90}},"
      " {name: silent, series: cellar/level, absence: {for: 1m}}]\n",
      20ms);
  std::size_t steps = 0;
  for (const Micros step : {Micros(1h), Micros(24h * 365), Micros(-1h), Micros(-1s), Micros(-24h * 365)}) {
    rig->store(rig->series("cellar/level"), 1);
    rig->store(rig->series("boiler/temperature"), 20);
    Machine::set(step);
    ++steps;
    ASSERT_TRUE(eventually([&] { return rig->clock_events().size() == steps; })) << steps;
    Machine::go(1s);
  }
  EXPECT_THAT(rig->clock_events(), testing::Each("step"));
  EXPECT_THAT(rig->transitions(), testing::IsEmpty());
}

TEST_F(PumpOnMachine, WhatWaitsWhenTheClockIsSetGetsItsTrueTimeToo) {
  Machine::start(Timestamp{1s}, false);
  const std::string rules = "rules: [{name: silent, series: cellar/level, absence: {for: 1m}}]\n";
  start(rules, 1h);
  const SeriesId level = rig->series("cellar/level");
  rig->store(level, 1);
  Machine::go(1s);
  rig->push(level, 2);  // taken by the pump, and not committed
  ASSERT_TRUE(eventually([&] { return rig->intake_.stats().depth == 0; }));
  const Sample slow{level, Quality::good, Reason::none, rig->clock_.now(), 3};
  const Sample own{rig->series("roof/own"), Quality::good, Reason::none, kToday - 1h, 4};
  rig->intake_.push({&own, 1});
  Machine::set(kToday);
  Machine::kept = true;
  ASSERT_TRUE(eventually([&] { return rig->clock_events().size() == 3; }));
  ASSERT_TRUE(rig->intake_.wait_committed(rig->intake_.push({&slow, 1}), {}));
  EXPECT_THAT(rig->clock_events(),
              testing::UnorderedElementsAre("the clock is set", "step", testing::HasSubstr("true times")));
  EXPECT_THAT(rig->stored_times(), testing::ElementsAre(kToday - 1s, kToday, kToday - 1h, kToday));
  EXPECT_THAT(rig->transitions(), testing::IsEmpty());
  EXPECT_EQ(rig->freshness_.stale_after(level), Freshness::kUnknown);
}

TEST_F(PumpOnMachine, AClockThatNobodySetsIsGivenUpAfterTenMinutes) {
  Machine::start(Timestamp{1s}, false);
  start("rules: []", 20ms);
  rig->store(rig->series("cellar/level"), 1);
  EXPECT_EQ(rig->journal_->settled(), Seq{0});
  Machine::go(10min);
  ASSERT_TRUE(eventually([&] { return rig->clock_events().size() == 1; }));
  EXPECT_THAT(rig->clock_events(), testing::ElementsAre(testing::HasSubstr("waited for no longer")));
  EXPECT_TRUE(eventually([&] { return rig->journal_->settled() == rig->journal_->last(); }));
  EXPECT_THAT(rig->stored_times(), testing::ElementsAre(Timestamp{1s}));
}

TEST(Pump, AFloodSurvivesRestartsAndIsToldOnce) {
  const test::TempDir directory;
  const std::string rules = "rules: [{name: hot, series: '{pump}/t', threshold: {above: 90}}]\n";
  for (const int first : {0, 6, 12}) {
    Rig rig(directory.path(), rules);
    for (int i = first; i < first + 6; ++i) rig.store(rig.series(fmt::format("p{}/t", i)), 95);
    if (first == 0) continue;
    ASSERT_TRUE(eventually([&] { return rig.pump_->flood().has_value(); }));
    EXPECT_EQ(rig.pump_->flood()->first, "hot:p0");
    EXPECT_TRUE(eventually([&] { return rig.pump_->flood()->count == static_cast<std::uint32_t>(first + 6); }));
    const auto told = rig.transitions();
    EXPECT_EQ(std::count(told.begin(), told.end(), "flood on hot:p0 10"), 1);
  }
}

/// An alert each minute for two hours: the first of them, and how many they are, is further back than what chatters.
TEST(Pump, AFloodOfHoursIsKnownAfterARestart) {
  const test::TempDir directory;
  Rig rig(directory.path(), "", {.start = false});
  const Timestamp began = rig.clock_.now() - 2h;
  for (int i = 0; i < 120; ++i) {
    Batch batch;
    batch.events = {journal::transition(journal::alert(fmt::format("gone:{}", i), Phase::active), began + 1min * i)};
    if (i == 9) batch.events.push_back({began + 9min, Flood{true, began, "gone:0", 10}});
    ASSERT_TRUE(rig.journal_->append(batch));
  }
  rig.pump_->recover(rules_of("rules: []"));
  rig.thread_ = std::jthread([&rig](std::stop_token stop) { rig.pump_->run(std::move(stop)); });
  ASSERT_TRUE(eventually([&] { return rig.pump_->flood().has_value(); }));
  EXPECT_EQ(*rig.pump_->flood(), (Flood{true, began, "gone:0", 120}));
}

/// Somebody was called just now for what happened half an hour ago: it is as new after a restart.
TEST(Pump, AFloodOfLateSamplesIsNotOverWithARestart) {
  const test::TempDir directory;
  Rig rig(directory.path(), "", {.start = false});
  const Timestamp now = rig.clock_.now(), then = now - 30min;
  Batch batch;
  for (int i = 0; i < 10; ++i)
    batch.events.push_back(journal::transition(journal::alert(fmt::format("gone:{}", i), Phase::active), then));
  batch.events.push_back({now, Flood{true, now, "gone:0", 10}});
  ASSERT_TRUE(rig.journal_->append(batch));
  rig.drain();
  EXPECT_THAT(rig.transitions(), testing::Not(testing::Contains(testing::HasSubstr("flood over"))));
}

TEST(Pump, WhatWaitsInTheQueueIsNoSilence) {
  const test::TempDir directory;
  leave_behind(directory.path(), {{"cellar/level", 61min}, {"plant/a", 0min}});
  const std::string rules = "rules: [{name: silent, series: cellar/level, absence: {for: 1h}}]\n";
  Rig rig(directory.path(), rules, {.batch_samples = 2, .start = false});
  for (int i = 0; i < 5; ++i) rig.push(rig.series("plant/a"), i);
  const Sample answer{rig.series("cellar/level"), Quality::good, Reason::none, rig.clock_.now() - 30min, 1};
  rig.intake_.push({&answer, 1});
  rig.drain();
  EXPECT_EQ(rig.journal_->stats().samples, 8u);
  EXPECT_THAT(rig.transitions(), testing::IsEmpty());
}

TEST(Pump, ASilentSensorIsMissedThoughTheQueueIsNeverEmpty) {
  const test::TempDir directory;
  Rig rig(directory.path(), "rules: [{name: silent, series: cellar/level, absence: {for: 1s}}]\n");
  std::jthread flood([&rig, a = rig.series("plant/a")](const std::stop_token& stop) {
    const std::vector<Sample> samples(256, Sample{a, Quality::good, Reason::none, rig.clock_.now(), 1});
    while (!stop.stop_requested()) rig.intake_.push(samples);
  });
  EXPECT_TRUE(eventually([&] { return rig.transitions().size() == 1; }));
}

TEST(Pump, WhenNobodyWatchedStandsInTheJournal) {
  const test::TempDir directory;
  leave_behind(directory.path(), {{"cellar/level", 41min}, {"plant/a", 40min}});
  Rig rig(directory.path(), "rules: []");
  rig.store(rig.series("plant/a"), 1);
  const auto events = rig.journal_->events({});
  ASSERT_TRUE(events && events->size() == 1);
  const Event& event = events->front().event;
  EXPECT_GE(event.time - std::get<Unwatched>(event.body).since, 40min);
  EXPECT_LT(event.time - std::get<Unwatched>(event.body).since, 41min);
}

TEST(Pump, TheRulesMayChangeAllTheTimeAndASilentSensorIsMissed) {
  const test::TempDir directory;
  const std::string rules = "rules: [{name: silent, series: cellar/level, absence: {for: 1s}}]\n";
  Rig rig(directory.path(), rules);
  EXPECT_TRUE(eventually([&] {
    rig.pump_->replace_rules(rules_of(rules));
    return rig.transitions().size() == 1;
  }));
}

TEST(Pump, TheIntervalsOfSensorsAreLearnedAnewFromTheJournal) {
  const test::TempDir directory;
  {
    Rig rig(directory.path(), "rules: []");
    const SeriesId slow = rig.series("plant/slow");
    for (int i = 20; i >= 0; --i) {
      const Sample sample{slow, Quality::good, Reason::none, rig.clock_.now() - i * 5s, 1.0};
      rig.intake_.push({&sample, 1});
    }
    rig.store(rig.series("plant/other"), 1);
  }
  Rig rig(directory.path(), "rules: []");
  const Micros stale = rig.freshness_.stale_after(rig.series("plant/slow"));
  EXPECT_GT(stale, 14s);
  EXPECT_LT(stale, 16s);
}

}  // namespace
}  // namespace tidegate::app
