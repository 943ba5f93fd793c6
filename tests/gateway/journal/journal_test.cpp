#include "gateway/journal/journal.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

TEST_F(JournalTest, KeepsTheTimeWhereNothingIsCommitted) {
  open();
  append_samples({sample(series("a"), 1)});
  const Timestamp committed = clock.now();
  EXPECT_EQ(journal->left_off(), committed);
  clock.advance(std::chrono::minutes(4));
  ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->left_off(), committed);
  clock.advance(std::chrono::minutes(1));
  ASSERT_TRUE(journal->maintain());
  clock.set(Timestamp{});
  reopen();
  EXPECT_EQ(journal->left_off(), committed + std::chrono::minutes(5));
}

TEST_F(JournalTest, ABatchReadsBackFromMemoryAndFromDisk) {
  open();
  const SeriesId id = series("boiler1/temperature");
  Batch batch;
  batch.samples = {sample(id, 20.5), sample(id, 20.6)};
  batch.events = {transition(alert("a:boiler1", Phase::active), clock.now()),
                  {clock.now(), SourceChange{"plant", SourceHealth::down, "no answer from plc-1"}},
                  {clock.now(), Acknowledge{"a:boiler1", "ops", "seen"}},
                  {clock.now(), ClockStep{-3s}},
                  {clock.now(), Unwatched{clock.now() - 5min}},
                  {clock.now(), Notice{"started", "Tidegate 0.1"}}};
  batch.alerts = {alert("a:boiler1", Phase::active)};
  const BatchPtr stored = append(std::move(batch));
  EXPECT_EQ(number(stored->seq), 1);
  EXPECT_EQ(stored->committed, clock.now());
  EXPECT_EQ(read(Seq{0}).at(0), stored);
  reopen();
  const auto again = read(Seq{0});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0]->samples, stored->samples);
  EXPECT_EQ(again[0]->committed, stored->committed);
  EXPECT_EQ(again[0]->alerts, stored->alerts);
  ASSERT_EQ(again[0]->events.size(), 6u);
  EXPECT_EQ(std::get<AlertTransition>(again[0]->events[0].body).alert, alert("a:boiler1", Phase::active));
  EXPECT_EQ(std::get<SourceChange>(again[0]->events[1].body).health, SourceHealth::down);
  EXPECT_EQ(std::get<Acknowledge>(again[0]->events[2].body).who, "ops");
  EXPECT_EQ(std::get<ClockStep>(again[0]->events[3].body).by, -3s);
  EXPECT_EQ(std::get<Unwatched>(again[0]->events[4].body).since, again[0]->events[4].time - 5min);
  EXPECT_EQ(std::get<Notice>(again[0]->events[5].body).text, "Tidegate 0.1");
}

TEST_F(JournalTest, NumbersGoOnOverAReopenAndTheEpochStays) {
  open();
  const SeriesId id = series("a");
  append_samples({sample(id, 1)});
  append_samples({sample(id, 2)});
  const std::string epoch = journal->epoch();
  EXPECT_FALSE(epoch.empty());
  reopen();
  EXPECT_EQ(journal->epoch(), epoch);
  EXPECT_EQ(number(journal->last()), 2);
  EXPECT_EQ(number(append_samples({sample(id, 3)})->seq), 3);
}

/// Else nobody would miss the WAL that a cursor's beginning was in.
TEST_F(JournalTest, AnyCommitMakesTheWalTheJournals) {
  open();
  append_samples({sample(series("a"), 1)});
  reopen();
  const auto left = [&] { return test::read_file(directory.path() / "journal.lock"); };
  EXPECT_THAT(left(), ::testing::EndsWith("closed\n"));
  ASSERT_TRUE(journal->maintain());
  EXPECT_THAT(left(), ::testing::EndsWith("closed\n")) << "nothing was written";
  ASSERT_TRUE(journal->position("cloud"));
  EXPECT_THAT(left(), ::testing::EndsWith("open\n"));
}

TEST_F(JournalTest, AnEmptyLogBeginsAtOne) {
  open();
  EXPECT_EQ(number(journal->last()), 0);
  EXPECT_EQ(number(journal->first()), 1);
  EXPECT_TRUE(read(Seq{0}).empty());
  EXPECT_EQ(journal->stats().samples, 0u);
}

TEST_F(JournalTest, ReadKeepsItsLimitsButGivesAtLeastOneBatch) {
  options.cache_bytes = 0;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 10; ++i) append_samples(std::vector<Sample>(100, sample(id, i)));
  EXPECT_EQ(read(Seq{0}, {.max_batches = 3}).size(), 3u);
  EXPECT_EQ(read(Seq{0}, {.max_samples = 250}).size(), 2u);
  EXPECT_EQ(read(Seq{0}, {.max_samples = 1}).size(), 1u);
  EXPECT_EQ(number(read(Seq{4}, {.max_batches = 1}).at(0)->seq), 5);
}

TEST_F(JournalTest, TheCacheIsBoundedAndTheRestComesFromDisk) {
  options.cache_bytes = 20'000;
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 100; ++i) append_samples(std::vector<Sample>(50, sample(id, i)));
  Seq after{0};
  int seen = 0;
  for (auto batches = read(after); !batches.empty(); batches = read(after)) {
    for (const BatchPtr& batch : batches) {
      ASSERT_EQ(batch->seq, next(after));
      EXPECT_EQ(batch->samples[0].value, seen++);
      after = batch->seq;
    }
  }
  EXPECT_EQ(seen, 100);
}

TEST_F(JournalTest, NamesAndLabelsComeBack) {
  open();
  const SeriesId temperature = series("boiler1/temperature");
  const SeriesId state = *journal->catalogue().intern(
      "pump/state", {SeriesKind::state, "", "plant", 5s, {{"area", "east"}, {"line", "2"}}});
  EXPECT_EQ(*journal->catalogue().label(state, "idle"), 0);
  EXPECT_EQ(*journal->catalogue().label(state, "läuft"), 1);
  append_samples({sample(temperature, 1), sample(state, 1)});
  reopen();
  ASSERT_EQ(journal->catalogue().size(), 2u);
  const auto entry = journal->catalogue().entry(state);
  EXPECT_EQ(entry.name, "pump/state");
  EXPECT_EQ(entry.info, (SeriesInfo{SeriesKind::state, "", "plant", 5s, {{"area", "east"}, {"line", "2"}}}));
  EXPECT_EQ(entry.labels, (std::vector<std::string>{"idle", "läuft"}));
  EXPECT_EQ(series("boiler1/temperature"), temperature);
}

TEST_F(JournalTest, LatestIsByTimeAndComesBack) {
  open();
  const SeriesId a = series("a");
  const SeriesId b = series("b");
  const Sample newest = sample(a, 2);
  append_samples({newest});
  Sample late = newest;
  late.time -= 10s;
  late.value = 1;
  append_samples({late});
  const auto check = [&] {
    const auto latest = journal->latest();
    ASSERT_EQ(latest.size(), 2u);
    EXPECT_EQ(latest[0], newest);
    EXPECT_EQ(latest[1].series, b);
    EXPECT_EQ(latest[1].time, Timestamp{});
  };
  check();
  reopen();
  check();
  reopen();
  check();
}

TEST_F(JournalTest, AlertRecordsAreTheCurrentOnes) {
  open();
  Batch raise;
  raise.alerts = {alert("a:1", Phase::pending), alert("a:2", Phase::active)};
  append(std::move(raise));
  Batch change;
  change.alerts = {alert("a:1", Phase::active), alert("a:2", Phase::normal)};
  append(std::move(change));
  reopen();
  const auto alerts = journal->alerts();
  ASSERT_TRUE(alerts);
  EXPECT_EQ(*alerts, std::vector<AlertRecord>{alert("a:1", Phase::active)});
}

TEST_F(JournalTest, EventsAreQueriedInEitherOrder) {
  open();
  for (int i = 0; i < 5; ++i) {
    Batch batch;
    batch.events = {{clock.now(), Notice{"storage", std::to_string(i)}},
                    transition(alert("a:" + std::to_string(i), Phase::active), clock.now())};
    append(std::move(batch));
  }
  const auto all = journal->events({});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 10u);
  EXPECT_EQ(number(all->at(0).seq), 1);
  EXPECT_EQ(all->at(1).ordinal, 1);
  const auto newest = journal->events({.limit = 2, .newest_first = true, .alerts_only = true});
  ASSERT_EQ(newest->size(), 2u);
  EXPECT_EQ(number(newest->at(0).seq), 5);
  EXPECT_EQ(std::get<AlertTransition>(newest->at(1).event.body).alert.id, "a:3");
  EXPECT_EQ(journal->events({.after = Seq{4}})->size(), 2u);
}

TEST_F(JournalTest, ACursorBeginsWhereAskedAndOnlyGoesForward) {
  open();
  const SeriesId id = series("a");
  for (int i = 0; i < 3; ++i) append_samples({sample(id, i)});
  EXPECT_EQ(number(*journal->position("cloud")), 0);
  EXPECT_EQ(number(*journal->position("notify", false)), 3);
  ASSERT_TRUE(journal->advance("cloud", Seq{2}));
  ASSERT_TRUE(journal->advance("cloud", Seq{1}));
  EXPECT_EQ(number(*journal->position("cloud")), 2);
  EXPECT_EQ(journal->advance("cloud", Seq{4}).error().code, Errc::invalid);
  EXPECT_EQ(journal->advance("nobody", Seq{1}).error().code, Errc::not_found);
  append_samples({sample(id, 4)});
  EXPECT_EQ(number(*journal->position("notify", false)), 3);
  reopen();
  EXPECT_EQ(number(*journal->position("cloud")), 2);
  EXPECT_EQ(number(*journal->position("notify", false)), 3);
}

TEST_F(JournalTest, WaitEndsWithAnAppendATimeOutOrAStop) {
  open();
  const SeriesId id = series("a");
  EXPECT_FALSE(journal->wait(Seq{0}, 1ms, {}));
  {
    const std::jthread writer([&] {
      std::this_thread::sleep_for(20ms);
      append_samples({sample(id, 1)});
    });
    EXPECT_TRUE(journal->wait(Seq{0}, 60s, {}));
  }
  EXPECT_TRUE(journal->wait(Seq{0}, 0s, {}));
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_FALSE(journal->wait(Seq{1}, 60s, stop.get_token()));
}

TEST_F(JournalTest, ASecondOpenerIsRefused) {
  open();
  auto second = Journal::open(options, clock, metrics);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().text, ::testing::HasSubstr(std::to_string(::getpid())));
}

TEST_F(JournalTest, ItsDirectoryAndFilesAreTheOwnersAlone) {
  options.directory = directory.path() / "state" / "tidegate";
  auto opened = Journal::open(options, clock, metrics);
  ASSERT_TRUE(opened) << opened.error().text;
  for (const char* name : {"", "journal.db", "journal.db-wal", "journal.lock"}) {
    struct stat found {};
    ASSERT_EQ(::stat((options.directory / name).c_str(), &found), 0) << name;
    EXPECT_EQ(found.st_mode & 0077, 0u) << name;
  }
}

TEST_F(JournalTest, RefusesWhatItCannotStoreAndKeepsTheBatch) {
  open();
  Batch batch;
  batch.samples = {sample(SeriesId{5}, 1)};
  const auto stored = journal->append(batch);
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, Errc::invalid);
  EXPECT_EQ(batch.samples.size(), 1u);
  EXPECT_EQ(number(journal->last()), 0);
}

TEST_F(JournalTest, CommitTimesNeverRunBackwards) {
  open();
  const SeriesId id = series("a");
  const Timestamp before = append_samples({sample(id, 1)})->committed;
  journal.reset();
  clock.set(before - 24h);
  open();
  EXPECT_EQ(append_samples({sample(id, 2)})->committed, before);
}

TEST_F(JournalTest, BeforeFindsWhereALookBackBegins) {
  open();
  const SeriesId id = series("a");
  EXPECT_EQ(number(*journal->before(clock.now())), 0);
  std::vector<Timestamp> committed;
  for (int i = 0; i < 20; ++i) committed.push_back(append_samples({sample(id, i)})->committed);
  EXPECT_EQ(number(*journal->before(committed[0] - 1h)), 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(number(*journal->before(committed[static_cast<std::size_t>(i)])), i);
    EXPECT_EQ(number(*journal->before(committed[static_cast<std::size_t>(i)] + 1us)), i + 1);
  }
}

TEST_F(JournalTest, StatsCountWhatIsStored) {
  open();
  const SeriesId id = series("a");
  Batch batch;
  batch.samples = {sample(id, 1), sample(id, 2)};
  batch.events = {{clock.now(), Notice{"started", "x"}}};
  const Timestamp first = append(std::move(batch))->committed;
  append_samples({sample(id, 3)});
  const auto check = [&] {
    const Stats stats = journal->stats();
    EXPECT_EQ(stats.samples, 3u);
    EXPECT_EQ(stats.events, 1u);
    EXPECT_EQ(stats.oldest, first);
    EXPECT_GT(stats.file_bytes, 0u);
    EXPECT_GT(stats.used_bytes, 0u);
  };
  check();
  reopen();
  check();
}

}  // namespace
}  // namespace tidegate::journal
