// A backup by HTTP: whole, one at a time, and none of it is left behind.

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/dashboard/rig.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using tidegate::test::eventually;
using tidegate::test::read_file;

class BackupByHttp : public testing::Test {
 protected:
  void SetUp() override {
    rig.gateway.backup_directory = directory.path();
    rig.serve();
  }
  /// The one that was asked for first has the turn, and whoever asks after it has not.
  bool is_under_way() const {
    return eventually([&] { return rig.gateway.backup_is_held.load(); }) &&
           rig.http().get("/api/v1/backup").status == 503;
  }
  bool left_behind() const { return std::filesystem::exists(directory / "made"); }

  TempDir directory;
  Rig rig{{.name = "Plant 3"}};
};

TEST_F(BackupByHttp, IsATarOfAllOfIt) {
  const auto answer = rig.http().get("/api/v1/backup");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.at("content-type"), "application/x-tar");
  EXPECT_EQ(answer.headers.at("content-length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.headers.at("content-disposition"),
            "attachment; filename=\"tidegate-Plant-3-2023-11-14T22-13-20Z.tar\"");
  EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  const auto tar = directory.write("b.tar", answer.body);
  const auto unpacked =
      tidegate::test::run({"tar", "-xvf", tar.string(), "-C", directory.path().string(), "--strip-components=1"});
  EXPECT_EQ(unpacked.status, 0) << unpacked.output;
  EXPECT_THAT(unpacked.output, HasSubstr("tidegate-Plant-3-2023-11-14T22-13-20Z/history/day.db"));
  EXPECT_EQ(read_file(directory / "backup.json"), "rig") << "by the name of who asked";
  EXPECT_EQ(read_file(directory / "history" / "day.db"), std::string(200'000, 'x'));
  EXPECT_TRUE(eventually([&] { return !left_behind(); }));
}

TEST_F(BackupByHttp, IsMadeOneAtATime) {
  rig.gateway.holds_backup = true;
  RawConnection first(rig.port(), 0, rig.by());
  first.send("GET /api/v1/backup HTTP/1.1\r\nHost: localhost\r\n" + rig.authorization() + "\r\n");
  ASSERT_TRUE(is_under_way());
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
  rig.gateway.holds_backup = false;
  EXPECT_THAT(first.receive_all(), testing::StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(eventually([&] { return rig.http().get("/api/v1/backup").status == 200; }));
}

TEST_F(BackupByHttp, IsGivenUpWhenNobodyWaitsForItAnyMore) {
  rig.gateway.holds_backup = true;
  {
    RawConnection gone(rig.port(), 0, rig.by());
    gone.send("GET /api/v1/backup HTTP/1.1\r\nHost: localhost\r\n" + rig.authorization() + "\r\n");
    ASSERT_TRUE(is_under_way());
  }
  rig.gateway.holds_backup = false;
  EXPECT_TRUE(eventually([&] { return rig.http().get("/api/v1/backup").status == 200; }));
}

TEST_F(BackupByHttp, EndsWithTheServer) {
  rig.gateway.holds_backup = true;
  RawConnection waits(rig.port(), 0, rig.by());
  waits.send("GET /api/v1/backup HTTP/1.1\r\nHost: localhost\r\n" + rig.authorization() + "\r\n");
  ASSERT_TRUE(is_under_way());
  rig.stop();
  EXPECT_FALSE(left_behind());
}

TEST_F(BackupByHttp, IsNotMadeForALookAtItsHead) {
  RawConnection head(rig.port(), 0, rig.by());
  head.send("HEAD /api/v1/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + rig.authorization() + "\r\n");
  EXPECT_THAT(head.receive_all(), testing::StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(rig.http().get("/api/v1/backup").status, 200) << "it is nobody's turn";
}

TEST(BackupWithoutRoom, IsAProblemThatSaysSo) {
  Rig rig;
  rig.serve();
  const auto answer = rig.http().get("/api/v1/backup");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("there is no room for a backup"));
}

}  // namespace
}  // namespace tidegate::dashboard::test
