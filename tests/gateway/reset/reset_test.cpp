#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/journal/lock.h"
#include "gateway/reset/configuration.h"
#include "gateway/reset/factory_reset.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::reset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

const auto kNothing = [] {};

/// While it lives, what is done is done by a user who owns next to nothing.
class AsNobody {
 public:
  static constexpr uid_t kNobody = 65'534;
  AsNobody() { EXPECT_EQ(::seteuid(kNobody), 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() { EXPECT_EQ(::seteuid(0), 0); }
  static void give(const fs::path& path) { EXPECT_EQ(::chown(path.c_str(), kNobody, kNobody), 0); }
};

/// A box: a storage folder, a configuration, and what is none of its business.
class FactoryReset : public testing::Test {
 protected:
  FactoryReset() {
    write("store/journal.db", std::string(3'000'000, 'j'));
    write("store/journal.lock", "1\nopen\n");
    write("store/history/2026/day.tgh", "canary of a day");
    write("store/tls/key.pem", "canary of a key");
    write("store/lost+found/of the file system", "");
    write("elsewhere/mine", "somebody's");
    fs::create_symlink(box / "elsewhere", store / "link");
    fs::create_symlink(box / "elsewhere/mine", store / "link-to-file");
    write("etc/tidegate.yaml", "gateway: {name: canary}\n");
    write("etc/secrets.yaml", "password: canary\n");
    write("etc/conf.d/more.yaml", "sources: []\n");
    write("etc/conf.d/readme.txt", "somebody's");
    write("etc/tests/a.test.yaml", "somebody's");
    fs::permissions(configuration, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((box / name).parent_path());
    box.write(name, text);
  }
  Result<Wiped> finish() const { return reset::finish(store, configuration, kNothing); }
  std::vector<std::string> names(const fs::path& folder) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      found.push_back(entry.path().lexically_relative(folder));
    }
    return found;
  }
  void expect_as_new() const {
    EXPECT_FALSE(pending(store, configuration));
    EXPECT_THAT(names(store), UnorderedElementsAre("journal.lock", "lost+found", "lost+found/of the file system"));
    EXPECT_THAT(names(box / "etc"),
                UnorderedElementsAre("tidegate.yaml", "conf.d", "conf.d/readme.txt", "tests", "tests/a.test.yaml"));
    EXPECT_EQ(test::read_file(configuration), test::read_file(TIDEGATE_PACKAGED));
    EXPECT_EQ(test::read_file(box / "elsewhere/mine"), "somebody's");
  }

  test::TempDir box;
  const fs::path store = box / "store", configuration = box / "etc/tidegate.yaml";
};

TEST_F(FactoryReset, WipesTheStorageFolderThenTheConfigurationAndNothingElse) {
  EXPECT_FALSE(pending(store, configuration));
  ASSERT_TRUE(begin(store, Extent::all));
  EXPECT_TRUE(pending(store, configuration));
  const auto again = begin(store, Extent::all);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_TRUE(fs::exists(store / "journal.db")) << "nothing is wiped yet";
  const auto wiped = finish();
  ASSERT_TRUE(wiped) << wiped.error().text;
  expect_as_new();
  EXPECT_GT(wiped->bytes, 3'000'000u);
  EXPECT_THAT(wiped->only_removed, IsEmpty());
  EXPECT_EQ(fs::status(configuration).permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read)
      << "who could read it still can";
  const auto lock = journal::DirectoryLock::take(store);
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->left(), journal::DirectoryLock::Left::unknown) << "no journal is missed";
}

TEST_F(FactoryReset, LeavesTheConfigurationWhereItIsOfTheStorageAlone) {
  ASSERT_TRUE(begin(store, Extent::storage));
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
  ASSERT_TRUE(begin(store, Extent::all));
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
  ASSERT_TRUE(begin(store, Extent::all));
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
    ASSERT_TRUE(begin(store, Extent::all));
    cut = ends_after(steps, store, configuration);
    EXPECT_FALSE(!cut && pending(store, configuration));
    ASSERT_TRUE(finish());
    expect_as_new();
  }
  EXPECT_GT(steps, 10);
}

TEST_F(FactoryReset, WaitsForWhoHasTheFolder) {
  ASSERT_TRUE(begin(store, Extent::all));
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
    ASSERT_TRUE(begin(store, Extent::all));
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
    ASSERT_TRUE(begin(store, Extent::all));
    const auto refused = finish();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr("etc/factory-reset cannot be written: Permission denied"));
    EXPECT_FALSE(fs::exists(store / "journal.db"));
    EXPECT_TRUE(begun(store));
  }
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST(FactoryResetOfNothing, IsRefusedWhereNothingCanBeWritten) {
  const auto refused = begin("/proc/self", Extent::all);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("nothing was wiped"));
}

}  // namespace
}  // namespace tidegate::reset
