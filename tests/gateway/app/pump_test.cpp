#include <sqlite3.h>

#include "tests/gateway/app/pump_rig.h"
#include "tests/gateway/journal/faulty_vfs.h"

namespace tidegate::app {
namespace {

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

TEST(Pump, ACommentIsKeptWithItsAlertUntilItIsRaisedAgain) {
  const test::TempDir directory;
  {
    Rig rig(directory.path(), kHot);
    rig.store(rig.series("boiler/temperature"), 95);
    const auto answer = rig.pump_->ask(Comment{"hot:boiler", "Ada", "the valve sticks"});
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(answer->phase, Phase::active);
    EXPECT_EQ(rig.journal_->alerts()->front(), *answer);
    EXPECT_FALSE(answer->acknowledged) << "who says something has not taken it on";
  }
  Rig rig(directory.path(), kHot);
  ASSERT_EQ(rig.journal_->alerts()->size(), 1u);
  EXPECT_EQ(rig.journal_->alerts()->front().comment, "the valve sticks");
  EXPECT_EQ(rig.journal_->alerts()->front().commented_by, "Ada");
  rig.store(rig.series("boiler/temperature"), 20);
  ASSERT_TRUE(eventually([&] { return rig.journal_->alerts()->empty(); }));
  const auto after = rig.pump_->ask(Comment{"hot:boiler", "Eva", "it was the pump"});
  ASSERT_TRUE(after) << "also of one that is over: " << after.error().text;
  EXPECT_EQ(after->phase, Phase::normal);
  EXPECT_TRUE(rig.journal_->alerts()->empty()) << "and it is over still";
  rig.store(rig.series("boiler/temperature"), 96);
  ASSERT_TRUE(eventually([&] { return rig.journal_->alerts()->size() == 1; }));
  EXPECT_EQ(rig.journal_->alerts()->front().comment, "") << "of the time before";
  EXPECT_THAT(rig.transitions(), testing::ElementsAre("hot:boiler raised", "hot:boiler commented", "hot:boiler cleared",
                                                      "hot:boiler commented", "hot:boiler raised"));
  EXPECT_EQ(rig.pump_->ask(Comment{"hot:cellar", "Ada", "x"}).error().code, Errc::not_found);
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
