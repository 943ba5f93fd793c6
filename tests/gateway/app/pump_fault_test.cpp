// The pump on a disk that refuses, and on a machine whose clock is set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <thread>

#include "gateway/app/pump.h"
#include "tests/gateway/app/rules.h"
#include "tests/gateway/journal/faulty_vfs.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::eventually;

std::atomic<std::int64_t> clock_shift{0};
std::int64_t shifted(clockid_t id) {
  return GatewayClock::read_system(id) + (id == CLOCK_REALTIME ? clock_shift.load() : 0);
}

class PumpFault : public ::testing::Test {
 protected:
  ~PumpFault() override { clock_shift = 0; }

  void start(const std::string& rules) {
    journal::Options options;
    options.directory = directory.path();
    auto opened = journal::Journal::open(options, clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    journal = std::move(*opened);
    pump = std::make_unique<Pump>(intake, *journal, freshness, clock, heart, metrics, Pump::Limits{50ms, 1000});
    pump->recover(rules_of(rules));
  }
  void run() {
    thread = std::jthread([this](std::stop_token stop) { pump->run(std::move(stop)); });
  }
  SeriesId series(const std::string& name) { return *journal->catalogue().intern(name, SeriesInfo{}); }
  Ticket push(SeriesId id, double value) {
    const Sample sample{id, Quality::good, Reason::none, clock.now(), value};
    return intake.push({&sample, 1});
  }
  void store(SeriesId id, double value) { ASSERT_TRUE(intake.wait_committed(push(id, value), {})); }
  std::vector<std::string> transitions() const {
    std::vector<std::string> causes;
    const auto events = journal->events({.limit = 1000, .alerts_only = true});
    if (!events) return causes;
    for (const auto& stored : *events) {
      if (const auto* told = std::get_if<AlertTransition>(&stored.event.body)) causes.push_back(told->cause);
    }
    return causes;
  }
  std::vector<double> stored() const {
    std::vector<double> values;
    for (Seq after{0}; after < journal->last();) {
      const auto batches = journal->read(after);
      if (!batches || batches->empty()) break;
      for (const auto& batch : *batches) {
        for (const Sample& sample : batch->samples) values.push_back(sample.value);
        after = batch->seq;
      }
    }
    return values;
  }
  /// A disk without room but for what the journal keeps free.
  void fill_disk() {
    vfs.arm_while([this] { return std::filesystem::exists(directory.path() / "journal.reserve"); }, SQLITE_FULL);
  }

  journal::FaultyVfs vfs;
  test::TempDir directory;
  GatewayClock clock{shifted};
  Metrics metrics;
  std::unique_ptr<journal::Journal> journal;
  Intake intake{65'536};
  Freshness freshness;
  Heartbeat heart;
  std::unique_ptr<Pump> pump;
  std::jthread thread;
};

TEST_F(PumpFault, OnAFullDiskAlertsGoOnAndSamplesFollow) {
  start(kHot);
  run();
  const SeriesId boiler = series("boiler/temperature");
  store(boiler, 20);
  fill_disk();
  push(boiler, 99);
  ASSERT_TRUE(eventually([&] { return transitions().size() == 1; }, 10s)) << "an alert has room of its own";
  EXPECT_THAT(stored(), testing::ElementsAre(20));
  EXPECT_NE(pump->store().trouble, "");
  EXPECT_FALSE(pump->store().takes_samples);
  EXPECT_TRUE(pump->store().takes_alerts);
  EXPECT_EQ(pump->store().alerts_waiting, 0u);
  const auto answer = pump->ask(Acknowledge{"hot:boiler", "op", ""});
  EXPECT_TRUE(answer) << answer.error().text;
  push(boiler, 50);
  EXPECT_TRUE(eventually([&] { return transitions().size() == 3; }, 10s));
  EXPECT_LT(heart.age(), 2s) << "it goes round";
  vfs.disarm();
  EXPECT_TRUE(eventually([&] { return stored() == std::vector<double>{20, 99, 50}; }, 20s));
  EXPECT_TRUE(eventually([&] { return pump->store().trouble.empty(); }, 10s));
  EXPECT_TRUE(pump->store().takes_samples);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "journal.reserve"));
  EXPECT_EQ(pump->lost(), 0u);
}

TEST_F(PumpFault, SaysHowManyAlertsWaitForADiskThatTakesNone) {
  start(kHot);
  run();
  const SeriesId boiler = series("boiler/temperature");
  std::size_t told = 0;
  for (const int code : {SQLITE_IOERR_FSYNC, SQLITE_READONLY, SQLITE_FULL}) {
    store(boiler, 20);
    vfs.arm(1, code, true);
    push(boiler, 20);
    EXPECT_TRUE(eventually([&] { return !pump->store().takes_samples; }, 10s)) << code;
    EXPECT_EQ(pump->store().alerts_waiting, 0u);
    push(boiler, 99);
    push(boiler, 50);
    EXPECT_TRUE(eventually([&] { return pump->store().alerts_waiting == 2; }, 10s)) << code;
    EXPECT_FALSE(pump->store().takes_alerts) << code;
    EXPECT_EQ(metrics.gauge("journal/alerts_waiting", "", "").value(), 2);
    vfs.disarm();
    EXPECT_TRUE(eventually([&] { return transitions().size() == told + 2; }, 20s)) << code;
    EXPECT_TRUE(eventually([&] { return pump->store().takes_alerts && pump->store().alerts_waiting == 0; }, 10s));
    told += 2;
  }
}

TEST_F(PumpFault, ADiskThatFailsLosesNothingWhenItIsBack) {
  start(kHot);
  run();
  const SeriesId boiler = series("boiler/temperature");
  for (const int code : {SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_READONLY}) {
    const std::size_t before = stored().size();
    vfs.arm(1, code, true);
    for (int i = 0; i < 10; ++i) push(boiler, i);
    EXPECT_TRUE(eventually([&] { return !pump->store().trouble.empty(); }, 10s));
    vfs.disarm();
    EXPECT_TRUE(eventually([&] { return stored().size() == before + 10; }, 20s)) << code;
  }
}

TEST_F(PumpFault, AStopOnAFullDiskEndsSoonAndSaysWhatIsLost) {
  start("rules: []");
  const SeriesId a = series("plant/a");
  vfs.arm(1, SQLITE_FULL, true);
  for (int i = 0; i < 60'000; ++i) push(a, i);
  run();
  std::this_thread::sleep_for(200ms);
  const auto began = std::chrono::steady_clock::now();
  thread.request_stop();
  thread.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(pump->lost(), 60'000u);
  vfs.disarm();
}

TEST_F(PumpFault, WhatIsGivenUpIsNotAcknowledged) {
  start("rules: []");
  const SeriesId a = series("plant/a");
  vfs.arm(1, SQLITE_FULL, true);
  run();
  const Ticket first = push(a, 0);
  std::atomic<int> answer{-1};
  std::jthread waiting([&] { answer = intake.wait_committed(first, {}) ? 1 : 0; });
  // More than is held for a disk that refuses.
  for (int i = 0; i < 140'000 && answer < 0; ++i) {
    push(a, i);
    if (i % 1000 == 0) std::this_thread::sleep_for(2ms);
  }
  EXPECT_TRUE(eventually([&] { return answer >= 0; }, 20s));
  EXPECT_EQ(answer, 0);
  EXPECT_GT(intake.stats().dropped, 60'000u);
  vfs.disarm();
}

TEST_F(PumpFault, AStartOnAFullDiskComesUp) {
  start(kHot);
  run();
  store(series("boiler/temperature"), 99);
  thread.request_stop();
  thread.join();
  pump.reset();
  journal.reset();
  start("rules: []");
  vfs.arm(1, SQLITE_FULL, true);
  run();
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(heart.age(), 2s);
  vfs.disarm();
  EXPECT_TRUE(eventually([&] { return journal->alerts()->empty(); }, 20s)) << "the rule is gone, and its alert with it";
}

TEST_F(PumpFault, NewRulesOnAFullDiskHoldUpNoStopAndAreTakenLater) {
  start(kHot);
  run();
  const SeriesId boiler = series("boiler/temperature");
  store(boiler, 20);
  vfs.arm(1, SQLITE_FULL, true);
  push(boiler, 21);
  pump->replace_rules(rules_of("rules: [{name: cold, series: \"{device}/temperature\", threshold: {below: 4}}]\n"));
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(pump->rule_status().size(), pump->rule_status().empty() ? 0u : 1u);
  vfs.disarm();
  push(boiler, 1);
  EXPECT_TRUE(eventually(
      [&] {
        push(boiler, 1);
        return transitions().size() == 1;
      },
      20s));
  vfs.arm(1, SQLITE_FULL, true);
  pump->replace_rules(rules_of(kHot));
  push(boiler, 1);
  std::this_thread::sleep_for(100ms);
  const auto began = std::chrono::steady_clock::now();
  thread.request_stop();
  thread.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  vfs.disarm();
}

TEST_F(PumpFault, AReloadThatCannotReadTheAlertsForgetsNone) {
  start(kHot);
  run();
  const SeriesId boiler = series("boiler/temperature");
  store(boiler, 99);
  ASSERT_TRUE(eventually([&] { return transitions().size() == 1; }));
  vfs.fail_reads(true);
  pump->replace_rules(rules_of(kHot));
  ASSERT_TRUE(eventually([&] { return !pump->store().trouble.empty(); }, 10s));
  vfs.fail_reads(false);
  store(boiler, 98);
  ASSERT_TRUE(eventually([&] { return pump->store().trouble.empty(); }, 10s));
  store(boiler, 97);
  EXPECT_THAT(transitions(), testing::ElementsAre("raised"));
  store(boiler, 20);
  EXPECT_THAT(transitions(), testing::ElementsAre("raised", "cleared"));
}

TEST_F(PumpFault, AJournalThatIsDamagedAgainAtOnceEndsTheProcess) {
  start(kHot);
  run();
  vfs.arm(1, SQLITE_CORRUPT, true);
  push(series("boiler/temperature"), 99);
  EXPECT_TRUE(eventually([&] { return !pump->failure().empty(); }, 20s));
  thread.join();
  EXPECT_GE(pump->lost(), 1u);
  vfs.disarm();
}

class PumpClock : public PumpFault, public ::testing::WithParamInterface<std::int64_t> {};

TEST_P(PumpClock, AClockThatIsSetForwardsMakesNoSensorSilentAndNoDelayShorter) {
  start(
      "rules: [{name: silent, series: \"{device}/x\", absence: {for: 30s}}, "
      "{name: hot, series: \"{device}/x\", threshold: {above: 90}, for: 30s}]\n");
  run();
  std::vector<SeriesId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(series("d" + std::to_string(i) + "/x"));
  for (int i = 0; i < 150; ++i) {
    if (i == 20) clock_shift = GetParam() * 1'000'000;
    push(ids[static_cast<std::size_t>(i % 4)], 95);
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(clock_shift, GetParam() * 1'000'000);
  EXPECT_TRUE(eventually([&] {
    const auto events = journal->events({.limit = 1000});
    return events && std::any_of(events->begin(), events->end(), [](const auto& stored) {
             return std::holds_alternative<ClockStep>(stored.event.body);
           });
  }));
  EXPECT_THAT(transitions(), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Steps, PumpClock, ::testing::Values(45, 3600, -3600));

}  // namespace
}  // namespace tidegate::app
