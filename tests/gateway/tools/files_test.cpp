#include "gateway/tools/files.h"

#include <gmock/gmock.h>

#include "gateway/tools/progress.h"
#include "gateway/tools/samples.h"
#include "tests/support/temp_dir.h"

namespace tidegate::tools {
namespace {

using namespace std::chrono_literals;

TEST(StoreFiles, TheLogFirstThenDaysThenYears) {
  const test::TempDir store;
  std::filesystem::create_directory(store / "history");
  for (const char* name : {"history/2026.rollup.db", "history/2026-03-02.db", "history/2026-03-01.2.db",
                           "history/2026-03-01.db", "history/2026-03-01.db.corrupt-20260302T000000Z", "journal.db"}) {
    store.write(name, "");
  }
  const auto files = store_files(store.path());
  ASSERT_TRUE(files);
  std::vector<std::string> names;
  for (const StoreFile& file : *files) names.push_back(file.path.filename().string());
  EXPECT_THAT(
      names, testing::ElementsAre("journal.db", "2026-03-01.db", "2026-03-01.2.db", "2026-03-02.db", "2026.rollup.db"));
}

TEST(StoreFiles, AFolderOfSomethingElseIsNone) {
  const test::TempDir store;
  const auto files = store_files(store.path());
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().text, testing::HasSubstr("--data names the gateway's storage.path"));
}

TEST(Range, IsAsPeopleWriteIt) {
  const Timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};
  const Range usual{now - 1h, now};
  EXPECT_EQ(parse_range("", "", now, usual)->from, now - 1h);
  EXPECT_EQ(parse_range("-2d", "", now, usual)->from, now - 48h);
  EXPECT_EQ(parse_range("2026-03-01 12:30", "-1h", now, usual)->from, now - 11h - 30min);
  EXPECT_EQ(parse_range("2026-03-01", "-1h", now, usual)->to, now - 1h);
  const auto nonsense = parse_range("yesterday", "", now, usual);
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().code, Errc::invalid);
  EXPECT_THAT(nonsense.error().text, testing::StartsWith("--from yesterday: "));
  EXPECT_THAT(parse_range("-1h", "-2h", now, usual).error().text, testing::HasSubstr("nothing lies between"));
}

TEST(Progress, FiguresAreForPeople) {
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(12'345'678), "12.3 MB");
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(counted(1, "file", "files"), "1 file");
  EXPECT_EQ(counted(1000, "file", "files"), "1,000 files");
}

}  // namespace
}  // namespace tidegate::tools
