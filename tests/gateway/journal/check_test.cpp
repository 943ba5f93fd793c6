// What `store check` finds: each kind of damage by name; and what it passes is what was stored.

#include "gateway/journal/check.h"

#include <gmock/gmock.h>

#include <fstream>

#include "gateway/journal/scan.h"
#include "tests/gateway/journal/random_store.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class CheckTest : public RandomStore {
 protected:
  fs::path log() const { return directory.path() / "journal.db"; }
  std::vector<history::DayFileName> days() const { return history::day_files(directory.path() / "history"); }
  std::vector<history::YearFileName> years() const { return history::year_files(directory.path() / "history"); }

  /// "2026-03-01.db: round 1: what", sorted by file.
  std::vector<std::string> check() {
    std::vector<std::string> found;
    parts = samples = 0;
    const CheckReport report{
        [&](const Damage& damage) {
          found.push_back(damage.file.filename().string() + ": " + damage.extent + ": " + damage.what);
        },
        [](std::uint64_t) {},
        {}};
    const auto take = [&](const Result<Checked>& checked) {
      if (!checked) found.push_back(checked.error().text);
      parts += checked ? checked->parts : 0;
      samples += checked ? checked->samples : 0;
    };
    if (fs::exists(log())) take(check_log(log(), report));
    for (const auto& day : days()) take(check_day(day, log(), report));
    for (const auto& year : years()) take(check_year(year.path, report));
    return found;
  }
  /// Four series and their events in the log and two days of history, of which one is rolled up; closed.
  void store() {
    options.log_keep = std::chrono::hours(10'000);
    open();
    make_series();
    clock.set(*parse_rfc3339("2026-03-01T10:00:00Z"));
    for (int day = 0; day < 2; ++day) {
      for (int round = 0; round < 2; ++round) {
        Batch batch;
        for (int i = 0; i < 500; ++i) {
          batch.samples.push_back(sample(ids[0], 100 * day + i));
          batch.samples.push_back(sample(ids[1], i));
          clock.advance(100ms);
        }
        const AlertRecord record = alert("hot:boiler1", Phase::active);
        batch.events = {transition(record, clock.now())};
        batch.alerts = {record};
        append(std::move(batch));
        compact();
      }
      clock.advance(24h);
      compact();
    }
    journal.reset();
  }
  void change(const fs::path& file, const std::string& sql) {
    auto connection = sql::Connection::open(file, sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    const Status status = connection->run(sql.c_str());
    ASSERT_TRUE(status) << status.error().text;
    ASSERT_TRUE(connection->make_whole());
  }

  std::uint64_t parts = 0, samples = 0;
};

TEST_F(CheckTest, AStoreInUseIsSoundAtEveryMoment) {
  open();
  std::mt19937 random(21);
  for (int i = 0; i < 10; ++i) {
    fill(random, 30);
    EXPECT_THAT(check(), IsEmpty());
  }
  clock.advance(30h);
  compact();
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_GT(parts, 100u);
  EXPECT_FALSE(years().empty());
}

TEST_F(CheckTest, EverythingIsLookedAt) {
  store();
  EXPECT_THAT(check(), IsEmpty());
  EXPECT_EQ(parts, 4u + 2 * 2 * 2 + 2 * 2) << "batches, chunks, days of series";
  EXPECT_EQ(samples, 3u * 4000);
}

TEST_F(CheckTest, ADamagedLogIsToldPartByPart) {
  const std::pair<std::string, std::string> cases[] = {
      {"UPDATE batch SET data = x'0102' WHERE seq = 2", "batch 2: 1000 samples: "},
      {"DELETE FROM batch WHERE seq = 3", "batch 3: is missing"},
      {"DELETE FROM batch WHERE seq IN (2, 3)", "batches 2 to 3: are missing"},
      {"UPDATE batch SET samples = 999 WHERE seq = 4", "batch 4: it holds 1000 samples and says 999"},
      {"UPDATE batch SET samples_before = 7 WHERE seq = 4",
       "batch 4: it counts 7 samples before it, and there are 3000"},
      {"UPDATE batch SET first_time = 7 WHERE seq = 1", "batch 1: its samples are of other times than it says"},
      {"UPDATE batch SET committed = 7 WHERE seq = 2", "batch 2: it was committed before the one before it"},
      {"UPDATE batch SET alerts = alerts || ' ' WHERE seq = 2",
       "batch 2: the checksum of its alert records does not fit"},
      {"UPDATE event SET json = json || ' ' WHERE id = 2; UPDATE meta SET value = value + 1 WHERE key = 'event_bytes'",
       "event 2: its checksum does not fit"},
      {"UPDATE event SET seq = 3 WHERE id = 2", "batch 2: it says 1 events, and there are 0"},
      {"UPDATE meta SET value = 5 WHERE key = 'event_bytes'", "events: they are "},
      {"UPDATE meta SET value = x'00' WHERE key = 'latest'", "newest samples: their checksum does not fit"},
      {"UPDATE cursor SET seq = 99", "cursor 'history': it is at batch 99, and the last is 4"},
      {"DELETE FROM series WHERE id = 3", "names: the series table is damaged at row 3"},
      {"UPDATE alert SET crc = 0", "alert 'hot:boiler1': its record is damaged"},
      {"INSERT INTO snapshot VALUES(2, x'0102')", "snapshot 2: "},
      {"DROP TABLE event", ""},
  };
  store();
  const std::string whole = test::read_file(log());
  for (const auto& [sql, told] : cases) {
    SCOPED_TRACE(sql);
    std::ofstream(log(), std::ios::binary) << whole;
    change(log(), sql);
    const auto found = check();
    EXPECT_THAT(found, ::testing::Contains(::testing::StartsWith("journal.db: " + told)));
  }
}

TEST_F(CheckTest, ADamagedDayIsToldPartByPart) {
  const std::pair<std::string, std::string> cases[] = {
      {"UPDATE chunk SET data = x'0102' WHERE key = (1 << 32 | 2)",
       "round 1, series 'boiler1/starts': 500 samples of 2026-03-01T10:00:00Z to 2026-03-01T10:00:49.900Z: "},
      {"UPDATE chunk SET samples = 400 WHERE key = (1 << 32 | 1)",
       "round 1, series 'boiler1/temperature': 400 samples of 2026-03-01T10:00:00Z to 2026-03-01T10:00:49.900Z: it "
       "holds "
       "500 samples and says 400"},
      {"DELETE FROM chunk WHERE key = (2 << 32 | 1)", "round 2: it says 1000 samples, and its chunks say 500"},
      {"UPDATE chunk SET first_time = 0 WHERE key = (1 << 32 | 1)",
       "round 1, series 'boiler1/temperature': 500 samples of 1970-01-01T00:00:00Z to 2026-03-01T10:00:49.900Z: its "
       "samples are of other times than it says"},
      {"UPDATE round SET samples = 3 WHERE id = 2", "round 2: it says 3 samples, and its chunks say 1000"},
      {"UPDATE round SET first_seq = 1 WHERE id = 2", "round 2: it begins at batch 1, which is in the round before it"},
      {"UPDATE round SET last_seq = 77 WHERE id = 2", "round 2: it ends with batch 77, and the log with 4"},
      {"UPDATE chunk SET key = (9 << 32 | 1) WHERE key = (1 << 32 | 1)",
       "round 1: it says 1000 samples, and its chunks say 500"},
      {"DELETE FROM series WHERE id = 2", "chunks: 2 can be reached by series and round, and there are 4"},
      {"UPDATE series SET unit = '°F' WHERE id = 1", "names: series 'boiler1/temperature' is not as it was written"},
      {"INSERT INTO label VALUES(1, 0, 'open', 7)",
       "names: a state of series 'boiler1/temperature' is not as it was written"},
      {"UPDATE minutes SET data = x'0102' WHERE series = 1", "minutes of series 'boiler1/temperature': "},
      {"UPDATE minutes SET data = (SELECT data FROM chunk WHERE 0) WHERE series = 9; UPDATE sealed SET round = 1",
       "minutes of series 'boiler1/temperature': they hold 1000 samples, and there are 500"},
  };
  store();
  const fs::path file = days().at(0).path;
  const std::string whole = test::read_file(file);
  for (const auto& [sql, told] : cases) {
    SCOPED_TRACE(sql);
    std::ofstream(file, std::ios::binary) << whole;
    change(file, sql);
    EXPECT_THAT(check(), ::testing::Contains(::testing::StartsWith("2026-03-01.db: " + told)));
  }
}

TEST_F(CheckTest, ADamagedYearIsToldPartByPart) {
  store();
  const fs::path file = years().at(0).path;
  const std::string whole = test::read_file(file);
  change(file, "UPDATE rolled SET hours = x'0102' WHERE key & 4294967295 = 2");
  EXPECT_EQ(check().size(), 2u);
  std::ofstream(file, std::ios::binary) << whole;
  change(file,
         "UPDATE rolled SET total = (SELECT b.total FROM rolled b WHERE b.key <> rolled.key ORDER BY b.key DESC "
         "LIMIT 1) WHERE key & 4294967295 = 1 AND key = (SELECT min(key) FROM rolled)");
  EXPECT_THAT(check(), ElementsAre("2026.rollup.db: 2026-03-01, series 'boiler1/temperature': it is of another day"));
  std::ofstream(file, std::ios::binary) << whole;
  change(file,
         "UPDATE rolled SET hours = (SELECT b.hours FROM rolled b ORDER BY b.key DESC LIMIT 1) WHERE key = (SELECT "
         "max(key) - 1 FROM rolled)");
  EXPECT_THAT(check(), ElementsAre("2026.rollup.db: 2026-03-02, series 'boiler1/temperature': its hours do not make up "
                                   "the day"));
}

TEST_F(CheckTest, AFileThatIsNoDatabaseIsOneDamage) {
  store();
  for (const fs::path& file : {log(), days().at(1).path, years().at(0).path}) {
    std::ofstream(file, std::ios::binary) << std::string(20'000, 'x');
  }
  EXPECT_THAT(check(), ElementsAre(::testing::HasSubstr("file is not a database"),
                                   ::testing::HasSubstr("file is not a database"),
                                   ::testing::HasSubstr("file is not a database")));
}

TEST_F(CheckTest, AFileThatACrashCaughtIsNeitherSoundNorDamaged) {
  store();
  const fs::path file = days().at(1).path;
  {
    auto connection = sql::Connection::open(file, sql::Connection::Access::write);
    ASSERT_TRUE(
        connection->run("PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=1; BEGIN; UPDATE chunk SET samples = 1; "
                        "UPDATE round SET samples = 1; CREATE TABLE x AS SELECT * FROM chunk"));
    for (const char* end : {"", "-journal"})
      fs::copy(file.string() + end, directory / ("caught.db" + std::string(end)));
  }
  for (const char* end : {"", "-journal"}) {
    fs::copy(directory / ("caught.db" + std::string(end)), file.string() + end, fs::copy_options::overwrite_existing);
  }
  EXPECT_THAT(check(), ElementsAre(::testing::HasSubstr("the gateway mends it when it starts")));
  open();
  journal.reset();
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(CheckTest, WhatItPassesIsWhatWasStored) {
  open();
  std::mt19937 random(5);
  fill(random, 60);
  clock.advance(30h);
  compact();
  fill(random, 20);
  journal.reset();
  test::TempDir original;
  fs::copy(directory.path(), original / "store", fs::copy_options::recursive);
  int damaged = 0;
  constexpr int kTrials = 150;
  for (int trial = 0; trial < kTrials; ++trial) {
    SCOPED_TRACE(trial);
    fs::copy(original / "store", directory.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    std::vector<fs::path> files{log()};
    for (const auto& day : days()) files.push_back(day.path);
    const fs::path& file = files[random() % files.size()];
    {
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(static_cast<std::streamoff>(random() % fs::file_size(file)));
      bytes.put(static_cast<char>(random()));
    }
    if (!check().empty()) {
      ++damaged;
      continue;
    }
    const auto opened = view();
    ASSERT_TRUE(opened);
    for (std::size_t place = 0; place < opened->series().size(); ++place) {
      const std::size_t known = which(opened->series()[place].name);
      if (known == names.size()) continue;  // names have no checksum of their own
      std::vector<Sample> found;
      Scan scan(*opened, {.series = {place}});
      for (auto portion = scan.next(); portion && !portion->samples.empty(); portion = scan.next()) {
        for (Sample one : portion->samples) {
          one.series = SeriesId{};
          found.push_back(one);
        }
      }
      EXPECT_EQ(difference(found, expected(known)), "") << opened->series()[place].name << ", " << file;
    }
  }
  EXPECT_GT(damaged, kTrials / 10);
}

}  // namespace
}  // namespace tidegate::journal
