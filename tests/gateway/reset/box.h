#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gateway/reset/factory_reset.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace tidegate::reset {

inline const auto kNothing = [] { return true; };

/// While it lives, what is done is done by a user who owns next to nothing.
class AsNobody {
 public:
  static constexpr uid_t kNobody = 65'534;
  AsNobody() { EXPECT_EQ(::seteuid(kNobody), 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() { EXPECT_EQ(::seteuid(0), 0); }
  static void give(const std::filesystem::path& path) { EXPECT_EQ(::chown(path.c_str(), kNobody, kNobody), 0); }
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
    std::filesystem::create_symlink(box / "elsewhere", store / "link");
    std::filesystem::create_symlink(box / "elsewhere/mine", store / "link-to-file");
    write("etc/tidegate.yaml", "gateway: {name: canary}\n");
    write("etc/secrets.yaml", "password: canary\n");
    write("etc/conf.d/more.yaml", "sources: []\n");
    write("etc/conf.d/readme.txt", "somebody's");
    write("etc/tests/a.test.yaml", "somebody's");
    std::filesystem::permissions(configuration, std::filesystem::perms::owner_read |
                                                    std::filesystem::perms::owner_write |
                                                    std::filesystem::perms::group_read);
  }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((box / name).parent_path());
    box.write(name, text);
  }
  Result<Wiped> finish() const { return reset::finish(store, configuration, kNothing); }
  std::vector<std::string> names(const std::filesystem::path& folder) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      found.push_back(entry.path().lexically_relative(folder));
    }
    return found;
  }
  void expect_as_new() const {
    EXPECT_FALSE(pending(store, configuration));
    EXPECT_THAT(names(store), testing::UnorderedElementsAre("journal.lock", "lost+found"));
    EXPECT_THAT(names(box / "etc"), testing::UnorderedElementsAre("tidegate.yaml", "conf.d", "conf.d/readme.txt",
                                                                  "tests", "tests/a.test.yaml"));
    EXPECT_EQ(test::read_file(configuration), test::read_file(TIDEGATE_PACKAGED));
    EXPECT_EQ(test::read_file(box / "elsewhere/mine"), "somebody's");
  }

  test::TempDir box;
  const std::filesystem::path store = box / "store", configuration = box / "etc/tidegate.yaml";
};

}  // namespace tidegate::reset
