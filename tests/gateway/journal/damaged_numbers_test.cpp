// Numbers that are not what was written: of a batch's row, of a cursor.

#include <gmock/gmock.h>

#include "gateway/journal/bytes.h"
#include "gateway/journal/schema.h"
#include "tests/gateway/journal/damage_support.h"

namespace tidegate::journal {
namespace {

using ::testing::HasSubstr;
using DamagedNumbers = DamageTest;

/// A flipped bit in a number of the row: SQLite has no way to know.
TEST_F(DamagedNumbers, ADamagedRowOfABatchIsAGapToo) {
  for (const char* column : {"committed", "first_time", "last_time", "samples_before", "events", "unset"}) {
    fill(5);
    edit(fmt::format(
             "UPDATE batch SET {0} = coalesce({0}, 0) | 1048576 WHERE seq = 3 AND coalesce({0}, 0) & 1048576 = 0;"
             "UPDATE batch SET {0} = {0} & ~1048576 WHERE seq = 3 AND {0} & 1048576 > 0 AND crc = {1}",
             column, kBatchCrc)
             .c_str());
    open();
    const auto batches = read(Seq{0});
    ASSERT_EQ(batches.size(), 5u) << column;
    ASSERT_TRUE(batches[2]->gap) << column;
    EXPECT_EQ(batches[2]->gap->why, "damaged");
    EXPECT_FALSE(batches[3]->gap);
    journal.reset();
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      std::filesystem::remove_all(entry.path());
  }
}

/// All that follows would be counted from it.
TEST_F(DamagedNumbers, ADamagedRowAtTheEndIsNotTheEndThatCounts) {
  fill(5);
  const std::string epoch = journal->epoch();
  edit("UPDATE batch SET samples_before = samples_before + (1 << 40), committed = committed + (1 << 50) WHERE seq = 5");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are at least 1 batches with 300 samples, 0 events"));
  EXPECT_EQ(journal->stats().samples, 1500u) << "ever, since none is retired";
  EXPECT_EQ(number(journal->last()), 6) << "the report";
  EXPECT_LE(read(Seq{5}).at(0)->committed, clock.now());
  EXPECT_NE(journal->epoch(), epoch) << "its number may be another's";
  expect_works();
}

TEST_F(DamagedNumbers, ADamagedRowAtTheBeginningIsLostToTheSample) {
  fill(3);
  clock.advance(std::chrono::days(31));
  for (int i = 0; i < 4; ++i) append_samples({sample(SeriesId{0}, i), sample(SeriesId{0}, i)});
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(number(journal->first()), 4);
  const std::string epoch = journal->epoch();
  edit("UPDATE batch SET samples_before = samples_before + (1 << 40) WHERE seq = 4");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are 1 batches with 2 samples, 0 events"));
  EXPECT_EQ(metric("journal/lost_samples"), 2);
  EXPECT_EQ(journal->epoch(), epoch);
  EXPECT_EQ(read(Seq{4}).size(), 4u);
  expect_works();
}

/// As where an inner page leads elsewhere: no row tells of those before it.
TEST_F(DamagedNumbers, ALogThatBeginsTooLateHasLostItsBeginningAndTellsOfItOnce) {
  fill(3);
  clock.advance(std::chrono::days(31));
  for (int i = 0; i < 6; ++i) append_samples({sample(SeriesId{0}, i), sample(SeriesId{0}, i)});
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(number(journal->first()), 4);
  edit("DELETE FROM batch WHERE seq < 6");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are 2 batches with 4 samples, 0 events"));
  EXPECT_EQ(metric("journal/lost_samples"), 4);
  reopen();
  EXPECT_TRUE(journal->notices().empty());
  edit("DELETE FROM batch WHERE seq = 8; PRAGMA user_version=77");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are 1 batches with 2 samples, 0 events"));
  EXPECT_EQ(metric("journal/lost_samples"), 6);
  expect_works();
}

/// Its numbers would be given a second time.
TEST_F(DamagedNumbers, ALogThatEndsTooEarlyForItsEventsHasLostItsEnd) {
  fill(7);
  const std::string epoch = journal->epoch();
  edit("DELETE FROM batch WHERE seq > 2; PRAGMA user_version=77");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are at least 5 batches"));
  EXPECT_EQ(number(journal->last()), 8) << "the report";
  EXPECT_NE(journal->epoch(), epoch);
  expect_works();
}

TEST_F(DamagedNumbers, RetentionCountsByNoDamagedRow) {
  fill(5);
  {
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    ASSERT_TRUE(connection->run("UPDATE batch SET samples_before = samples_before + (1 << 40) WHERE seq = 2"));
  }
  clock.advance(std::chrono::days(31));
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are 1 batches with 300 samples, 0 events"));
  EXPECT_EQ(number(journal->first()), 6);
  EXPECT_EQ(journal->stats().samples, 0u);
}

/// Believed, there were a million million events, and retention would remove what there is.
TEST_F(DamagedNumbers, ADamagedNumberAtAnEndOfTheEventsIsNotTheEndThatCounts) {
  for (const char* damage :
       {"UPDATE event SET id = id | (1 << 40) WHERE id = 4", "UPDATE event SET id = id - (1 << 40) WHERE id = 1"}) {
    SCOPED_TRACE(damage);
    fill(10);
    edit(damage);
    open();
    ASSERT_EQ(journal->notices().size(), 1u);
    EXPECT_THAT(journal->notices()[0], HasSubstr("lost are at least 0 batches with 0 samples, 1 events"));
    ASSERT_TRUE(journal->maintain());
    EXPECT_EQ(journal->events({})->size(), 4u) << "three, and the report";
    EXPECT_EQ(read(Seq{0}).size(), 11u);
    expect_works();
    reopen();
    EXPECT_TRUE(journal->notices().empty());
    journal.reset();
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      std::filesystem::remove_all(entry.path());
  }
}

/// What a row itself says is beyond the end is not believed where another damage has the file salvaged either.
TEST_F(DamagedNumbers, ASalvageCountsByNoDamagedNumberOfAnEvent) {
  fill(10);
  edit("UPDATE event SET id = id | (1 << 40), seq = seq | (1 << 40) WHERE id = 4; PRAGMA user_version=77");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("10 batches and 3 events were saved; lost are at least 0 batches with 0 "
                                               "samples, 1 events"));
  EXPECT_EQ(number(journal->last()), 11) << "the report";
}

TEST_F(DamagedNumbers, ARowOfZerosIsNoEvent) {
  fill(10);
  edit("UPDATE event SET json = '', crc = 0 WHERE id = 2; PRAGMA user_version=77");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are 0 batches with 0 samples, 1 events"));
}

TEST_F(DamagedNumbers, AnEventOfAnotherBatchIsNoEventOfThisOne) {
  fill(6);
  edit("UPDATE event SET seq = 5 WHERE seq = 4");
  open();
  const auto batches = read(Seq{0});
  ASSERT_EQ(batches.size(), 6u);
  EXPECT_TRUE(batches[3]->events.empty());
  EXPECT_TRUE(batches[4]->events.empty());
  const auto events = journal->events({.damaged_too = true});
  ASSERT_EQ(events->size(), 2u);
  EXPECT_TRUE(events->at(1).damaged);
}

/// Its checksum is of its JSON alone.
TEST_F(DamagedNumbers, AnEventOfTheSecondVersionIsAsGoodAsItWas) {
  fill(10);
  journal.reset();
  {
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    auto rows = connection->prepare("SELECT id, json FROM event");
    std::string edits =
        "PRAGMA user_version=2; UPDATE meta SET value = 2 WHERE key = 'schema';"
        "DROP INDEX event_snapshot; DROP TABLE snapshot;";
    while (*rows->step()) {
      edits += fmt::format("UPDATE event SET crc = {} WHERE id = {};", crc32c(rows->text(1)), rows->integer(0));
    }
    rows->reset();
    ASSERT_TRUE(connection->run(edits.c_str()));
    ASSERT_TRUE(connection->make_whole());
  }
  EXPECT_TRUE(view()) << "which does not change it";
  open();
  EXPECT_TRUE(journal->notices().empty());
  EXPECT_EQ(journal->events({})->size(), 4u);
  edit("PRAGMA user_version=77");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("10 batches and 4 events were saved, nothing is lost"));
  EXPECT_EQ(journal->events({})->size(), 5u);
}

/// It was never there: believed, the numbers would go on from it for ever. Where it was nobody knows: taken back to the
/// end only, it would never see what it had not seen.
TEST_F(DamagedNumbers, ACursorFarBehindTheEndBeginsAnew) {
  fill(5);
  ASSERT_TRUE(journal->position("cloud"));
  ASSERT_TRUE(journal->advance("cloud", Seq{3}));
  ASSERT_TRUE(journal->position("history"));
  edit("UPDATE cursor SET seq = seq | (1 << 40)");
  open();
  EXPECT_EQ(number(journal->last()), 5);
  EXPECT_EQ(number(*journal->position("cloud")), 0);
  EXPECT_TRUE(journal->notices().empty());
  const std::vector<std::size_t> all{0};
  for (int when : {0, 1}) {  // in the log, and in history
    const auto seen = view()->history(all, clock.now() - std::chrono::hours(1), clock.now() + Micros{1}, 1);
    ASSERT_TRUE(seen);
    ASSERT_EQ(seen->at(0).buckets.size(), 1u);
    EXPECT_EQ(seen->at(0).buckets[0].count, 1500u) << when;
    if (when == 0) compact();
  }
}

TEST_F(DamagedNumbers, ACursorFarBehindALostEndIsNotBelievedEither) {
  fill(5);
  ASSERT_TRUE(journal->position("cloud"));
  edit("UPDATE cursor SET seq = seq | (1 << 40); UPDATE batch SET data = x'00' WHERE seq = 5; PRAGMA user_version=77");
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("lost are at least 1 batches with 300 samples"));
  EXPECT_EQ(number(journal->last()), 6) << "the report";
  EXPECT_EQ(number(*journal->position("cloud")), 0);
  expect_works();
}

}  // namespace
}  // namespace tidegate::journal
