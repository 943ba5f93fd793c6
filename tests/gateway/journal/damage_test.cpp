// Bytes that are not what was written.

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/damage_support.h"

namespace tidegate::journal {
namespace {

using ::testing::HasSubstr;

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

/// What a name or a state is called wrongly would put samples under another's: the file is replaced instead.
TEST_F(DamageTest, ADamagedNameIsLostRatherThanAnother) {
  fill(3);
  const SeriesId door = series("door");
  ASSERT_TRUE(journal->catalogue().label(door, "open"));
  append_samples({sample(door, 0)});
  edit("UPDATE series SET name = 'b' WHERE name = 'a'; UPDATE label SET text = 'shut'");
  open();
  EXPECT_EQ(journal->notices().size(), 1u);
  EXPECT_EQ(journal->catalogue().entries()[0].name, "lost/0");
  EXPECT_EQ(journal->catalogue().entries()[1].name, "door");
  EXPECT_EQ(journal->catalogue().entries()[1].labels.at(0), "lost 0");
  EXPECT_EQ(read(Seq{0}).size(), 5u);
  expect_works();
}

TEST_F(DamageTest, ADamagedEventCostsItselfOnlyAndIsTold) {
  fill(4);
  edit("UPDATE event SET json = replace(json, 'storage', 'storagf') WHERE seq = 1");
  open();
  const auto batches = read(Seq{0});
  EXPECT_FALSE(batches.at(0)->gap);
  EXPECT_EQ(batches.at(0)->samples.size(), 300u);
  EXPECT_TRUE(batches.at(0)->events.empty());
  EXPECT_EQ(batches.at(0)->damaged_events, 1u);
  EXPECT_EQ(metric("journal/damaged_batches"), 1);
  EXPECT_EQ(journal->events({})->size(), 1u);
  const auto with_damaged = journal->events({.damaged_too = true});
  ASSERT_EQ(with_damaged->size(), 2u);
  EXPECT_TRUE(with_damaged->at(0).damaged);
  EXPECT_EQ(number(with_damaged->at(0).seq), 1);
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("stored batch 1 is damaged"));
  read(Seq{0});
  ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->notices().size(), 1u) << "told once";
}

class DamagedAlert : public DamageTest {
 protected:
  /// Three alerts: announced, announced and then silently clearing, never announced.
  void SetUp() override {
    open();
    Batch raised;
    for (const char* id : {"hot:a", "hot:b"}) {
      raised.alerts.push_back(alert(id, Phase::active));
      raised.events.push_back(transition(raised.alerts.back(), clock.now()));
    }
    append(std::move(raised));
    Batch silent;
    silent.alerts = {alert("hot:b", Phase::clearing), alert("hot:c", Phase::pending)};
    append(std::move(silent));
  }
  std::vector<std::string> alerts() const {
    std::vector<std::string> found;
    const auto all = journal->alerts();
    EXPECT_TRUE(all);
    if (!all) return found;
    for (const AlertRecord& one : *all) found.push_back(one.id + " " + std::string(name(one.phase)));
    return found;
  }
};

TEST_F(DamagedAlert, GoesOnAsItWasLastAnnouncedAndTakesNoOtherAlong) {
  edit("UPDATE alert SET json = replace(json, 'clearing', 'clearinh') WHERE id = 'hot:b'");
  open();
  EXPECT_EQ(alerts(), (std::vector<std::string>{"hot:a active", "hot:b active", "hot:c pending"}));
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_EQ(journal->notices()[0], "records of alerts were damaged: 'hot:b' goes on as it was last announced");
  const auto told = journal->read(Seq{2});
  ASSERT_EQ(told->size(), 1u) << "viewers learn of it by a batch";
  EXPECT_EQ(told->front()->alerts.at(0).phase, Phase::active);
  reopen();
  EXPECT_EQ(alerts(), (std::vector<std::string>{"hot:a active", "hot:b active", "hot:c pending"}));
  ASSERT_TRUE(journal->maintain());
  EXPECT_TRUE(journal->notices().empty()) << "it is mended";
  EXPECT_TRUE(quarantined().empty());
}

TEST_F(DamagedAlert, ThatNoEventTellsOfIsLostAlone) {
  edit("UPDATE alert SET json = 'x' WHERE id = 'hot:c'");
  open();
  EXPECT_EQ(alerts(), (std::vector<std::string>{"hot:a active", "hot:b clearing"}));
  ASSERT_TRUE(journal->maintain());
  EXPECT_THAT(journal->notices().at(0), HasSubstr("'hot:c' is lost, since no event tells of it"));
  reopen();
  EXPECT_EQ(alerts().size(), 2u);
  ASSERT_TRUE(journal->maintain());
  EXPECT_TRUE(journal->notices().empty());
}

TEST_F(DamagedAlert, WhileItRunsIsMendedToo) {
  auto file = sql::Connection::open(this->file(), sql::Connection::Access::write);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->run("UPDATE alert SET crc = crc + 1 WHERE id = 'hot:a'"));
  EXPECT_EQ(alerts().size(), 3u);
  ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->notices().size(), 1u);
  EXPECT_EQ(alerts(), (std::vector<std::string>{"hot:a active", "hot:b clearing", "hot:c pending"}));
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

/// What makes the first schema of today's.
constexpr const char* kFirstSchema =
    "PRAGMA user_version=1; UPDATE meta SET value = 1 WHERE key = 'schema';"
    "DROP INDEX event_snapshot; DROP TABLE snapshot;"
    "ALTER TABLE batch DROP COLUMN crc; ALTER TABLE series DROP COLUMN crc; ALTER TABLE label DROP COLUMN crc;"
    "ALTER TABLE batch DROP COLUMN unset; ALTER TABLE batch ADD COLUMN wide INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX batch_wide ON batch(last_time, first_time) WHERE wide = 1;";

TEST_F(DamageTest, ADamagedFileOfAnOlderVersionIsReadToo) {
  fill(3);
  edit(kFirstSchema);
  edit("PRAGMA user_version=77");
  open();
  EXPECT_EQ(journal->notices().size(), 1u);
  EXPECT_EQ(read(Seq{0}).size(), 4u) << "with the one that reports it";
  expect_works();
}

TEST_F(DamageTest, AnOlderVersionsFileIsTakenOver) {
  fill(3);
  edit(kFirstSchema);
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
