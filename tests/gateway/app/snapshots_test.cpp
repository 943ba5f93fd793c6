#include "gateway/app/snapshots.h"

#include <gmock/gmock.h>

#include "gateway/journal/scan.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class SnapshotsTest : public journal::JournalTest {
 protected:
  void SetUp() override {
    open();
    a = series("boiler1/temperature");
    b = series("boiler1/pressure");
    other = series("boiler2/temperature");
  }
  /// A sample of each series a second.
  void run(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(800ms);
      append_samples({sample(a, ++value), sample(b, value), sample(other, value)});  // another 200 ms
    }
  }
  Timestamp raise(const std::string& id, SnapshotWish wish) {
    Batch batch;
    batch.events = {journal::transition(journal::alert(id, Phase::active), clock.now())};
    std::get<AlertTransition>(batch.events[0].body).snapshot = std::move(wish);
    const Timestamp now = clock.now();
    append(std::move(batch));
    return now;
  }
  SnapshotWish around(Micros before, Micros after, std::vector<std::string> wanted = {"boiler1/temperature"}) {
    return {clock.now() - before, clock.now() + after, std::move(wanted)};
  }
  /// As the archivist looks, after a start as well.
  void look() {
    Snapshots snapshots(*journal, options.directory, clock, 1s);
    const Status taken = snapshots.take_due({});
    EXPECT_TRUE(taken) << taken.error().text;
  }
  std::vector<std::pair<Seq, Snapshot>> taken() const {
    std::vector<std::pair<Seq, Snapshot>> all;
    const auto events = journal->events({.snapshots_only = true});
    for (const auto& stored : *events) all.emplace_back(stored.seq, std::get<Snapshot>(stored.event.body));
    return all;
  }
  std::vector<std::string> alerts() const {
    std::vector<std::string> all;
    for (const auto& [seq, snapshot] : taken()) all.push_back(snapshot.alert);
    return all;
  }

  SeriesId a{}, b{}, other{};
  double value = 0;
};

TEST_F(SnapshotsTest, AreTakenOnceTheirTimeIsOverOfLogAndHistory) {
  run(20);
  compact();
  run(20);
  const Timestamp raised = raise("hot:boiler1", around(30s, 10s, {"boiler1/temperature", "+/pressure", "nothing"}));
  run(10);
  look();
  EXPECT_THAT(taken(), IsEmpty());
  run(2);
  look();
  ASSERT_EQ(taken().size(), 1u);
  const auto [seq, snapshot] = taken()[0];
  EXPECT_EQ(snapshot.alert, "hot:boiler1");
  EXPECT_EQ(snapshot.breach, raised);
  EXPECT_EQ(snapshot.series, 2u);
  EXPECT_EQ(snapshot.left_out, 0u);
  const auto samples = journal->snapshot(seq);
  ASSERT_TRUE(samples) << samples.error().text;
  EXPECT_EQ(samples->size(), snapshot.samples);
  std::map<SeriesId, std::vector<double>> values;
  for (const Sample& sample : *samples) {
    EXPECT_GE(sample.time, raised - 30s);
    EXPECT_LE(sample.time, raised + 10s);
    values[sample.series].push_back(sample.value);
  }
  std::vector<double> expected;
  for (int i = 11; i <= 50; ++i) expected.push_back(i);
  EXPECT_EQ(values.size(), 2u);
  EXPECT_EQ(values[a], expected);
  EXPECT_EQ(values[b], expected);
  look();
  reopen();
  look();
  EXPECT_EQ(taken().size(), 1u) << "a wish has one answer";
}

/// What a crash leaves: all that was committed, and no cursor that was not saved.
TEST_F(SnapshotsTest, AreMadeOnceThoughTheirCursorWasNotSaved) {
  run(5);
  raise("hot:boiler1", around(5s, 5s));
  run(2);
  look();
  const test::TempDir between, after;
  const auto copy = std::filesystem::copy_options::recursive;
  std::filesystem::copy(directory.path(), between / "store", copy);
  run(6);
  look();
  ASSERT_EQ(taken().size(), 1u);
  std::filesystem::copy(directory.path(), after / "store", copy);
  journal.reset();
  for (const auto& store : {between / "store", after / "store"}) {
    options.directory = store;
    auto opened = journal::Journal::open(options, clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    journal = std::move(*opened);
    EXPECT_EQ(taken().size(), store == after / "store" ? 1u : 0u);
    EXPECT_LT(*journal->position(Snapshots::kCursor), journal->last());
    look();
    ASSERT_EQ(taken().size(), 1u);
    EXPECT_EQ(journal->snapshot(taken()[0].first)->size(), taken()[0].second.samples);
    look();
    EXPECT_EQ(taken().size(), 1u);
    journal.reset();
  }
}

TEST_F(SnapshotsTest, OfAShortTimeDoNotWaitForOnesOfALongTime) {
  raise("slow:boiler1", around(0s, 10min));
  run(1);
  raise("quick:boiler1", around(5s, 1s));
  run(5);
  look();
  EXPECT_THAT(alerts(), ElementsAre("quick:boiler1"));
  reopen();
  look();
  clock.advance(11min);
  look();
  look();
  EXPECT_THAT(alerts(), ElementsAre("quick:boiler1", "slow:boiler1"));
  EXPECT_EQ(taken()[0].second.samples, 2u);
}

TEST_F(SnapshotsTest, AnAlertThatIsRaisedAgainMeanwhileHasNoneOfItsOwn) {
  for (int i = 0; i < 5; ++i) {
    raise("hot:boiler1", around(1s, 10s));
    run(2);
  }
  raise("hot:boiler2", around(1s, 10s));
  run(2);
  raise("hot:boiler1", around(1s, 10s));  // 12 s after the first
  run(20);
  look();
  look();
  EXPECT_THAT(alerts(), ElementsAre("hot:boiler1", "hot:boiler2", "hot:boiler1"));
}

/// Whose samples reach the gateway an hour late, with the times that they have.
TEST_F(SnapshotsTest, TheTimeBehindABreachCountsFromItsCommit) {
  SnapshotWish wish{clock.now() - 1h, clock.now() - 1h + 10s, {"boiler1/temperature"}};
  Batch batch;
  batch.events = {journal::transition(journal::alert("hot:boiler1", Phase::active), clock.now() - 1h)};
  std::get<AlertTransition>(batch.events[0].body).snapshot = wish;
  append(std::move(batch));
  clock.advance(10s);
  look();
  EXPECT_THAT(taken(), IsEmpty());
  append_samples({{a, Quality::good, Reason::none, clock.now() - 1h - 5s, 7}});
  clock.advance(1s);
  look();
  ASSERT_EQ(taken().size(), 1u);
  EXPECT_EQ(taken()[0].second.samples, 1u);
}

/// The one before ran with a clock that was a year ahead: its wish does not hold up the log for a year.
TEST_F(SnapshotsTest, OfARunWithAWrongClockAreTakenAtOnce) {
  const Timestamp right = clock.now();
  clock.set(right + 365 * 24h);
  run(2);
  raise("hot:boiler1", around(5s, 5s));
  clock.set(right);
  look();
  ASSERT_EQ(taken().size(), 1u);
  EXPECT_EQ(taken()[0].second.samples, 2u);
  EXPECT_EQ(*journal->position(Snapshots::kCursor), taken()[0].second.asked);
}

TEST_F(SnapshotsTest, OutliveTheSamplesThatTheyAreOf) {
  run(10);
  raise("hot:boiler1", around(10s, 1s));
  run(4);
  look();
  compact();
  ASSERT_EQ(taken().size(), 1u);
  const auto [seq, snapshot] = taken()[0];
  const auto before = *journal->snapshot(seq);
  EXPECT_EQ(before.size(), snapshot.samples);
  EXPECT_GT(before.size(), 9u);
  clock.advance(40 * 24h);
  run(1);
  compact();
  ASSERT_TRUE(journal->maintain());
  const auto store = view();
  journal::Scan scan(*store, {{*store->find("boiler1/temperature")}});
  std::size_t left = 0;
  for (auto portion = scan.next(); portion && !portion->samples.empty(); portion = scan.next()) {
    left += portion->samples.size();
  }
  EXPECT_EQ(left, 1u) << "of metrics";
  reopen();
  EXPECT_EQ(*journal->snapshot(seq), before);
}

TEST_F(SnapshotsTest, WhatHasNoRoomIsWhatIsFarthestFromTheBreachAndIsCounted) {
  const Timestamp began = clock.now();
  std::vector<Sample> samples;
  for (int i = 0; i < 120'000; ++i) {
    samples.push_back({a, Quality::good, Reason::none, began + i * Micros{1'000}, i * 1.0});
  }
  append_samples(samples);
  append_samples({{b, Quality::good, Reason::none, began + 80s, 1}});
  clock.set(began + 80s);
  raise("hot:boiler1", around(80s, 40s, {"boiler1/temperature", "boiler1/pressure"}));
  clock.advance(42s);
  look();
  ASSERT_EQ(taken().size(), 1u);
  const auto [seq, snapshot] = taken()[0];
  EXPECT_EQ(snapshot.samples, 50'001u) << "each series has its share";
  EXPECT_EQ(snapshot.left_out, 70'000u);
  std::vector<Sample> of_a = *journal->snapshot(seq);
  std::erase_if(of_a, [&](const Sample& sample) { return sample.series == b; });
  ASSERT_EQ(of_a.size(), 50'000u);
  EXPECT_NEAR(of_a.front().value, 80'000 - 33'333, 1) << "two thirds before, as there were";
  EXPECT_NEAR(of_a.back().value, 80'000 + 16'667, 1);
}

TEST_F(SnapshotsTest, AWishThatFindsNothingIsAnsweredToo) {
  raise("hot:boiler1", around(1s, 1s, {"nothing/at/all"}));
  clock.advance(5s);
  look();
  look();
  ASSERT_EQ(taken().size(), 1u);
  EXPECT_EQ(taken()[0].second.samples, 0u);
  EXPECT_THAT(*journal->snapshot(taken()[0].first), IsEmpty());
}

TEST_F(SnapshotsTest, WithoutWishesTheCursorFollowsHistory) {
  run(5);
  look();
  EXPECT_EQ(number(*journal->position(Snapshots::kCursor)), 0) << "each move is a write";
  compact();
  look();
  EXPECT_EQ(*journal->position(Snapshots::kCursor), *journal->position("history"));
  EXPECT_GT(number(*journal->position("history")), 0);
}

}  // namespace
}  // namespace tidegate::app
