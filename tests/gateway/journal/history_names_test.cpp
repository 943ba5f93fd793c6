// The names that a history file keeps: damage to them is found, costs no sample where the name is still to be had, and
// makes none up.

#include <gmock/gmock.h>

#include <fstream>

#include "gateway/journal/history/names.h"
#include "gateway/journal/history/repair.h"
#include "gateway/journal/history/rewrite.h"
#include "tests/gateway/journal/history_support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class HistoryNamesTest : public CompactionTest {
 protected:
  /// Some hours of a number and of a state, of a day that is over.
  void fill() {
    open();
    flow = series("pump1/flow");
    mode = *journal->catalogue().intern("pump1/mode", info("", SeriesKind::state));
    for (const char* text : {"idle", "running"}) ASSERT_TRUE(journal->catalogue().label(mode, text));
    for (int i = 0; i < 600; ++i) {
      keep({sample(flow, i), sample(mode, i % 2)});
      clock.advance(10s);
    }
    compact();
  }
  fs::path day() const { return history::day_files(directory.path() / "history").at(0).path; }

  /// Other bytes in the one place where `what` stands.
  void damage(const std::string& what, const std::string& to) const {
    std::string bytes = test::read_file(day());
    const auto at = bytes.find(what);
    ASSERT_NE(at, bytes.npos);
    ASSERT_EQ(bytes.find(what, at + 1), bytes.npos);
    ASSERT_EQ(what.size(), to.size());
    std::ofstream(day(), std::ios::binary) << bytes.replace(at, to.size(), to);
  }
  void change(const char* sql) const {
    auto file = sql::Connection::open(day(), sql::Connection::Access::write);
    ASSERT_TRUE(file);
    const Status status = file->run(sql);
    ASSERT_TRUE(status) << status.error().text;
  }
  /// "number: text" of each row.
  std::vector<std::pair<std::int64_t, std::string>> ask(const char* sql) const {
    auto file = sql::Connection::open(day(), sql::Connection::Access::read);
    EXPECT_TRUE(file);
    auto rows = file->prepare(sql);
    EXPECT_TRUE(rows) << rows.error().text;
    std::vector<std::pair<std::int64_t, std::string>> found;
    while (rows && rows->step().value_or(false)) found.emplace_back(rows->integer(0), rows->text(1));
    return found;
  }
  SeriesId flow{}, mode{};
};

TEST_F(HistoryNamesTest, ANameThatIsDamagedIsNoOtherSeries) {
  fill();
  change("UPDATE round SET epoch = 'another'");  // so that the view takes its names from it
  EXPECT_TRUE(view()->find("pump1/flow"));
  damage("pump1/flow°C", "pump1/flaw°C");
  EXPECT_FALSE(view()->find("pump1/flaw"));
  for (const SeriesId id : {flow, mode}) {
    EXPECT_EQ(stored(id, all.front().time, clock.now()), expected(id, all.front().time, clock.now()));
  }
  EXPECT_THAT(history::find_damaged(directory.path() / "history"), SizeIs(1));
  const auto told = history::repair(day(), "its names", clock.now(), {});
  ASSERT_TRUE(told) << told.error().text;
  EXPECT_THAT(*told, HasSubstr("0 samples are lost, 1200 samples were saved (of 1 names not all could be read)"));
  EXPECT_EQ(stored(flow, all.front().time, clock.now()), expected(flow, all.front().time, clock.now()))
      << "the index has the name too";
}

TEST_F(HistoryNamesTest, AUnitThatIsDamagedIsNoUnit) {
  fill();
  damage("pump1/flow°C", "pump1/flow°F");
  EXPECT_THAT(history::find_damaged(directory.path() / "history"),
              ElementsAre(Pair(day(), HasSubstr("not as it was"))));
  ASSERT_TRUE(history::repair(day(), "its names", clock.now(), {}));
  EXPECT_THAT(ask("SELECT id, name || ' ' || unit FROM series"),
              ElementsAre(Pair(1, "pump1/flow "), Pair(2, "pump1/mode ")));
  EXPECT_THAT(history::find_damaged(directory.path() / "history"), IsEmpty());
  EXPECT_EQ(stored(flow, all.front().time, clock.now()), expected(flow, all.front().time, clock.now()));
}

TEST_F(HistoryNamesTest, AStateThatIsDamagedIsNoOtherState) {
  fill();
  damage("running", "ruining");
  EXPECT_THAT(history::find_damaged(directory.path() / "history"),
              ElementsAre(Pair(day(), HasSubstr("not as it was"))));
  const auto told = history::repair(day(), "its names", clock.now(), {});
  ASSERT_TRUE(told) << told.error().text;
  EXPECT_THAT(*told, HasSubstr("0 samples are lost, 1200 samples were saved (of 1 names"));
  EXPECT_THAT(ask("SELECT code, text FROM label"), ElementsAre(Pair(0, "idle"), Pair(1, "lost 1")));
  EXPECT_EQ(stored(mode, all.front().time, clock.now()), expected(mode, all.front().time, clock.now()));
  keep({sample(mode, 1)});
  compact();
  EXPECT_THAT(ask("SELECT code, text FROM label"), ElementsAre(Pair(0, "idle"), Pair(1, "running")))
      << "a round that has the series says it again";
}

/// Of a file with rounds of another journal the states' codes are the file's own.
TEST_F(HistoryNamesTest, OneDamagedNameGivesNoOtherSeriesAnotherMeaning) {
  fill();
  change(
      "UPDATE round SET epoch = 'another';"
      "UPDATE label SET text = CASE code WHEN 0 THEN 'running' ELSE 'idle' END, crc = NULL");
  const auto is_turned = [this](const std::vector<Sample>& found) {
    return found.size() == 600 && std::all_of(found.begin(), found.end(), [this](const Sample& one) {
             return one.value == 1 - expected(mode, one.time, one.time + 1us).front().value;
           });
  };
  EXPECT_TRUE(is_turned(stored(mode, all.front().time, clock.now())));
  damage("pump1/flow°C", "pump1/flow°F");
  EXPECT_TRUE(is_turned(stored(mode, all.front().time, clock.now()))) << "the damage is another series'";
  change("UPDATE label SET crc = 7 WHERE code = 0");
  EXPECT_TRUE(stored(mode, all.front().time, clock.now()).empty()) << "what its codes meant nobody knows";
}

TEST_F(HistoryNamesTest, AYearWithADamagedUnitGoesOnAnswering) {
  fill();
  clock.advance(48h);
  compact();
  const auto year = history::year_files(directory.path() / "history").at(0).path;
  const std::vector<SeriesId> one{flow};
  const auto before = journal->history(one, all.front().time - 24h, clock.now(), 3);
  ASSERT_TRUE(before);
  auto file = sql::Connection::open(year, sql::Connection::Access::write);
  ASSERT_TRUE(file->run("UPDATE series SET unit = '°F'"));
  const auto after = journal->history(one, all.front().time - 24h, clock.now(), 3);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->at(0).buckets.size(), before->at(0).buckets.size());
  compact();
  EXPECT_TRUE(fs::exists(year));
  EXPECT_EQ(metric("history/damaged_files"), 0) << "the days that it is made of may be gone";
}

TEST_F(HistoryNamesTest, AFileWithADamagedNameIsNotMadeThinner) {
  fill();
  damage("pump1/flow°C", "pump1/flow°F");
  const fs::path thinner = directory.path() / "thinner.db";
  const auto done = history::thin_day(day(), thinner, 10, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_FALSE(fs::exists(thinner));
}

TEST_F(HistoryNamesTest, AFileOfFormat1IsReadAndWrittenOn) {
  fill();
  change("ALTER TABLE series DROP COLUMN crc; ALTER TABLE label DROP COLUMN crc; PRAGMA user_version=1");
  EXPECT_EQ(stored(flow, all.front().time, clock.now()), expected(flow, all.front().time, clock.now()));
  EXPECT_THAT(history::find_damaged(directory.path() / "history"), IsEmpty());
  const SeriesId level = series("tank1/level");
  keep({sample(level, 1), sample(flow, 2)});
  compact();
  EXPECT_THAT(ask("PRAGMA user_version"), ElementsAre(Pair(2, "")));
  EXPECT_THAT(ask("SELECT crc IS NULL, name FROM series"),
              ElementsAre(Pair(1, "pump1/flow"), Pair(1, "pump1/mode"), Pair(0, "tank1/level")));
  for (const SeriesId id : {flow, mode, level}) {
    EXPECT_EQ(stored(id, all.front().time, clock.now()), expected(id, all.front().time, clock.now()));
  }
  damage("tank1/level°C", "tank1/level°F");
  EXPECT_THAT(history::find_damaged(directory.path() / "history"),
              ElementsAre(Pair(day(), HasSubstr("not as it was"))));
}

}  // namespace
}  // namespace tidegate::journal
