#include "gateway/journal/sqlite.h"

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

TEST(Reader, CanNeitherWriteNorCheckpoint) {
  test::TempDir directory;
  const auto file = directory.path() / "journal.db";
  FakeClock clock;
  Metrics metrics;
  Options options;
  options.directory = directory.path();
  auto journal = Journal::open(options, clock, metrics);
  ASSERT_TRUE(journal);
  const SeriesId id = *(*journal)->catalogue().intern("a", info(""));
  Batch batch;
  batch.samples = {{.series = id, .time = clock.now(), .value = 1}};
  ASSERT_TRUE((*journal)->append(batch));
  const auto wal = [&] { return test::read_file(directory.path() / "journal.db-wal"); };
  const auto database = [&] { return test::read_file(file); };
  const std::string wal_before = wal();
  const std::string database_before = database();
  ASSERT_FALSE(wal_before.empty());
  {
    auto reader = sql::Connection::open(file, sql::Connection::Access::read);
    ASSERT_TRUE(reader);
    EXPECT_EQ(*reader->number("SELECT count(*) FROM batch"), 1);
    for (const char* statement : {"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint", "PRAGMA query_only=0",
                                  "PRAGMA journal_mode=DELETE", "PRAGMA wal_autocheckpoint=1", "DELETE FROM batch",
                                  "INSERT INTO meta VALUES('x', 1)", "UPDATE batch SET seq = 9", "CREATE TABLE x(y)",
                                  "CREATE TEMP TABLE x(y)", "VACUUM", "ATTACH 'x.db' AS x"}) {
      EXPECT_FALSE(reader->run(statement)) << statement;
    }
    EXPECT_EQ(reader->checkpoint(false).error().code, Errc::invalid);
    EXPECT_EQ(reader->checkpoint(true).error().code, Errc::invalid);
    EXPECT_FALSE(sql::Transaction::begin(*reader));
  }
  EXPECT_EQ(wal(), wal_before);
  EXPECT_EQ(database(), database_before);
}

}  // namespace
}  // namespace tidegate::journal
