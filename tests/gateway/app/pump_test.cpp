#include "gateway/app/pump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <thread>

#include "tests/fakes/machine.h"
#include "tests/gateway/app/rules.h"
#include "tests/gateway/journal/faulty_vfs.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::eventually;

/// A pump with a real journal, without drivers, viewers or uplinks.
class Rig {
 public:
  struct Options {
    Micros commit_every = 50ms;
    std::size_t batch_samples = 1000;
    std::size_t max_series = 1000;
    bool start = true;
    GatewayClock::Read read = GatewayClock::read_system;
    GatewayClock::Kept kept = GatewayClock::is_kept;
  };
  Rig(const std::filesystem::path& directory, const std::string& rules) : Rig(directory, rules, Options{}) {}
  Rig(const std::filesystem::path& directory, const std::string& rules, const Options& rig)
      : rules_(rules), clock_(rig.read, rig.kept) {
    journal::Options options;
    options.directory = directory;
    options.series.max_series = rig.max_series;
    auto opened = journal::Journal::open(options, clock_, metrics_);
    if (!opened) throw std::runtime_error(opened.error().text);
    journal_ = std::move(*opened);
    clock_.begin_after(journal_->left_off());
    pump_ = std::make_unique<Pump>(intake_, *journal_, freshness_, clock_, heart_, metrics_,
                                   Pump::Limits{rig.commit_every, rig.batch_samples});
    if (!rig.start) return;
    pump_->recover(rules_of(rules));
    thread_ = std::jthread([this](std::stop_token stop) { pump_->run(std::move(stop)); });
  }
  /// Of a pump that was not started: all that was pushed until now.
  void drain() {
    std::stop_source stop;
    stop.request_stop();
    pump_->recover(rules_of(rules_));
    pump_->run(stop.get_token());
  }

  SeriesId series(const std::string& name) { return *journal_->catalogue().intern(name, SeriesInfo{}); }
  Ticket push(SeriesId series, double value, Quality quality = Quality::good) {
    const Sample sample{series, quality, Reason::none, clock_.now(), value};
    return intake_.push({&sample, 1});
  }
  /// Pushes and waits until it is on disk.
  void store(SeriesId series, double value) { ASSERT_TRUE(intake_.wait_committed(push(series, value), {})); }

  std::vector<std::string> transitions() const {
    std::vector<std::string> causes;
    const auto events = journal_->events({.after = Seq{0}, .limit = 1000, .newest_first = false, .alerts_only = true});
    for (const auto& stored : *events) {
      if (const auto* flood = std::get_if<Flood>(&stored.event.body)) {
        causes.push_back(fmt::format("flood {} {} {}", flood->on ? "on" : "over", flood->first, flood->count));
        continue;
      }
      const auto& transition = std::get<AlertTransition>(stored.event.body);
      causes.push_back(transition.alert.id + " " + transition.cause);
    }
    return causes;
  }

  /// Of the system clock, in words.
  std::vector<std::string> clock_events() const {
    std::vector<std::string> told;
    const auto events = journal_->events({});
    for (const auto& stored : *events) {
      if (std::holds_alternative<ClockStep>(stored.event.body)) told.emplace_back("step");
      const auto* notice = std::get_if<Notice>(&stored.event.body);
      if (notice != nullptr && notice->kind == "clock") told.push_back(notice->text);
    }
    return told;
  }
  std::vector<Timestamp> stored_times() const {
    std::vector<Timestamp> times;
    const auto batches = journal_->read(Seq{0});
    for (const auto& batch : *batches) {
      for (const Sample& sample : batch->samples) times.push_back(sample.time);
    }
    return times;
  }

  const std::string rules_;
  GatewayClock clock_;
  Metrics metrics_;
  std::unique_ptr<journal::Journal> journal_;
  Intake intake_{10'000};
  Freshness freshness_;
  Heartbeat heart_;
  std::unique_ptr<Pump> pump_;
  std::jthread thread_;
};

TEST(Pump, CommitsWhatWasPushedInOrder) {
  const test::TempDir directory;
  Rig rig(directory.path(), "rules: []");
  const SeriesId a = rig.series("plant/a");
  for (int i = 0; i < 5000; ++i) rig.push(a, i);
  ASSERT_TRUE(rig.intake_.wait_committed(rig.push(a, 5000), {}));
  int expected = 0;
  for (Seq after{0}; after < rig.journal_->last();) {
    const auto batches = rig.journal_->read(after);
    ASSERT_TRUE(batches && !batches->empty());
    for (const auto& batch : *batches) {
      for (const Sample& sample : batch->samples) EXPECT_EQ(sample.value, expected++);
      after = batch->seq;
    }
  }
  EXPECT_EQ(expected, 5001);
}

TEST(Pump, AnAlertCommitsWithTheSampleThatCausedItAndAtOnce) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot, {.commit_every = 20s});
  rig.push(rig.series("boiler/temperature"), 95);
  ASSERT_TRUE(eventually([&] { return rig.journal_->last() > Seq{0}; }, 10s)) << "it waited for commit_every";
  EXPECT_EQ(rig.journal_->alerts()->size(), 1u);
  const auto batches = rig.journal_->read(prev(rig.journal_->last()));
  ASSERT_EQ(batches->size(), 1u);
  EXPECT_EQ(batches->front()->samples.size(), 1u);
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised"));
}

TEST(Pump, AFiringAlertSurvivesARestartAndIsAnnouncedOnce) {
  const test::TempDir directory;
  {
    Rig rig(directory.path(), kHot);
    rig.store(rig.series("boiler/temperature"), 95);
  }
  Rig rig(directory.path(), kHot);
  ASSERT_EQ(rig.journal_->alerts()->size(), 1u);
  rig.store(rig.series("boiler/temperature"), 96);
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised"));
  rig.store(rig.series("boiler/temperature"), 80);
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised", "hot:boiler cleared"));
  EXPECT_TRUE(rig.journal_->alerts()->empty());
}

TEST(Pump, AnAcknowledgementIsOnDiskWhenItIsAnswered) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  const auto answer = rig.pump_->ask(Acknowledge{"hot:boiler", "shift lead", "valve closed"});
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(answer->acknowledged);
  const auto alerts = rig.journal_->alerts();
  ASSERT_EQ(alerts->size(), 1u);
  EXPECT_EQ(alerts->front().acknowledged_by, "shift lead");
  EXPECT_EQ(alerts->front().note, "valve closed");
  const auto again = rig.pump_->ask(Acknowledge{"hot:boiler", "shift lead", ""});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_EQ(rig.pump_->ask(Acknowledge{"hot:nothing", "x", ""}).error().code, Errc::not_found);
}

TEST(Pump, AShelfIsOnDiskWhenItIsAnsweredAndOutlivesARestart) {
  const test::TempDir directory;
  const Timestamp until = GatewayClock().now() + 1h;
  {
    Rig rig(directory.path(), kHot);
    rig.store(rig.series("boiler/temperature"), 20);
    const auto answer = rig.pump_->ask(Shelve{"hot:boiler", "Ada", "valve is changed", until});
    ASSERT_TRUE(answer) << answer.error().text;
    const auto alerts = rig.journal_->alerts();
    ASSERT_EQ(alerts->size(), 1u);
    EXPECT_EQ(alerts->front(), *answer);
    EXPECT_EQ(alerts->front().phase, Phase::normal);
    EXPECT_EQ(alerts->front().shelved_until, until);
    EXPECT_EQ(alerts->front().shelved_by, "Ada");
    EXPECT_EQ(alerts->front().shelved_why, "valve is changed");
  }
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  ASSERT_EQ(rig.journal_->alerts()->size(), 1u);
  EXPECT_TRUE(silenced(rig.journal_->alerts()->front()));
  const auto ended = rig.pump_->ask(Shelve{"hot:boiler", "Eva", "", {}});
  ASSERT_TRUE(ended) << ended.error().text;
  EXPECT_FALSE(silenced(*ended));
  EXPECT_THAT(rig.transitions(),
              testing::ElementsAre("hot:boiler shelved", "hot:boiler raised", "hot:boiler unshelved"));
}

TEST(Pump, AShelfWhoseTimeIsOverEndsByItselfAndByNobody) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 20);
  ASSERT_TRUE(rig.pump_->ask(Shelve{"hot:boiler", "Ada", "valve is changed", rig.clock_.now() + 200ms}));
  ASSERT_TRUE(eventually([&] { return rig.journal_->alerts()->empty(); }));
  const auto events = rig.journal_->events({.limit = 1, .newest_first = true, .alerts_only = true});
  const auto& last = std::get<AlertTransition>(events->front().event.body);
  EXPECT_EQ(last.cause, "unshelved");
  EXPECT_EQ(last.alert.shelved_by, "");
}

TEST(Pump, AShelfThatCannotBeIsRefused) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  const Timestamp later = rig.clock_.now() + 1h;
  EXPECT_EQ(rig.pump_->ask(Shelve{"hot:cellar", "Ada", "why", later}).error().code, Errc::not_found);
  EXPECT_EQ(rig.pump_->ask(Shelve{"cold:boiler", "Ada", "why", later}).error().code, Errc::not_found);
  const auto not_shelved = rig.pump_->ask(Shelve{"hot:boiler", "Ada", "", {}});
  ASSERT_FALSE(not_shelved);
  EXPECT_EQ(not_shelved.error().code, Errc::conflict);
  EXPECT_EQ(not_shelved.error().text, "alert 'hot:boiler' is not shelved");
}

/// One wish may change several alerts: the answer is the one that was meant.
TEST(Pump, TheAnswerIsTheAlertThatWasAskedFor) {
  const test::TempDir directory;
  Rig rig(directory.path(),
          "rules:\n"
          "  - {name: hot, series: boiler/temperature, threshold: {above: 90}, latch: true, ack: required}\n"
          "  - {name: warm, series: boiler/temperature, threshold: {above: 50}, suppressed_by: [hot]}\n");
  rig.store(rig.series("boiler/temperature"), 95);
  rig.store(rig.series("boiler/temperature"), 80);
  ASSERT_EQ(rig.journal_->alerts()->size(), 2u);
  const auto answer = rig.pump_->ask(Acknowledge{"hot", "Ada", ""});
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->id, "hot");
  EXPECT_THAT(rig.transitions(), testing::Contains("warm unsuppressed"));
}

TEST(Pump, ASilencedAlertIsNotCountedAmongTheActive) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  const auto active = [&](std::size_t count) {
    return eventually([&] { return !rig.pump_->rule_status().empty() && rig.pump_->rule_status()[0].active == count; });
  };
  EXPECT_TRUE(active(1));
  ASSERT_TRUE(rig.pump_->ask(Shelve{"hot:boiler", "Ada", "why", kOutOfService}));
  EXPECT_TRUE(active(0));
}

TEST(Pump, ManyOperatorsGetEachTheirOwnAnswer) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  for (int i = 0; i < 20; ++i) rig.push(rig.series("b" + std::to_string(i) + "/temperature"), 99);
  rig.store(rig.series("x/y"), 1);
  std::vector<std::jthread> operators;
  std::atomic<int> done{0};
  for (int i = 0; i < 20; ++i) {
    operators.emplace_back([&rig, &done, i] {
      const auto answer = rig.pump_->ask(Acknowledge{"hot:b" + std::to_string(i), "op", ""});
      if (answer && answer->id == "hot:b" + std::to_string(i)) ++done;
    });
  }
  operators.clear();
  EXPECT_EQ(done, 20);
}

TEST(Pump, NewRulesKeepTheAlertsOfThoseThatStayAndCloseTheOthers) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  rig.store(rig.series("boiler/temperature"), 95);
  rig.pump_->replace_rules(
      rules_of("rules: [{name: hot, series: \"{device}/temperature\", threshold: {above: 80, clear_below: 70}}]\n"));
  rig.store(rig.series("boiler/temperature"), 75);
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised"));
  rig.pump_->replace_rules({});
  EXPECT_TRUE(eventually([&] { return rig.journal_->alerts()->empty(); }));
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised", "hot:boiler rule removed"));
}

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

TEST(Pump, ARuleThatNamesOneSeriesTooManySaysSo) {
  const test::TempDir directory;
  Rig rig(directory.path(),
          "rules: [{name: a, series: x/a, absence: {for: 1h}}, {name: b, series: x/b, absence: {for: 1h}}]\n",
          {.max_series = 1});
  rig.store(rig.series("x/a"), 1);
  const auto events = rig.journal_->events({});
  ASSERT_TRUE(events && events->size() == 1);
  EXPECT_EQ(std::get<Notice>(events->front().event.body).text,
            "a rule cannot watch what it names: series 'x/b' not taken: the gateway has its 1 series already");
}

TEST(Pump, LateSamplesAreCounted) {
  const test::TempDir directory;
  Rig rig(directory.path(), kHot);
  const SeriesId boiler = rig.series("boiler/temperature");
  rig.store(boiler, 50);
  const Sample late{boiler, Quality::good, Reason::none, rig.clock_.now() - 1h, 50};
  rig.intake_.push({&late, 1});
  rig.pump_->replace_rules(rules_of(kHot));
  rig.intake_.push({&late, 1});
  const Metric& counted = rig.metrics_.counter("rules/late_samples", "", "");
  EXPECT_TRUE(eventually([&] { return counted.value() == 2; }));
}

TEST(Pump, NewRulesDoNotHoldUpTheStopWhileTheDiskIsFull) {
  journal::FaultyVfs faults;
  const test::TempDir directory;
  Rig rig(directory.path(), kHot, {.commit_every = 1h});
  rig.store(rig.series("boiler/temperature"), 50);
  rig.push(rig.series("boiler/temperature"), 51);
  ASSERT_TRUE(eventually([&] { return rig.intake_.stats().depth == 0; }));
  faults.arm(1, SQLITE_FULL, true);
  rig.pump_->replace_rules(rules_of(kHot));
  ASSERT_TRUE(eventually([&] { return !rig.pump_->store().trouble.empty(); }));
  std::atomic<bool> stopped = false;
  const std::jthread stopping([&] {
    rig.thread_ = {};
    stopped = true;
  });
  EXPECT_TRUE(eventually([&] { return stopped.load(); }, 30s));
  faults.disarm();
}

TEST(Pump, WhatWasPushedBeforeTheStopIsOnDiskAfterIt) {
  const test::TempDir directory;
  {
    Rig rig(directory.path(), "rules: []", {.commit_every = 30s});
    const SeriesId a = rig.series("plant/a");
    for (int i = 0; i < 3000; ++i) rig.push(a, i);
  }
  Rig rig(directory.path(), "rules: []");
  EXPECT_EQ(rig.journal_->stats().samples, 3000u);
}

}  // namespace
}  // namespace tidegate::app
