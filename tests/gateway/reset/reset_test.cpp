#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/journal/lock.h"
#include "tests/gateway/reset/box.h"

namespace tidegate::reset {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

TEST_F(FactoryReset, WipesTheStorageFolderThenTheConfigurationAndNothingElse) {
  EXPECT_FALSE(pending(store, configuration));
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  EXPECT_TRUE(pending(store, configuration));
  const auto again = begin(store, configuration, Extent::all);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_TRUE(fs::exists(store / "journal.db")) << "nothing is wiped yet";
  const auto wiped = finish();
  ASSERT_TRUE(wiped) << wiped.error().text;
  expect_as_new();
  EXPECT_GT(wiped->bytes, 3'000'000u);
  EXPECT_THAT(wiped->notes, IsEmpty());
  EXPECT_EQ(fs::status(configuration).permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read)
      << "who could read it still can";
  const auto lock = journal::DirectoryLock::take(store);
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->left(), journal::DirectoryLock::Left::unknown) << "no journal is missed";
}

TEST_F(FactoryReset, LeavesTheConfigurationWhereItIsOfTheStorageAlone) {
  ASSERT_TRUE(begin(store, configuration, Extent::storage));
  ASSERT_TRUE(finish());
  EXPECT_FALSE(fs::exists(store / "journal.db"));
  EXPECT_EQ(test::read_file(configuration), "gateway: {name: canary}\n");
  EXPECT_TRUE(fs::exists(box / "etc/secrets.yaml"));
  EXPECT_FALSE(pending(store, configuration));
}

TEST_F(FactoryReset, OverwritesBeforeItRemoves) {
  const fs::path files[] = {store / "journal.db", store / "tls/key.pem", box / "etc/secrets.yaml", configuration};
  std::vector<int> opened;
  for (const fs::path& file : files) opened.push_back(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  ASSERT_TRUE(finish());
  for (const int file : opened) {
    std::vector<char> bytes(4'000'000);
    const ssize_t size = ::pread(file, bytes.data(), bytes.size(), 0);
    EXPECT_GT(size, 10);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    EXPECT_THAT(std::string(bytes.begin(), bytes.end()).find_first_not_of('\0'), std::string::npos);
    ::close(file);
  }
}

TEST_F(FactoryReset, AFileWithANameElsewhereIsSomebodyElsesToo) {
  fs::create_hard_link(store / "history/2026/day.tgh", box / "elsewhere/backup");
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  ASSERT_TRUE(finish());
  EXPECT_EQ(test::read_file(box / "elsewhere/backup"), "canary of a day");
}

/// A process that ends after so many steps of it.
bool ends_after(int steps, const fs::path& store, const fs::path& configuration) {
  const pid_t child = ::fork();
  if (child == 0) {
    int left = steps;
    const auto wiped = finish(store, configuration, [&left] {
      if (left-- == 0) ::_exit(1);
      return true;
    });
    ::_exit(wiped ? 0 : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 2);
  return WEXITSTATUS(status) == 1;
}

TEST_F(FactoryReset, IsFinishedWhereverItWasCutOff) {
  int steps = 0;
  for (bool cut = true; cut && steps < 100; ++steps) {
    SCOPED_TRACE(steps);
    write("store/journal.db", std::string(3'000'000, 'j'));
    write("store/state.db", "canary");
    write("etc/tidegate.yaml", "gateway: {name: canary}\n");
    write("etc/secrets.yaml", "password: canary\n");
    write("etc/conf.d/more.yaml", "sources: []\n");
    ASSERT_TRUE(begin(store, configuration, Extent::all));
    cut = ends_after(steps, store, configuration);
    EXPECT_FALSE(!cut && pending(store, configuration));
    ASSERT_TRUE(finish());
    expect_as_new();
  }
  EXPECT_GT(steps, 10);
}

TEST_F(FactoryReset, WaitsForWhoHasTheFolder) {
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  {
    const auto lock = journal::DirectoryLock::take(store);
    const auto refused = finish();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_TRUE(fs::exists(store / "journal.db"));
  }
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, TellsWhatItMayNotRemoveWipesTheRestAndStaysPending) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  AsNobody::give(box.path());
  for (const auto& entry : fs::recursive_directory_iterator(store)) AsNobody::give(entry.path());
  AsNobody::give(store);
  write("store/roots/file", "root's");
  {
    const AsNobody user;
    ASSERT_TRUE(begin(store, configuration, Extent::all));
    const auto refused = finish();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io);
    EXPECT_THAT(refused.error().text, HasSubstr("store/roots/file cannot be removed: Permission denied"));
    EXPECT_THAT(refused.error().text, HasSubstr("sudo tidegate factory-reset --finish"));
    EXPECT_FALSE(fs::exists(store / "journal.db")) << "what can be removed is";
  }
  EXPECT_TRUE(pending(store, configuration));
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, WhoMayNotTouchTheConfigurationLeavesThatToRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  AsNobody::give(box.path());
  for (const auto& entry : fs::recursive_directory_iterator(store)) AsNobody::give(entry.path());
  AsNobody::give(store);
  {
    const AsNobody user;
    ASSERT_TRUE(begin(store, configuration, Extent::all));
    const auto refused = finish();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr("etc/factory-reset cannot be written: Permission denied"));
    EXPECT_FALSE(fs::exists(store / "journal.db"));
    EXPECT_TRUE(begun(store));
  }
  ASSERT_TRUE(finish());
  expect_as_new();
}

}  // namespace
}  // namespace tidegate::reset
