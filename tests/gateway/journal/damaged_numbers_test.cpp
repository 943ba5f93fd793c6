// Numbers that are not what was written: of a batch's row, of a cursor.

#include <gmock/gmock.h>

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
