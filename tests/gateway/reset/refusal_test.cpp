// What a factory reset must not wipe, follow or wait for, and what it must tell.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "tests/gateway/reset/box.h"

namespace tidegate::reset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

/// While it lives, the process has no more than so many further files open.
class FewFiles {
 public:
  explicit FewFiles(rlim_t more) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    const rlimit few{static_cast<rlim_t>(next) + more, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

TEST_F(FactoryReset, WipesOnlyTheStorageFolderOfAGateway) {
  write("home/letter.txt", "somebody's");
  for (const auto& [folder, why] :
       std::map<fs::path, std::string>{{box / "home", "is not the storage folder of a gateway"},
                                       {"/", "is not the"},
                                       {box / "none", "is no folder"}}) {
    const auto refused = begin(folder, configuration, Extent::all);
    ASSERT_FALSE(refused) << folder;
    EXPECT_THAT(refused.error().text, testing::AllOf(HasSubstr(why), HasSubstr("othing was wiped")));
  }
  EXPECT_THAT(names(box / "home"), ElementsAre("letter.txt"));
  fs::remove(store / "journal.db");
  EXPECT_TRUE(begin(store, configuration, Extent::all)) << "its lock is enough";
}

TEST_F(FactoryReset, TellsThatTheMarkerCannotBeWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  fs::permissions(box.path(), fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
  const AsNobody user;
  const auto refused = begin(store, configuration, Extent::all);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::io);
  EXPECT_THAT(refused.error().text, HasSubstr("factory-reset cannot be written: Permission denied; nothing was wiped"));
}

TEST_F(FactoryReset, TellsThatTheStorageFolderCannotBeLookedAt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  fs::permissions(box.path(), fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
  fs::permissions(store, fs::perms::owner_all);
  const AsNobody user;
  const auto refused = begin(store, configuration, Extent::all);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("store cannot be looked at: Permission denied; nothing was wiped"));
}

TEST_F(FactoryReset, RefusesAConfigurationThatLiesInTheStorageFolder) {
  write("store/etc/tidegate.yaml", "gateway: {name: canary}\n");
  fs::create_symlink(store / "etc", box / "link-to-etc");
  for (const fs::path& inside :
       {store / "tidegate.yaml", store / "etc/tidegate.yaml", box / "link-to-etc/tidegate.yaml"}) {
    const auto refused = begin(store, inside, Extent::storage);
    ASSERT_FALSE(refused) << inside;
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_THAT(refused.error().text, HasSubstr("move one of them"));
    ASSERT_TRUE(begin(store, configuration, Extent::storage));
    EXPECT_FALSE(reset::finish(store, inside, kNothing)) << "nor where it came there since";
    EXPECT_TRUE(fs::exists(store / "journal.db"));
    fs::remove(store / "factory-reset");
  }
  EXPECT_TRUE(begin(store, box / "tidegate.yaml", Extent::storage)) << "the other way round is usual";
}

TEST_F(FactoryReset, AMarkerThatIsNoFileIsNeitherFollowedNorWaitedFor) {
  const fs::path marker = store / "factory-reset";
  box.write("elsewhere/word", "storage");
  const auto refuses = [&](const char* why) {
    EXPECT_TRUE(pending(store, configuration));
    const auto refused = finish();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, testing::AllOf(HasSubstr(marker.string()), HasSubstr(why)));
    EXPECT_TRUE(fs::exists(store / "journal.db"));
    fs::remove(marker);
  };
  fs::create_symlink(box / "elsewhere/word", marker);
  refuses("symbolic link");
  fs::create_symlink(box / "nowhere", marker);
  refuses("symbolic link");
  ASSERT_EQ(::mkfifo(marker.c_str(), 0600), 0);
  refuses("is no file");
  fs::create_directory(marker);
  refuses("is no file");
}

TEST_F(FactoryReset, WhatStandsWhereTheMarkerIsWrittenIsNotWrittenTo) {
  const fs::path next = store / "factory-reset.new";
  fs::create_symlink(box / "elsewhere/mine", next);
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  EXPECT_EQ(test::read_file(box / "elsewhere/mine"), "somebody's");
  fs::remove(store / "factory-reset");
  fs::create_hard_link(box / "elsewhere/mine", next);
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  EXPECT_EQ(test::read_file(box / "elsewhere/mine"), "somebody's");
  fs::remove(store / "factory-reset");
  ASSERT_EQ(::mkfifo(next.c_str(), 0600), 0);
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, ALargeFileGoesOnWhereItWasCutOff) {
  const fs::path large = store / "large";
  write("store/large", std::string(60'000'000, 'l'));
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  std::uintmax_t size = fs::file_size(large);
  int cuts = 0;
  for (; fs::exists(large); ++cuts) {
    ASSERT_LT(cuts, 10) << "it begins again from nothing";
    int steps = 20;
    const auto wiped = reset::finish(store, configuration, [&] { return steps-- > 0; });
    if (wiped) break;
    EXPECT_EQ(wiped.error().code, Errc::stopped);
    EXPECT_TRUE(pending(store, configuration));
    if (!fs::exists(large)) continue;
    EXPECT_LE(fs::file_size(large), size);
    size = fs::file_size(large);
  }
  EXPECT_GT(cuts, 2);
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, WhatCannotBeLookedAtIsNoEmptyFolder) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "UndefinedBehaviorSanitizer takes a pipe for what it checks, and reports an error where it has none";
#endif
#endif
  write("store/deep/deeper/a", "canary");
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  {
    const FewFiles no_room_for(4);  // the lock, the folder and its list: none for a list of the next
    const auto refused = finish();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr("Too many open files"));
  }
  EXPECT_TRUE(pending(store, configuration));
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, WhatIsPutThereMeanwhileIsToldOf) {
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  int put = 0;
  const auto refused = reset::finish(store, configuration, [&] {
    if (fs::exists(store / "history/2026")) write("store/history/2026/late" + std::to_string(++put), "canary");
    return true;
  });
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("store/history/2026 cannot be removed: Directory not empty"));
  EXPECT_GT(put, 0);
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, AnotherFileSystemIsLeftAloneAndToldOf) {
  const fs::path mounted = store / "history/mounted";
  fs::create_directory(mounted);
  if (::mount("none", mounted.c_str(), "tmpfs", 0, "") != 0) GTEST_SKIP() << "nothing can be mounted here";
  write("store/history/mounted/mine", "somebody's");
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  const auto refused = finish();
  EXPECT_EQ(test::read_file(mounted / "mine"), "somebody's");
  EXPECT_EQ(::umount(mounted.c_str()), 0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("store/history/mounted cannot be removed, for another file system"));
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, OnlyTheFileSystemsOwnFolderIsKeptAndItIsEmptied) {
  write("store/history/lost+found/day", "canary");
  write("store/lost+found/#17/part", "canary");
  ASSERT_TRUE(begin(store, configuration, Extent::storage));
  ASSERT_TRUE(finish());
  EXPECT_THAT(names(store), UnorderedElementsAre("journal.lock", "lost+found"));
}

TEST_F(FactoryReset, FollowsNoLinkBesideTheConfiguration) {
  fs::remove_all(box / "etc/conf.d");
  write("elsewhere/parts/a.yaml", "somebody's");
  fs::create_directory_symlink(box / "elsewhere/parts", box / "etc/conf.d");
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  ASSERT_TRUE(finish());
  EXPECT_EQ(test::read_file(box / "elsewhere/parts/a.yaml"), "somebody's");
  EXPECT_THAT(names(box / "etc"), UnorderedElementsAre("tidegate.yaml", "tests", "tests/a.test.yaml"));
}

TEST_F(FactoryReset, AFileUnderTheNameOfTheOldConfigurationIsInTheWay) {
  write("etc/tidegate.yaml.reset", "somebody's");
  ASSERT_TRUE(begin(store, configuration, Extent::all));
  const auto refused = finish();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, HasSubstr("tidegate.yaml.reset cannot be made: File exists; move it away"));
  EXPECT_EQ(test::read_file(box / "etc/tidegate.yaml.reset"), "somebody's");
  fs::remove(box / "etc/tidegate.yaml.reset");
  fs::create_hard_link(configuration, box / "etc/tidegate.yaml.reset");  // as one that was cut off leaves it
  ASSERT_TRUE(finish());
  expect_as_new();
}

TEST_F(FactoryReset, ByRootTheLockIsOfWhomTheFolderIsAndNothingElseIsGivenAway) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  AsNobody::give(store);
  ASSERT_TRUE(begin(store, configuration, Extent::storage));
  ASSERT_TRUE(finish());
  struct stat lock {
  }, mine{};
  ASSERT_EQ(::stat((store / "journal.lock").c_str(), &lock), 0);
  EXPECT_EQ(lock.st_uid, AsNobody::kNobody);
  ASSERT_EQ(::stat((box / "elsewhere/mine").c_str(), &mine), 0);
  EXPECT_EQ(mine.st_uid, 0u);
}

}  // namespace
}  // namespace tidegate::reset
