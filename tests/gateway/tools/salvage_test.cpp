// What is damaged is made anew of what can be read, while nobody runs; what is whole is left alone.

#include <gmock/gmock.h>

#include <fstream>

#include "gateway/journal/lock.h"
#include "gateway/state/state.h"
#include "gateway/tools/files.h"
#include "gateway/tools/store.h"
#include "tests/gateway/journal/random_store.h"

namespace tidegate::tools {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class SalvageTest : public journal::RandomStore {
 protected:
  /// Two days of history, of which one is rolled up, and more in the log; closed.
  void store() {
    open();
    std::mt19937 random(17);
    fill(random, 60);
    clock.advance(std::chrono::hours(30));
    compact();
    fill(random, 30);
    journal.reset();
    const auto state = state::State::open(directory.path(), clock);
    ASSERT_TRUE(state);
    ASSERT_TRUE((*state)->adopt({{"tidegate.yaml", "a: 1"}}, "started"));
  }
  Result<int> salvage() { return store_salvage({directory.path(), clock.now(), {}}); }
  std::vector<StoreFile> all_files() { return store_files(directory.path()).value(); }
  std::vector<std::string> damages() {
    std::vector<std::string> found;
    for (const StoreFile& file : all_files()) {
      const auto checked = file.check({[&](const journal::Damage& damage) {
                                         if (!damage.missing) found.push_back(in_words(damage, directory.path()));
                                       },
                                       [](std::uint64_t) {},
                                       {}});
      if (!checked) found.push_back(checked.error().text);
    }
    return found;
  }
  std::vector<fs::path> files() {
    std::vector<fs::path> found;
    for (const StoreFile& file : all_files()) found.push_back(file.path);
    return found;
  }
  static bool is_set_aside(const fs::path& file) {
    for (const auto& entry : fs::directory_iterator(file.parent_path())) {
      if (entry.path().string().starts_with(file.string() + ".corrupt-")) return true;
    }
    return false;
  }
};

TEST_F(SalvageTest, ASoundStoreIsLeftAlone) {
  store();
  std::vector<std::string> before;
  for (const fs::path& file : files()) before.push_back(test::read_file(file));
  ASSERT_GE(before.size(), 5u) << "the log, days, a year, the state";
  EXPECT_EQ(salvage().value_or(-1), kDone);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(test::read_file(files()[i]) == before[i]) << files()[i];
}

TEST_F(SalvageTest, EachKindOfFileIsMendedAndKept) {
  store();
  const auto all_of_them = files();
  for (const fs::path& file : all_of_them) {
    SCOPED_TRACE(file);
    {
      std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(static_cast<std::streamoff>(fs::file_size(file) / 4));
      bytes << std::string(fs::file_size(file) / 2, '\x5a');
    }
    EXPECT_THAT(damages(), testing::Not(IsEmpty()));
    EXPECT_EQ(salvage().value_or(-1), kDamaged);
    EXPECT_THAT(damages(), IsEmpty());
    EXPECT_TRUE(is_set_aside(file));
    EXPECT_EQ(salvage().value_or(-1), kDone) << "once is enough";
  }
  open();
  EXPECT_THAT(journal->notices(), IsEmpty());
}

TEST_F(SalvageTest, ACommitThatWasCutOffIsTakenBack) {
  store();
  const fs::path day = files().at(1);
  {
    auto connection = journal::sql::Connection::open(day, journal::sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(connection->run(
        "PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=1; BEGIN; UPDATE chunk SET samples = 1; UPDATE round SET "
        "samples = 1; CREATE TABLE x AS SELECT * FROM chunk"));
    for (const char* end : {"", "-journal"}) fs::copy(day.string() + end, directory / ("caught" + std::string(end)));
  }
  for (const char* end : {"", "-journal"}) {
    fs::copy(directory / ("caught" + std::string(end)), day.string() + end, fs::copy_options::overwrite_existing);
  }
  EXPECT_THAT(damages(), testing::ElementsAre(HasSubstr("was being written")));
  EXPECT_EQ(salvage().value_or(-1), kDone);
  EXPECT_THAT(damages(), IsEmpty());
}

TEST_F(SalvageTest, WaitsForNoGatewayThatRuns) {
  store();
  const auto running = journal::DirectoryLock::take(directory.path());
  ASSERT_TRUE(running);
  const auto refused = salvage();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
}

}  // namespace
}  // namespace tidegate::tools
