#include "gateway/uplink/runner.h"

#include <gmock/gmock.h>

#include <functional>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"

namespace tidegate::uplink {
namespace {

using namespace std::chrono_literals;
using journal::alert;
using journal::transition;
using test::eventually;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A far end that a test can make fail.
class FarEnd {
 public:
  /// "a3" an alert of batch 3, "s4" samples of batch 4, "sgap1-2" and "agap1-2".
  std::vector<std::string> received() const {
    const std::scoped_lock lock(mutex_);
    return received_;
  }
  std::size_t alerts() const { return alerts_; }
  void fail_with(std::string why) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::move(why);
  }
  /// Never takes that batch; by an answer or by going away.
  void never_take(Seq batch, Errc how) {
    const std::scoped_lock lock(mutex_);
    never_ = batch;
    how_ = how;
  }
  void refuse_alerts(bool refuse) {
    const std::scoped_lock lock(mutex_);
    refuse_alerts_ = refuse;
  }
  std::size_t tries() const { return tries_; }

  Status take(Lane lane, std::span<const journal::BatchPtr> batches) {
    const std::scoped_lock lock(mutex_);
    ++tries_;
    if (!failure_.empty()) return fail(Errc::unavailable, "{}", failure_);
    if (refuse_alerts_ && lane == Lane::alerts) return fail(Errc::unavailable, "no alerts here");
    const auto never = [&](const auto& batch) { return batch->seq == never_ && !batch->gap; };
    if (std::any_of(batches.begin(), batches.end(), never)) return fail(how_, "not that one");
    for (const auto& batch : batches) {
      const char* kind = lane == Lane::alerts ? "a" : "s";
      if (batch->gap) {
        received_.push_back(fmt::format("{}gap{}-{}", kind, number(batch->gap->first), number(batch->gap->last)));
        continue;
      }
      if (lane == Lane::alerts) alerts_ += batch->events.size();
      received_.push_back(fmt::format("{}{}", kind, number(batch->seq)));
    }
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> received_;
  std::string failure_;
  bool refuse_alerts_ = false;
  Seq never_{-1};
  Errc how_{};
  std::atomic<std::size_t> alerts_ = 0, tries_ = 0;
};

class ToFarEnd final : public Uplink {
 public:
  explicit ToFarEnd(FarEnd& far) : far_(far) {}
  Status send(Lane lane, std::span<const journal::BatchPtr> batches, std::stop_token) override {
    return far_.take(lane, batches);
  }

 private:
  FarEnd& far_;
};

class RunnerTest : public journal::JournalTest {
 protected:
  void SetUp() override {
    open();
    id = series("boiler1/temperature");
  }
  void start(Waits waits = {5ms, 20ms}) {
    runner = std::make_unique<Runner>(Runner::Section{"cloud", "test", ""}, std::make_unique<ToFarEnd>(far), *journal,
                                      clock, metrics, waits);
    runner->start();
  }
  void samples(int batches) {
    for (int i = 0; i < batches; ++i) append_samples({sample(id, i), sample(id, i + 0.5)});
  }
  void alerts(int transitions) {
    Batch batch;
    for (int i = 0; i < transitions; ++i) {
      batch.events.push_back(transition(alert("hot:" + std::to_string(i), Phase::active), clock.now()));
    }
    append(std::move(batch));
  }
  bool received(std::size_t messages) {
    return eventually([&] { return far.received().size() >= messages; });
  }

  FarEnd far;
  SeriesId id{};
  std::unique_ptr<Runner> runner;
};

TEST_F(RunnerTest, SendsAlertsBeforeABacklogOfSamples) {
  samples(300);
  alerts(1);
  samples(1);
  start();
  ASSERT_TRUE(received(302));
  const auto all = far.received();
  EXPECT_EQ(all[0], "a301");
  for (std::size_t i = 1; i <= 300; ++i) EXPECT_EQ(all[i], "s" + std::to_string(i));
  EXPECT_EQ(all[301], "s302");
}

TEST_F(RunnerTest, SendsWhatIsAppendedWhileItRuns) {
  start();
  samples(1);
  ASSERT_TRUE(received(1));
  alerts(1);
  samples(1);
  ASSERT_TRUE(received(3));
  EXPECT_THAT(far.received(), ElementsAre("s1", "a2", "s3"));
}

TEST_F(RunnerTest, SendsTheSameAgainUntilTheFarEndHasIt) {
  far.fail_with("the cloud is closed");
  samples(3);
  start();
  ASSERT_TRUE(eventually([&] { return far.tries() >= 2; }));
  EXPECT_EQ(runner->stats().health, SourceHealth::down);
  EXPECT_THAT(runner->stats().text, AllOf(HasSubstr("the cloud is closed"), HasSubstr("next try in")));
  EXPECT_EQ(runner->stats().backlog_batches, 3u);
  EXPECT_TRUE(runner->stats().backlog_oldest);
  EXPECT_GE(metric("uplink/cloud/failures"), 1);
  far.fail_with("");
  ASSERT_TRUE(received(3));
  EXPECT_THAT(far.received(), ElementsAre("s1", "s2", "s3"));
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::up; }));
  EXPECT_EQ(runner->stats().backlog_batches, 0u);
  EXPECT_TRUE(runner->stats().last_ack);
  EXPECT_EQ(metric("uplink/cloud/delivered_samples"), 6);
}

TEST_F(RunnerTest, SendsSamplesWhileAlertsAreRefusedAndDoesNotCallThatHealthy) {
  far.refuse_alerts(true);
  alerts(1);
  samples(3);
  start();
  ASSERT_TRUE(received(3));
  EXPECT_THAT(far.received(), ElementsAre("s2", "s3", "s4"));
  EXPECT_TRUE(eventually([&] { return metric("uplink/cloud/failures") >= 2; }));
  EXPECT_EQ(runner->stats().health, SourceHealth::down);
  EXPECT_THAT(runner->stats().text, HasSubstr("no alerts here"));
  EXPECT_FALSE(runner->stats().drain_seconds);
  EXPECT_EQ(metric("uplink/cloud/drain_time"), -1);
  far.refuse_alerts(false);
  ASSERT_TRUE(received(4));
  EXPECT_EQ(far.received().back(), "a1");
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::up; }));
}

TEST_F(RunnerTest, KnowsTheAgeOfABacklogThatBeginsWithAGap) {
  far.fail_with("closed");
  samples(5);
  start();
  ASSERT_TRUE(eventually([&] { return far.tries() >= 1; }));
  runner.reset();
  clock.advance(std::chrono::hours(24 * 60));
  samples(1);
  for (int i = 0; i < 100 && number(journal->first()) < 2; ++i) ASSERT_TRUE(journal->maintain());
  ASSERT_GE(number(journal->first()), 2);
  start();
  EXPECT_TRUE(eventually([&] { return runner->stats().backlog_oldest.has_value(); }));
}

TEST_F(RunnerTest, GoesOnAfterARestartWhereItWas) {
  samples(2);
  alerts(1);
  start();
  ASSERT_TRUE(received(3));
  runner.reset();
  reopen();
  id = series("boiler1/temperature");
  samples(1);
  start();
  ASSERT_TRUE(received(4));
  EXPECT_THAT(far.received(), ElementsAre("a3", "s1", "s2", "s4"));
}

TEST_F(RunnerTest, NeverCutsABatchOfManyAlertsInTwo) {
  alerts(499);
  alerts(1300);  // more than one query gives, and begun by the batch before it
  alerts(1);
  start();
  ASSERT_TRUE(eventually([&] { return far.alerts() >= 1800; }));
  EXPECT_EQ(far.alerts(), 1800u);
  EXPECT_THAT(far.received(), ElementsAre("a1", "a2", "a3"));
}

TEST_F(RunnerTest, SkipsADamagedAlertAndNoneOfThoseBehindIt) {
  for (int i = 0; i < 600; ++i) alerts(1);
  journal.reset();
  {
    auto file =
        journal::sql::Connection::open(directory.path() / "journal.db", journal::sql::Connection::Access::write);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->run("UPDATE event SET json = replace(json, 'raised', 'raisee') WHERE seq = 7"));
  }
  open();
  start();
  ASSERT_TRUE(received(599));
  EXPECT_EQ(far.received()[5], "a6");
  EXPECT_EQ(far.received()[6], "a8");
  EXPECT_EQ(far.received().back(), "a600");
}

TEST_F(RunnerTest, TellsWhatRetentionTookAndCountsItAsLost) {
  far.fail_with("closed");
  samples(5);
  start();
  ASSERT_TRUE(eventually([&] { return far.tries() >= 1; }));  // its place is kept from now on
  clock.advance(std::chrono::hours(24 * 60));
  samples(1);
  for (int i = 0; i < 100 && number(journal->first()) < 2; ++i) ASSERT_TRUE(journal->maintain());
  const auto gone = number(journal->first()) - 1;
  ASSERT_GE(gone, 1);
  far.fail_with("");
  ASSERT_TRUE(eventually([&] {
    const auto all = far.received();
    return !all.empty() && all.back() == "s6";
  }));
  EXPECT_EQ(far.received()[0], fmt::format("sgap1-{}", gone));
  EXPECT_TRUE(eventually([&] { return runner->stats().lost_batches == static_cast<std::uint64_t>(gone); }));
  EXPECT_EQ(metric("uplink/cloud/lost_batches"), static_cast<double>(gone));
}

TEST_F(RunnerTest, TellsThatAlertsWereRetiredBeforeTheyCouldBeSent) {
  options.max_events = 10;
  reopen();
  far.fail_with("closed");
  alerts(1);
  start();
  ASSERT_TRUE(eventually([&] { return far.tries() >= 1; }));
  for (int i = 2; i <= 25; ++i) alerts(1);
  ASSERT_TRUE(journal->maintain());
  far.fail_with("");
  ASSERT_TRUE(received(11));
  EXPECT_EQ(far.received()[0], "agap1-15");
  EXPECT_EQ(far.received()[1], "a16");
  EXPECT_EQ(far.received()[10], "a25");
  EXPECT_TRUE(eventually([&] { return runner->stats().lost_batches == 1; }));
  alerts(1);
  ASSERT_TRUE(received(12));
  EXPECT_EQ(far.received()[11], "a26") << "told once";
}

class RefusedBatch : public RunnerTest, public ::testing::WithParamInterface<Errc> {
 protected:
  std::string letter() {
    EXPECT_TRUE(journal->maintain());
    const auto letters = journal->dead_letters(10);
    if (!letters || letters->size() != 1) return "";
    const DeadLetter& letter = letters->front().letter;
    return letter.source + " " + letter.topic + " " + letter.payload + " " + letter.reason;
  }
};
INSTANTIATE_TEST_SUITE_P(RunnerTest, RefusedBatch, ::testing::Values(Errc::invalid, Errc::interrupted),
                         [](const auto& how) { return how.param == Errc::invalid ? "ByAnAnswer" : "ByGoingAway"; });

TEST_P(RefusedBatch, IsPutAsideWithItsReasonAndTheOthersArrive) {
  far.never_take(Seq{3}, GetParam());
  samples(5);
  start();
  ASSERT_TRUE(received(5));
  EXPECT_THAT(far.received(), ElementsAre("s1", "s2", "sgap3-3", "s4", "s5"));
  EXPECT_TRUE(eventually([&] { return runner->stats().backlog_batches == 0; }));
  EXPECT_EQ(letter(), "uplink/cloud samples commit 3: 2 samples, 0 events not that one");
  EXPECT_EQ(runner->stats().lost_batches, 1u);
}

TEST_P(RefusedBatch, OfAlertsIsToldAmongAlerts) {
  far.never_take(Seq{2}, GetParam());
  for (int i = 0; i < 3; ++i) alerts(1);
  start();
  ASSERT_TRUE(received(3));
  EXPECT_THAT(far.received(), ElementsAre("a1", "agap2-2", "a3"));
  EXPECT_EQ(letter(), "uplink/cloud alerts commit 2: 0 samples, 1 events not that one");
}

TEST_F(RunnerTest, GivesABatchUpOnlyAfterTheFarEndWentAwayEightTimesOverIt) {
  far.never_take(Seq{1}, Errc::interrupted);
  samples(1);
  start();
  ASSERT_TRUE(received(1));
  EXPECT_THAT(far.received(), ElementsAre("sgap1-1"));
  EXPECT_EQ(metric("uplink/cloud/failures"), 7);
}

TEST_F(RunnerTest, NeverGivesABatchUpThatMayBeTakenLater) {
  far.never_take(Seq{1}, Errc::unavailable);
  samples(2);
  start();
  ASSERT_TRUE(eventually([&] { return far.tries() >= 30; }));
  EXPECT_TRUE(far.received().empty());
  EXPECT_EQ(runner->stats().lost_batches, 0u);
}

TEST_F(RunnerTest, StopsWhileItWaitsForItsNextTry) {
  far.fail_with("closed");
  samples(1);
  start({1h, 1h});
  ASSERT_TRUE(eventually([&] { return far.tries() >= 1; }));
}

}  // namespace
}  // namespace tidegate::uplink
