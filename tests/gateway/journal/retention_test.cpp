#include <gmock/gmock.h>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

class RetentionTest : public JournalTest {
 protected:
  RetentionTest() { options.cache_bytes = 0; }

  /// Values that do not compress.
  BatchPtr append_noise(SeriesId id, std::size_t samples) {
    Batch batch;
    for (std::size_t i = 0; i < samples; ++i) {
      noise_ = noise_ * 6364136223846793005u + 1442695040888963407u;
      batch.samples.push_back(sample(id, static_cast<double>(noise_) / 3e7));
    }
    return append(std::move(batch));
  }
  void maintain(int times = 1) {
    for (int i = 0; i < times; ++i) {
      const Status status = journal->maintain();
      ASSERT_TRUE(status) << status.error().text;
    }
  }

 private:
  std::uint64_t noise_ = 1;
};

TEST_F(RetentionTest, AReaderThatFellBehindRetentionReceivesAGap) {
  options.retention = 10s;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 100; ++i) append_samples({sample(id, i)});
  maintain();
  EXPECT_EQ(number(journal->first()), 50);
  const auto batches = read(Seq{7});
  ASSERT_TRUE(batches.at(0)->gap);
  EXPECT_EQ(number(batches[0]->gap->first), 8);
  EXPECT_EQ(number(batches[0]->gap->last), 49);
  EXPECT_EQ(batches[0]->gap->why, "retention");
  EXPECT_EQ(number(batches[0]->seq), 49);
  EXPECT_EQ(number(batches.at(1)->seq), 50);
  EXPECT_EQ(batches.size(), 52u);
  EXPECT_EQ(metric("journal/damaged_batches"), 0);
  EXPECT_EQ(metric("journal/retired_batches"), 49);
  EXPECT_EQ(journal->stats().samples, 51u);
  reopen();
  EXPECT_EQ(number(journal->first()), 50);
  EXPECT_EQ(journal->stats().samples, 51u);
}

TEST_F(RetentionTest, TheGapIsTheSameFromMemory) {
  options.retention = 10s;
  options.cache_bytes = 4u << 20;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 100; ++i) append_samples({sample(id, i)});
  maintain();
  const auto batches = read(Seq{7});
  ASSERT_TRUE(batches.at(0)->gap);
  EXPECT_EQ(number(batches[0]->gap->last), 49);
}

TEST_F(RetentionTest, TheNewestBatchAlwaysStays) {
  options.retention = 1s;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 10; ++i) append_samples({sample(id, i)});
  clock.advance(1h);
  maintain(3);
  EXPECT_EQ(number(journal->first()), 10);
  reopen();
  EXPECT_EQ(number(journal->last()), 10);
  EXPECT_EQ(number(append_samples({sample(id, 1)})->seq), 11);
}

TEST_F(RetentionTest, TheFileStaysBelowItsBound) {
  options.max_bytes = 4u << 20;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 600; ++i) {
    append_noise(id, 5000);
    if (i % 5 == 4) maintain();
  }
  maintain(10);
  const Stats stats = journal->stats();
  EXPECT_LE(stats.used_bytes, options.max_bytes);
  EXPECT_LE(std::filesystem::file_size(directory.path() / "journal.db"), options.max_bytes + (1u << 20));
  EXPECT_GT(number(stats.first), 300);
  EXPECT_EQ(number(stats.last), 600);
  EXPECT_FALSE(read(prev(stats.first)).at(0)->gap);
}

TEST_F(RetentionTest, ALoweredBoundIsReachedStepByStep) {
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 300; ++i) append_noise(id, 5000);
  maintain();
  ASSERT_GT(journal->stats().used_bytes, 8u << 20);
  journal.reset();
  options.max_bytes = 2u << 20;
  open();
  maintain();
  EXPECT_GT(journal->stats().used_bytes, 2u << 20);
  maintain(10);
  EXPECT_LE(journal->stats().used_bytes, 2u << 20);
}

TEST_F(RetentionTest, MetricsNeverPushEventsOut) {
  options.max_bytes = 1u << 20;
  options.retention = 1min;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 50; ++i) {
    Batch batch;
    batch.events = {transition(alert("a:" + std::to_string(i), Phase::active), clock.now())};
    append(std::move(batch));
  }
  for (int i = 0; i < 300; ++i) {
    append_noise(id, 2000);
    clock.advance(10s);
    maintain();
  }
  EXPECT_GT(number(journal->first()), 50);
  const auto events = journal->events({});
  ASSERT_TRUE(events);
  EXPECT_EQ(events->size(), 50u);
}

TEST_F(RetentionTest, TheOldestEventsGoBeyondTheirOwnBound) {
  options.max_events = 100;
  open();
  for (int i = 0; i < 250; ++i) {
    Batch batch;
    batch.events = {{clock.now(), Notice{"storage", std::to_string(i)}}};
    append(std::move(batch));
  }
  maintain();
  auto events = journal->events({});
  ASSERT_EQ(events->size(), 100u);
  EXPECT_EQ(std::get<Notice>(events->at(0).event.body).text, "150");
  EXPECT_EQ(journal->stats().events, 100u);
  EXPECT_EQ(read(Seq{0}).size(), 250u) << "a batch outlives its events";
  reopen();
  EXPECT_EQ(journal->stats().events, 100u);
  Batch batch;
  batch.events = {{clock.now(), Notice{"storage", "last"}}};
  append(std::move(batch));
  EXPECT_EQ(journal->events({})->size(), 101u);
}

TEST_F(RetentionTest, AlertsGoByWholeBatchesAndTheLastOfThemIsKnown) {
  options.max_events = 10;
  open();
  EXPECT_EQ(number(*journal->alerts_retired()), 0);
  const auto add = [&](int transitions) {
    Batch batch;
    for (int i = 0; i < transitions; ++i) {
      batch.events.push_back(transition(alert("hot:" + std::to_string(i), Phase::active), clock.now()));
    }
    if (transitions == 0) batch.events = {{clock.now(), Notice{"storage", "x"}}};
    append(std::move(batch));
  };
  const auto held = [&] {
    std::vector<std::int64_t> batches;
    const auto events = journal->events({});
    for (const StoredEvent& stored : *events) batches.push_back(number(stored.seq));
    return batches;
  };
  for (const int transitions : {3, 3, 3, 3}) add(transitions);
  maintain();
  EXPECT_EQ(number(*journal->alerts_retired()), 1) << "two too many, but the oldest batch goes whole";
  EXPECT_THAT(held(), testing::ElementsAre(2, 2, 2, 3, 3, 3, 4, 4, 4));
  for (const int transitions : {0, 2, 2}) add(transitions);
  maintain();
  EXPECT_EQ(number(*journal->alerts_retired()), 2) << "four too many, the fourth within a batch";
  EXPECT_THAT(held(), testing::ElementsAre(3, 3, 3, 4, 4, 4, 5, 6, 6, 7, 7));
  reopen();
  EXPECT_EQ(number(*journal->alerts_retired()), 2);
}

TEST_F(RetentionTest, EventsAreBoundedInBytesToo) {
  options.max_bytes = 400'000;
  open();
  for (int i = 0; i < 300; ++i) {
    Batch batch;
    batch.events = {{clock.now(), Notice{"storage", std::string(2000, 'x')}}};
    append(std::move(batch));
  }
  maintain(3);
  const std::size_t left = journal->events({})->size();
  EXPECT_LT(left, 55u);
  EXPECT_GT(left, 40u);
}

TEST_F(RetentionTest, ASnapshotOutlivesTheSamplesThatItIsOf) {
  options.retention = 10s;
  open();
  const SeriesId id = series("a");
  const std::vector<Sample> kept = {sample(id, 1.5), {id, Quality::bad, Reason::no_answer, clock.now(), 0}};
  append_samples(kept);
  const Seq at = append(snapshot_of("hot:a", kept))->seq;
  for (int i = 0; i < 100; ++i) append_samples({sample(id, i)});
  maintain();
  ASSERT_GT(number(journal->first()), number(at));
  reopen();
  EXPECT_EQ(*journal->snapshot(at), kept);
  const auto events = journal->events({.snapshots_only = true});
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(std::get<Snapshot>(events->at(0).event.body).alert, "hot:a");
  EXPECT_TRUE(journal->events({.alerts_only = true})->empty());
}

TEST_F(RetentionTest, TheOldestSnapshotsMakeRoomAndNothingElseDoes) {
  options.max_snapshot_bytes = 20'000;
  open();
  const SeriesId id = series("a");
  std::vector<Seq> taken;
  for (int i = 0; i < 8; ++i) {
    Batch alerts;
    alerts.events = {transition(alert("a:" + std::to_string(i), Phase::active), clock.now())};
    append(std::move(alerts));
    taken.push_back(append(snapshot_of("a:" + std::to_string(i), append_noise(id, 500)->samples))->seq);
    maintain();
  }
  const auto held = [&] {
    std::size_t samples = 0;
    for (const Seq seq : taken) samples += journal->snapshot(seq).value_or(std::vector<Sample>{}).size();
    return samples / 500;
  };
  EXPECT_GE(held(), 3u);
  EXPECT_LE(held(), 5u);
  EXPECT_EQ(journal->snapshot(taken.front()).error().code, Errc::not_found);
  EXPECT_EQ(journal->snapshot(taken.back())->size(), 500u);
  EXPECT_EQ(journal->events({.snapshots_only = true})->size(), 8u) << "which tell that there were eight";
  EXPECT_EQ(journal->events({.alerts_only = true})->size(), 8u);
  const std::size_t before = held();
  reopen();
  maintain();
  EXPECT_EQ(held(), before) << "a start counts what is there";
}

TEST_F(RetentionTest, SnapshotsDoNotCountAsEventsAndGoWithThem) {
  options.max_bytes = 400'000;
  options.max_events = 20;
  open();
  const SeriesId id = series("a");
  const Seq first =
      append(snapshot_of("a:0", append_noise(id, 20'000)->samples))->seq;  // more than the events' quarter
  for (int i = 0; i < 19; ++i) {
    Batch batch;
    batch.events = {transition(alert("a:1", Phase::active), clock.now())};
    append(std::move(batch));
    maintain();
  }
  EXPECT_EQ(journal->events({})->size(), 20u);
  EXPECT_EQ(journal->snapshot(first)->size(), 20'000u);
  EXPECT_EQ(number(*journal->snapshots_retired()), 0);
  Batch batch;
  batch.events = {transition(alert("a:2", Phase::active), clock.now())};
  append(std::move(batch));
  maintain();
  EXPECT_EQ(journal->events({})->size(), 20u);
  EXPECT_FALSE(journal->snapshot(first)) << "its event is gone";
  EXPECT_EQ(*journal->snapshots_retired(), first);
  EXPECT_EQ(number(*journal->alerts_retired()), 0);
}

TEST_F(RetentionTest, DeadLettersAreCountedTogetherAndBounded) {
  options.max_dead_letters = 10;
  open();
  const auto letter = [&](std::string topic) {
    return DeadLetter{clock.now(), "field", std::move(topic), "{\"broken", "not JSON: unexpected end"};
  };
  for (int i = 0; i < 500; ++i) journal->dead_letter(letter("a"));
  maintain();
  for (int i = 0; i < 100; ++i) journal->dead_letter(letter("a"));
  maintain();
  auto letters = journal->dead_letters(100);
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1u);
  EXPECT_EQ(letters->at(0).times, 600u);
  EXPECT_EQ(letters->at(0).letter.payload, "{\"broken");
  EXPECT_EQ(letters->at(0).letter.source, "field");
  clock.advance(2min);
  journal->dead_letter(letter("a"));
  maintain();
  EXPECT_EQ(journal->dead_letters(100)->size(), 2u) << "a minute later it is a letter of its own";
  for (int i = 0; i < 50; ++i) journal->dead_letter(letter("topic" + std::to_string(i)));
  maintain();
  EXPECT_EQ(journal->dead_letters(100)->size(), 10u);
  EXPECT_EQ(journal->dead_letters(3)->size(), 3u);
  for (int i = 0; i < 5000; ++i) journal->dead_letter(letter("flood" + std::to_string(i)));
  maintain();
  EXPECT_EQ(journal->dead_letters(100)->size(), 10u);
  EXPECT_GT(metric("journal/dead_letters_unrecorded"), 0);
  EXPECT_EQ(metric("journal/dead_letters"), 5651);
  reopen();
  EXPECT_EQ(journal->dead_letters(100)->size(), 10u);
}

TEST_F(RetentionTest, ADeadLetterIsGivenBeforeItIsSavedAndThenOnce) {
  open();
  const auto letter = [&](std::string topic) { return DeadLetter{clock.now(), "field", std::move(topic), "x", "y"}; };
  const auto given = [&](std::size_t limit) {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    const auto letters = journal->dead_letters(limit);
    for (const auto& one : *letters) all.emplace_back(one.letter.topic, one.times);
    return all;
  };
  using testing::ElementsAre;
  using testing::Pair;
  journal->dead_letter(letter("b"));
  clock.advance(1s);
  journal->dead_letter(letter("a"));
  journal->dead_letter(letter("a"));
  EXPECT_THAT(given(10), ElementsAre(Pair("a", 2), Pair("b", 1)));
  EXPECT_EQ(journal->dead_letters(10)->at(0).id, 0);
  maintain();
  EXPECT_THAT(given(10), ElementsAre(Pair("a", 2), Pair("b", 1)));
  EXPECT_NE(journal->dead_letters(10)->at(0).id, 0);
  journal->dead_letter(letter("a"));
  journal->dead_letter(letter("b"));
  clock.advance(1s);
  journal->dead_letter(letter("c"));
  EXPECT_THAT(given(10), ElementsAre(Pair("c", 1), Pair("a", 3), Pair("b", 2)));
  EXPECT_THAT(given(2), ElementsAre(Pair("c", 1), Pair("a", 3)));
}

TEST_F(RetentionTest, ADeadPayloadIsCut) {
  open();
  journal->dead_letter({clock.now(), "s", "t", std::string(100'000, 'x'), "too large"});
  maintain();
  EXPECT_EQ(journal->dead_letters(1)->at(0).letter.payload.size(), DeadLetter::kMaxPayload);
}

TEST_F(RetentionTest, LatestSurvivesTheRetirementOfItsBatch) {
  options.retention = 1s;
  open();
  const SeriesId quiet = series("quiet");
  const SeriesId busy = series("busy");
  const Sample kept = sample(quiet, 42);
  append_samples({kept});
  for (int i = 0; i < 100; ++i) {
    append_samples({sample(busy, i)});
    maintain();
  }
  ASSERT_GT(number(journal->first()), 50);
  reopen();
  EXPECT_EQ(journal->latest().at(0), kept);
}

}  // namespace
}  // namespace tidegate::journal
