#include "gateway/uplink/runner.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "gateway/journal/sqlite.h"
#include "tests/fakes/machine.h"
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
  /// "a3" an alert of batch 3, "s4" samples of batch 4, "s4/0+2" two of them, "sgap1-2" and "agap1-2".
  std::vector<std::string> received() const {
    const std::scoped_lock lock(mutex_);
    return received_;
  }
  std::size_t alerts() const { return alerts_; }
  void fail_with(std::string why) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::move(why);
  }
  /// Never takes what holds that sample, or that event, of that batch; by an answer or by going away.
  void never_take(Seq batch, std::size_t item, Errc how) {
    const std::scoped_lock lock(mutex_);
    never_ = batch;
    never_item_ = item;
    how_ = how;
  }
  void take_at_most(std::size_t items, Errc how) {
    const std::scoped_lock lock(mutex_);
    most_ = items;
    how_ = how;
  }
  void refuse_alerts(bool refuse) {
    const std::scoped_lock lock(mutex_);
    refuse_alerts_ = refuse;
  }
  std::size_t tries() const { return tries_; }
  std::optional<SeriesId> unwanted;  ///< set before the start

  Status reach() const {
    const std::scoped_lock lock(mutex_);
    return failure_.empty() ? Status{} : fail(Errc::unavailable, "{}", failure_);
  }
  Status take(Lane lane, std::span<const Parcel> parcels) {
    const std::scoped_lock lock(mutex_);
    ++tries_;
    if (!failure_.empty()) return fail(Errc::unavailable, "{}", failure_);
    if (refuse_alerts_ && lane == Lane::alerts) return fail(Errc::unavailable, "no alerts here");
    const auto never = [&](const Parcel& parcel) {
      const bool holds = never_item_ - parcel.first < parcel.count;
      return !parcel.batch->gap && (parcel.count > most_ || (parcel.batch->seq == never_ && holds));
    };
    if (std::any_of(parcels.begin(), parcels.end(), never)) return fail(how_, "not that one");
    for (const auto& [batch, first, count, part] : parcels) {
      std::string text = lane == Lane::alerts ? "a" : lane == Lane::samples ? "s" : "shot";
      text += batch->gap ? fmt::format("gap{}-{}", number(batch->gap->first), number(batch->gap->last))
                         : std::to_string(number(batch->seq));
      if (lane == Lane::alerts && !batch->gap) alerts_ += count;
      received_.push_back(part ? fmt::format("{}/{}+{}", text, first, count) : text);
    }
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> received_;
  std::string failure_;
  bool refuse_alerts_ = false;
  Seq never_{-1};
  std::size_t never_item_ = 0, most_ = SIZE_MAX;
  Errc how_{};
  std::atomic<std::size_t> alerts_ = 0, tries_ = 0;
};

class ToFarEnd final : public Uplink {
 public:
  explicit ToFarEnd(FarEnd& far) : far_(far) {}
  Status reach(std::stop_token) override { return far_.reach(); }
  bool wants(SeriesId series) override { return !far_.unwanted || series != *far_.unwanted; }
  Status send(Lane lane, std::span<const Parcel> parcels, std::stop_token) override { return far_.take(lane, parcels); }

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

TEST_F(RunnerTest, SendsSnapshotsBehindAlertsAndBeforeABacklogOfSamples) {
  samples(100);
  const Seq seq = append(journal::snapshot_of("hot:1", {sample(id, 1), sample(id, 2)}))->seq;
  alerts(1);
  start();
  ASSERT_TRUE(received(102));
  const auto all = far.received();
  EXPECT_EQ(all[0], "a102");
  EXPECT_EQ(all[1], fmt::format("shot{}", number(seq)));
  EXPECT_EQ(all[2], "s1");
  runner.reset();
  ASSERT_TRUE(journal->maintain());
  reopen();
  start();
  samples(1);
  ASSERT_TRUE(received(103));
  EXPECT_EQ(far.received().back(), "s103") << "what the far end has is not sent again";
}

TEST_F(RunnerTest, SendsOfABatchWhatIsWantedAndOfASnapshotAll) {
  const SeriesId other = series("boiler1/humidity");
  far.unwanted = other;
  far.take_at_most(2, Errc::invalid);
  append_samples({sample(other, 1), sample(id, 2), sample(other, 3), sample(id, 4), sample(id, 5)});
  append_samples({sample(other, 6)});
  append_samples({sample(id, 7)});
  append(journal::snapshot_of("hot:1", {sample(other, 1), sample(id, 2)}));
  start();
  ASSERT_TRUE(received(4));
  EXPECT_THAT(far.received(), ElementsAre("shot4", "s1/0+2", "s1/2+1", "s3"));
  EXPECT_TRUE(eventually([&] { return metric("uplink/cloud/delivered_samples") == 4; }));
}

TEST_F(RunnerTest, SendsALargeSnapshotInPartsAndOneThatHadToMakeRoomAsAGap) {
  std::vector<Sample> large;
  for (int i = 0; i < 20'000; ++i) large.push_back(sample(id, std::sin(i)));
  append(journal::snapshot_of("hot:1", large));
  append(journal::snapshot_of("hot:2", {}));
  journal.reset();
  options.max_snapshot_bytes = 64;
  open();
  ASSERT_TRUE(journal->maintain());
  append(journal::snapshot_of("hot:3", large));
  start();
  ASSERT_TRUE(received(5));
  EXPECT_THAT(far.received(),
              ElementsAre("shotgap1-1", "shot2", "shot3/0+8192", "shot3/8192+8192", "shot3/16384+3616"));
  EXPECT_EQ(runner->stats().lost_batches, 1u);
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

/// On a box without a battery.
class UnsetClock : public RunnerTest {
 protected:
  void SetUp() override {
    test::Machine::start(Timestamp{1s}, false);
    journal::Options at = options;
    at.directory = directory.path();
    journal = std::move(*journal::Journal::open(at, box, metrics));
    id = series("boiler1/temperature");
  }
  void TearDown() override {
    runner.reset();
    journal.reset();
  }
  GatewayClock box{test::Machine::read, test::Machine::is_kept};
};

TEST_F(UnsetClock, HoldsSamplesBackUntilTheyHaveTheirTimesAndNoAlert) {
  start();
  samples(1);
  alerts(1);
  ASSERT_TRUE(received(1));
  EXPECT_TRUE(eventually([&] { return runner->stats().text == "samples wait until the clock is set"; }));
  EXPECT_EQ(runner->stats().health, SourceHealth::up);
  EXPECT_EQ(runner->stats().drain_seconds, std::nullopt);
  EXPECT_THAT(far.received(), ElementsAre("a2"));
  test::Machine::set(Timestamp{1'800'000'000s});
  test::Machine::kept = true;
  box.correct();
  samples(1);
  ASSERT_TRUE(journal->maintain());
  ASSERT_TRUE(received(3));
  EXPECT_THAT(far.received(), ElementsAre("a2", "s1", "s3"));
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

TEST_F(RunnerTest, TellsADamagedAlertAsAGapAmongAlertsAndSkipsNoneOfThoseBehindIt) {
  for (int i = 0; i < 600; ++i) alerts(i == 7 ? 3 : 1);
  append_samples({sample(id, 1)});
  journal.reset();
  {
    auto file =
        journal::sql::Connection::open(directory.path() / "journal.db", journal::sql::Connection::Access::write);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->run("UPDATE event SET json = replace(json, 'raised', 'raisee') WHERE seq = 7"));
    ASSERT_TRUE(
        file->run("UPDATE event SET json = replace(json, 'raised', 'raisee') WHERE seq = 8 AND json LIKE '%hot:1%'"));
  }
  open();
  start();
  ASSERT_TRUE(received(602));
  const std::vector<std::string> all = far.received();
  EXPECT_THAT(std::vector(all.begin() + 5, all.begin() + 10), ElementsAre("a6", "agap7-7", "agap8-8", "a8/0+2", "a9"));
  EXPECT_EQ(all[600], "a600");
  EXPECT_EQ(all[601], "s601");
  EXPECT_TRUE(eventually([&] { return runner->stats().lost_batches == 2; }));
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

TEST_P(RefusedBatch, IsHalvedUntilOnlyWhatIsRefusedIsPutAsideAndTheOthersArrive) {
  far.never_take(Seq{3}, 5, GetParam());
  samples(2);
  append_samples(std::vector<Sample>(8, sample(id, 7)));
  samples(1);
  start();
  ASSERT_TRUE(eventually([&] { return metric("uplink/cloud/delivered_samples") == 4 + 7 + 2; }));
  if (GetParam() == Errc::invalid) {
    EXPECT_THAT(far.received(), ElementsAre("s1", "s2", "s3/0+4", "s3/4+1", "sgap3-3/5+1", "s3/6+2", "s4"));
  } else {  // what follows was made as small when it went away last
    EXPECT_THAT(far.received(),
                ElementsAre("s1", "s2", "s3/0+4", "s3/4+1", "sgap3-3/5+1", "s3/6+1", "s3/7+1", "s4/0+1", "s4/1+1"));
  }
  EXPECT_TRUE(eventually([&] { return runner->stats().backlog_batches == 0; }));
  EXPECT_THAT(letter(), AllOf(HasSubstr("uplink/cloud samples commit 3: sample 6 of 8, of 'boiler1/temperature' at "),
                              HasSubstr(" not that one")));
  EXPECT_EQ(runner->stats().lost_batches, 1u);
}

TEST_P(RefusedBatch, OfAlertsIsToldAmongAlerts) {
  far.never_take(Seq{2}, 0, GetParam());
  for (int i = 0; i < 3; ++i) alerts(1);
  start();
  ASSERT_TRUE(received(3));
  EXPECT_THAT(far.received(), ElementsAre("a1", "agap2-2", "a3"));
  EXPECT_EQ(letter(), "uplink/cloud alerts commit 2: event 1 of 1, of alert 'hot:0' not that one");
}

TEST_P(RefusedBatch, IsFoundOutOnceHowMuchTheFarEndTakes) {
  far.take_at_most(3, GetParam());
  append_samples(std::vector<Sample>(8, sample(id, 7)));
  alerts(5);
  start();
  ASSERT_TRUE(received(6));
  EXPECT_THAT(far.received(),
              testing::UnorderedElementsAre("a2/0+3", "a2/3+2", "s1/0+2", "s1/2+2", "s1/4+2", "s1/6+2"));
  const std::size_t tries = far.tries();
  append_samples(std::vector<Sample>(4, sample(id, 7)));
  ASSERT_TRUE(received(8));
  EXPECT_EQ(far.tries(), tries + 1) << "the next ones are made to fit";
  far.take_at_most(100, GetParam());
  clock.advance(std::chrono::hours(2));
  append_samples(std::vector<Sample>(4, sample(id, 7)));
  ASSERT_TRUE(received(9));
  EXPECT_EQ(far.received().back(), "s4") << "more is tried again";
  EXPECT_EQ(runner->stats().lost_batches, 0u);
}

TEST_F(RunnerTest, GivesABatchUpOnlyAfterTheFarEndWentAwayEightTimesOverIt) {
  far.never_take(Seq{1}, 0, Errc::interrupted);
  append_samples({sample(id, 1)});
  start();
  ASSERT_TRUE(received(1));
  EXPECT_THAT(far.received(), ElementsAre("sgap1-1"));
  EXPECT_EQ(metric("uplink/cloud/failures"), 7);
}

TEST_F(RunnerTest, ConnectsAndSaysSoBeforeThereIsAnythingToSend) {
  far.fail_with("the cloud is closed");
  start();
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::down; }));
  EXPECT_THAT(runner->stats().text, HasSubstr("the cloud is closed"));
  far.fail_with("");
  EXPECT_TRUE(eventually([&] { return runner->stats().health == SourceHealth::up; }));
  EXPECT_THAT(runner->stats().text, HasSubstr("connected"));
  EXPECT_EQ(far.tries(), 0u);
}

TEST_F(RunnerTest, NeverGivesABatchUpThatMayBeTakenLater) {
  far.never_take(Seq{1}, 0, Errc::unavailable);
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
