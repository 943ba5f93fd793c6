// Bytes that are not what was written.

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using ::testing::HasSubstr;

class DamageTest : public JournalTest {
 protected:
  DamageTest() { options.cache_bytes = 0; }

  std::filesystem::path file() const { return directory.path() / "journal.db"; }
  void fill(int batches) {
    open();
    const SeriesId id = series("a");
    for (int i = 0; i < batches; ++i) {
      Batch batch;
      for (int j = 0; j < 300; ++j) batch.samples.push_back(sample(id, i * 1000 + j * 0.7));
      if (i % 3 == 0) batch.events = {{clock.now(), Notice{"storage", "x"}}};
      append(std::move(batch));
    }
  }
  void edit(const char* sql) {
    journal.reset();
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    const Status done = connection->run(sql);
    ASSERT_TRUE(done) << done.error().text;
    ASSERT_TRUE(connection->checkpoint(true));
  }
  std::vector<std::filesystem::path> quarantined() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().string().find(".corrupt-") != std::string::npos) found.push_back(entry.path());
    }
    return found;
  }
  void expect_works() {
    const auto before = number(journal->last());
    const SeriesId id = series("after");
    append_samples({sample(id, 1)});
    EXPECT_EQ(number(journal->last()), before + 1);
    EXPECT_EQ(read(Seq{before}).back()->samples.at(0).value, 1);
  }
};

TEST_F(DamageTest, ADamagedBatchIsAGapAndTheRestIsThere) {
  fill(10);
  edit("UPDATE batch SET data = CAST(substr(data, 1, 40) || x'FF' || substr(data, 42) AS BLOB) WHERE seq IN (4, 5, 8)");
  open();
  const auto batches = read(Seq{0});
  ASSERT_EQ(batches.size(), 9u);
  ASSERT_TRUE(batches[3]->gap);
  EXPECT_EQ(number(batches[3]->gap->first), 4);
  EXPECT_EQ(number(batches[3]->gap->last), 5);
  EXPECT_EQ(batches[3]->gap->why, "damaged");
  EXPECT_EQ(number(batches[3]->seq), 5);
  EXPECT_TRUE(batches[6]->gap);
  EXPECT_EQ(batches[8]->samples[0].value, 9000);
  EXPECT_EQ(metric("journal/damaged_batches"), 3);
  const std::vector<SeriesId> all{SeriesId{0}};
  const auto history = journal->history(all, clock.now() - std::chrono::hours(1), clock.now(), 10);
  ASSERT_TRUE(history);
  std::size_t counted = 0;
  for (const Bucket& bucket : history->at(0).buckets) counted += bucket.count;
  EXPECT_EQ(counted, 7 * 300u);
}

TEST_F(DamageTest, ADamagedEventTakesItsBatchAlong) {
  fill(4);
  edit("UPDATE event SET json = replace(json, 'storage', 'storagf') WHERE seq = 1");
  open();
  const auto batches = read(Seq{0});
  ASSERT_TRUE(batches.at(0)->gap);
  EXPECT_EQ(number(batches.at(0)->gap->last), 1);
  EXPECT_FALSE(batches.at(1)->gap);
  EXPECT_EQ(journal->events({})->size(), 1u);
}

TEST_F(DamageTest, AMissingBatchIsAGap) {
  fill(6);
  edit("DELETE FROM batch WHERE seq = 3");
  open();
  const auto batches = read(Seq{0});
  ASSERT_EQ(batches.size(), 6u);
  ASSERT_TRUE(batches[2]->gap);
  EXPECT_EQ(batches[2]->gap->why, "damaged");
}

TEST_F(DamageTest, AFileThatIsNoDatabaseIsSetAside) {
  fill(3);
  const std::string epoch = journal->epoch();
  journal.reset();
  std::ofstream(file()) << std::string(100'000, 'x');
  open();
  EXPECT_EQ(quarantined().size(), 1u);
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr(".corrupt-"));
  EXPECT_NE(journal->epoch(), epoch);
  expect_works();
  reopen();
  EXPECT_TRUE(journal->notices().empty());
}

TEST_F(DamageTest, AZeroedFileIsSetAside) {
  fill(3);
  journal.reset();
  std::ofstream(file()) << std::string(64 * 1024, '\0');
  open();
  EXPECT_EQ(quarantined().size(), 1u);
  expect_works();
}

TEST_F(DamageTest, AtMostTwoFilesAreKeptAside) {
  for (int i = 0; i < 4; ++i) {
    std::ofstream(file()) << "no database, round " << i << std::string(5000, 'x');
    clock.advance(std::chrono::seconds(1));
    open();
    journal.reset();
  }
  EXPECT_EQ(quarantined().size(), 2u);
}

TEST_F(DamageTest, AnotherProgramsFileIsLeftAlone) {
  {
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    ASSERT_TRUE(connection->run("CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1);"));
  }
  options.directory = directory.path();
  const auto opened = Journal::open(options, clock, metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_THAT(opened.error().text, HasSubstr("another program"));
  EXPECT_TRUE(quarantined().empty());
}

TEST_F(DamageTest, ANewerVersionsFileIsLeftAlone) {
  fill(1);
  edit("PRAGMA user_version=99; UPDATE meta SET value = 99 WHERE key = 'schema'");
  const auto opened = Journal::open(options, clock, metrics);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_THAT(opened.error().text, HasSubstr("newer version"));
}

TEST_F(DamageTest, AnOlderVersionsFileIsTakenOver) {
  fill(3);
  edit(
      "PRAGMA user_version=1; UPDATE meta SET value = 1 WHERE key = 'schema';"
      "ALTER TABLE batch ADD COLUMN wide INTEGER NOT NULL DEFAULT 0;"
      "CREATE INDEX batch_wide ON batch(last_time, first_time) WHERE wide = 1;");
  open();
  EXPECT_TRUE(journal->notices().empty());
  EXPECT_EQ(read(Seq{0}).size(), 3u);
  expect_works();
  reopen();
  EXPECT_TRUE(journal->notices().empty());
}

TEST_F(DamageTest, ADamagedHeaderIsNotTakenForAnotherProgramsOrVersions) {
  for (const char* damage : {"PRAGMA user_version=77", "PRAGMA application_id=5"}) {
    fill(1);
    edit(damage);
    clock.advance(std::chrono::seconds(1));
    open();
    EXPECT_EQ(journal->notices().size(), 1u) << damage;
    expect_works();
    journal.reset();
  }
}

TEST_F(DamageTest, ADamagedSchemaIsFoundAtTheStart) {
  fill(1);
  edit("PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql = replace(sql, 'json', 'jsom') WHERE name = 'event'");
  open();
  EXPECT_EQ(journal->notices().size(), 1u);
  expect_works();
}

TEST_F(DamageTest, DirtAnywhereNeverCrashesAndAlwaysStarts) {
  fill(200);
  journal.reset();
  const std::string whole = test::read_file(file());
  ASSERT_GT(whole.size(), 30'000u);
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string dirty = whole;
    for (unsigned i = 0; i < 1 + seed % 40; ++i) dirty[random() % dirty.size()] = static_cast<char>(random());
    if (seed % 5 == 0) dirty.resize(random() % dirty.size());
    std::filesystem::remove_all(directory.path());
    std::filesystem::create_directories(directory.path());
    std::ofstream(file(), std::ios::binary) << dirty;
    open();
    if (HasFatalFailure()) return;
    Seq after{0};
    while (after < journal->last()) {
      const auto batches = journal->read(after);
      ASSERT_TRUE(batches) << batches.error().text;
      ASSERT_FALSE(batches->empty());
      after = batches->back()->seq;
    }
    static_cast<void>(journal->events({}));
    const std::vector<SeriesId> none;
    static_cast<void>(journal->history(none, at(0), clock.now(), 10));
    Batch batch;
    const auto appended = journal->append(batch);
    if (!appended) {
      EXPECT_EQ(appended.error().code, Errc::corrupt) << appended.error().text;
      reopen();
      EXPECT_TRUE(journal->append(batch));
    }
    journal.reset();
  }
}

}  // namespace
}  // namespace tidegate::journal
