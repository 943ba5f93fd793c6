// What was committed while nobody had set the clock.

#include <gmock/gmock.h>

#include "gateway/journal/sqlite.h"
#include "gateway/journal/tail.h"
#include "tests/fakes/machine.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using test::Machine;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Timestamp kToday{std::chrono::seconds(1'800'000'000)};

/// On a box without a battery, a second after its start: its clock shows 1970.
class RestampTest : public testing::Test {
 protected:
  RestampTest() {
    Machine::start(Timestamp{1s}, false);
    options.directory = directory.path();
    open();
  }
  void open() {
    journal.reset();
    clock = std::make_unique<GatewayClock>(Machine::read, Machine::is_kept);
    auto opened = Journal::open(options, *clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    journal = std::move(*opened);
    boiler = *journal->catalogue().intern("boiler/temperature", info("°C"));
    door = *journal->catalogue().intern("cellar/door", info(""));
  }
  /// Goes on with what is on disk at this moment.
  void crash() {
    const std::filesystem::path left = directory.path() / "left";
    std::filesystem::create_directory(left);
    for (const char* file : {"journal.db", "journal.db-wal", "journal.lock"}) {
      std::filesystem::copy(options.directory / file, left / file);
    }
    options.directory = left;
    open();
  }
  /// A sample a second, each a commit of its own.
  void commit(int seconds, SeriesId series) {
    for (int i = 0; i < seconds; ++i) {
      Machine::go(1s);
      put({{series, Quality::good, Reason::none, clock->now(), 20.0}});
    }
  }
  void put(std::vector<Sample> samples) {
    Batch batch;
    batch.samples = std::move(samples);
    const auto stored = journal->append(batch);
    ASSERT_TRUE(stored) << stored.error().text;
  }
  /// Somebody sets the clock, and what was stamped is mended.
  void set_clock(Timestamp to) {
    Machine::set(to);
    Machine::kept = true;
    clock->correct();
  }
  void maintain(int times = 1) {
    for (int i = 0; i < times; ++i) {
      const Status done = journal->maintain();
      ASSERT_TRUE(done) << done.error().text;
    }
  }
  std::vector<Timestamp> stamps() const {
    std::vector<Timestamp> times;
    const auto batches = journal->read(Seq{0}, {100'000, 10'000'000});
    if (!batches) return times;
    Timestamp committed{};
    for (const auto& batch : *batches) {
      if (batch->gap) continue;
      EXPECT_GE(batch->committed, committed) << "commit " << number(batch->seq);
      committed = batch->committed;
      for (const Sample& sample : batch->samples) times.push_back(sample.time);
    }
    return times;
  }
  void edit(const std::string& sql) {
    journal.reset();
    auto connection = sql::Connection::open(directory.path() / "journal.db", sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    const Status done = connection->run(sql.c_str());
    ASSERT_TRUE(done) << done.error().text;
  }
  std::vector<std::string> notices() const {
    std::vector<std::string> told;
    const auto events = journal->events({});
    for (const auto& stored : *events) {
      if (const auto* notice = std::get_if<Notice>(&stored.event.body))
        told.push_back(notice->kind + ": " + notice->text);
    }
    return told;
  }

  test::TempDir directory{memory()};
  Options options;
  Metrics metrics;
  std::unique_ptr<GatewayClock> clock;
  std::unique_ptr<Journal> journal;
  SeriesId boiler{}, door{};
};

TEST_F(RestampTest, SamplesGetTheTimesThatTheyReallyHad) {
  commit(3, boiler);
  EXPECT_THAT(stamps(), ElementsAre(Timestamp{2s}, Timestamp{3s}, Timestamp{4s}));
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(kToday - 2s, kToday - 1s, kToday));
  EXPECT_THAT(notices(), ElementsAre(testing::HasSubstr("clock: 3 commits")));
  EXPECT_EQ(journal->latest().at(index(boiler)).time, kToday);
  commit(1, boiler);
  open();
  EXPECT_THAT(stamps(), ElementsAre(kToday - 2s, kToday - 1s, kToday, kToday + 1s)) << "on disk as in memory";
}

TEST_F(RestampTest, ADevicesOwnTimeStaysAndSoDoesWhatCameBeforeTheStart) {
  put({{boiler, Quality::good, Reason::none, kToday - 1h, 1},
       {boiler, Quality::good, Reason::none, Timestamp{1s}, 2},
       {door, Quality::good, Reason::none, Timestamp{-1s}, 3}});
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(kToday - 1h, kToday, Timestamp{-1s}));
}

TEST_F(RestampTest, UntilThenNobodyTakesThemElsewhere) {
  set_clock(kToday);
  commit(2, boiler);
  Machine::start(kToday - 24h, false);
  open();
  EXPECT_EQ(journal->settled(), Seq{2});
  commit(3, boiler);
  EXPECT_EQ(journal->settled(), Seq{2});
  EXPECT_FALSE(*journal->compact({}, true));
  maintain();
  EXPECT_EQ(journal->settled(), Seq{2}) << "nobody has set it yet";
  set_clock(kToday + 1h);
  EXPECT_EQ(journal->settled(), Seq{2}) << "they are not mended yet";
  EXPECT_FALSE(*journal->compact({}, true));
  maintain();
  EXPECT_EQ(journal->settled(), journal->last());
  while (*journal->compact({}, true)) maintain();
  const SeriesId asked[] = {boiler};
  EXPECT_EQ(journal->history(asked, kToday - 1h, kToday + 2h, 10'000)->front().buckets.size(), 5u);
}

TEST_F(RestampTest, AfterTenMinutesTheyGoOnWithTheTimesThatTheyHave) {
  commit(3, boiler);
  Machine::go(10min);
  clock->correct();
  maintain();
  EXPECT_EQ(journal->settled(), journal->last());
  EXPECT_THAT(stamps(), ElementsAre(Timestamp{2s}, Timestamp{3s}, Timestamp{4s}));
  EXPECT_THAT(notices(), IsEmpty());
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(Timestamp{2s}, Timestamp{3s}, Timestamp{4s})) << "they are elsewhere already";
}

TEST_F(RestampTest, AStepBackwardsAndNoneMoveNothing) {
  clock->begin_after(kToday);
  commit(2, boiler);
  const auto before = stamps();
  set_clock(kToday - 1h);
  maintain();
  EXPECT_EQ(stamps(), before);
  EXPECT_EQ(journal->settled(), journal->last());
}

TEST_F(RestampTest, AStepThatNobodyVouchedForIsAmongThem) {
  commit(2, boiler);
  Machine::set(kToday - 24h);  // the date of a file, read late in the start
  clock->correct();
  commit(1, boiler);
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(kToday - 2s, kToday - 1s, kToday));
}

TEST_F(RestampTest, ItGoesOnAfterACrashWithinTheSameStartOfTheMachine) {
  options.cache_bytes = 0;
  open();
  commit(1, door);
  commit(600, boiler);  // more than one step
  set_clock(kToday);
  maintain();
  const auto half = stamps();
  ASSERT_EQ(half.front(), Timestamp{2s});
  ASSERT_EQ(half.back(), kToday);
  crash();
  EXPECT_EQ(journal->settled(), Seq{0});
  EXPECT_EQ(stamps(), half);
  maintain(5);
  EXPECT_EQ(journal->settled(), journal->last());
  const auto whole = stamps();
  ASSERT_EQ(whole.size(), 601u);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(whole[i], kToday - (600s - i * 1s)) << i;
  open();
  maintain();
  EXPECT_EQ(journal->latest().at(index(door)).time, kToday - 600s) << "it has been silent since";
}

TEST_F(RestampTest, OneThatCannotBeReadKeepsNoOtherFromIt) {
  options.cache_bytes = 0;
  open();
  commit(3, boiler);
  edit("UPDATE batch SET data = x'00' WHERE seq = 2");
  open();
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(kToday - 2s, kToday));
  EXPECT_EQ(journal->before(kToday - 2s), prev(journal->first()));
  EXPECT_EQ(journal->before(kToday), Seq{2});
}

/// Of a row with a flipped bit nothing is believed: it stays a gap, and its neighbours are mended as without it.
TEST_F(RestampTest, ADamagedRowStaysOneAndMisleadsNoOther) {
  options.cache_bytes = 0;
  for (const char* flip : {"committed = committed - 3000000", "unset = unset + (1 << 33)", "samples = 2"}) {
    for (const int seq : {3, 4}) {
      SCOPED_TRACE(fmt::format("{} of {}", flip, seq));
      journal.reset();
      for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
        std::filesystem::remove_all(entry.path());
      Machine::start(Timestamp{1s}, false);
      open();
      commit(5, boiler);
      edit(fmt::format("UPDATE batch SET {} WHERE seq = {}", flip, seq));
      open();
      set_clock(kToday);
      maintain();
      EXPECT_EQ(journal->settled(), journal->last());
      open();
      std::vector<Timestamp> wanted;
      for (int i = 1; i <= 5; ++i) {
        if (i != seq) wanted.push_back(kToday - (5 - i) * 1s);
      }
      EXPECT_EQ(stamps(), wanted);
    }
  }
}

TEST_F(RestampTest, AfterAnotherStartOfTheMachineNobodyKnowsTheirTimes) {
  commit(2, boiler);
  edit("UPDATE meta SET value = 'another' WHERE key = 'unset_boot'");
  open();
  EXPECT_EQ(journal->settled(), journal->last());
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(Timestamp{2s}, Timestamp{3s}));
}

TEST_F(RestampTest, TheOldTimesMakeNothingTooOldToKeep) {
  options.cache_bytes = 0;
  options.log_keep = Micros{0};
  open();
  commit(600, boiler);
  set_clock(kToday);
  maintain(10);
  EXPECT_EQ(stamps().size(), 600u);
}

TEST(Tail, CountsTheBytesOfABatchThatHasOtherTimesNow) {
  Tail tail(100 * sizeof(Sample) + 2 * sizeof(Batch));
  const auto batch_of = [](std::int64_t seq, std::size_t samples) {
    Batch batch;
    batch.seq = Seq{seq};
    batch.samples.resize(samples);
    return batch;
  };
  tail.publish(std::make_shared<const Batch>(batch_of(1, 1)));
  tail.restamp(batch_of(1, 90));
  tail.publish(std::make_shared<const Batch>(batch_of(2, 20)));
  EXPECT_EQ(tail.oldest_cached(), Seq{2}) << "both are too much";
}

TEST_F(RestampTest, ADamagedFileThatIsReplacedMeanwhileKeepsThem) {
  commit(3, boiler);
  edit(
      "UPDATE batch SET data = x'00' WHERE seq = 2; PRAGMA writable_schema=1;"
      "UPDATE sqlite_schema SET sql = replace(sql, 'json', 'jsom') WHERE name = 'event'");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_EQ(journal->settled(), Seq{0});
  set_clock(kToday);
  maintain();
  EXPECT_THAT(stamps(), ElementsAre(kToday - 2s, kToday));
}

}  // namespace
}  // namespace tidegate::journal
