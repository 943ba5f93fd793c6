// The socket in the file system: who may open it, what becomes of it, and that it is one more way to the same server.

#include "dashboard/doors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/dashboard/rig.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using tidegate::test::eventually;
namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 ? there.st_mode : 0;
}

TEST(Socket, IsForItsOwnerAloneAndGoesWithItsMaker) {
  const TempDir directory;
  const fs::path path = directory / "t.sock";
  {
    const auto made = SocketFile::listen(path);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(mode_of(path), S_IFSOCK | 0600);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(Socket, ReplacesOneThatACrashHasLeft) {
  const TempDir directory;
  const fs::path path = directory / "t.sock";
  {
    auto made = SocketFile::listen(path).value();
    made.take();  // closed; as in a crash, the file outlives it
    fs::create_hard_link(path, directory / "left.sock");
  }
  fs::rename(directory / "left.sock", path);
  EXPECT_THROW(RawConnection{path}, std::runtime_error);
  const auto made = SocketFile::listen(path);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_NO_THROW(RawConnection{path});
}

TEST(Socket, TakesNoPlaceThatIsNotItsOwn) {
  const TempDir directory;
  const fs::path file = directory.write("t.sock", "somebody's");
  const auto refused = SocketFile::listen(file);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_EQ(tidegate::test::read_file(file), "somebody's");
  EXPECT_THAT(SocketFile::listen(directory / "no/t.sock").error().text, HasSubstr("cannot be made: No such file"));
}

TEST(Socket, HasAPathThatTheKernelTakesOrSaysSo) {
  const TempDir directory;
  const std::size_t left = SocketFile::kLongestPath - directory.path().native().size() - 1;
  const fs::path longest = directory / std::string(left, 's');
  const auto made = SocketFile::listen(longest);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_NO_THROW(RawConnection{longest});
  const auto refused = SocketFile::listen(directory / std::string(left + 1, 's'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_THAT(refused.error().text, HasSubstr("has 108 bytes, and that of a socket may have 107"));
}

/// A server with both ways in.
class BothDoors : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }

  TempDir directory;
  const fs::path path = directory / "t.sock";
  Rig rig{{.socket = path}};
  HttpClient local{path};
};

TEST_F(BothDoors, LeadToTheSameServer) {
  EXPECT_EQ(rig.server().notice(), "");
  EXPECT_EQ(local.get("/healthz").status, 200);
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
  const auto a = rig.series("boiler1/temperature");
  rig.commit({reading(a, 20)});
  EXPECT_EQ(local.get("/api/v1/series").body, rig.http().get("/api/v1/series").body);
  RawConnection stream(path);
  stream.send("GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string body;
  EXPECT_TRUE(eventually([&] {
    stream.receive(body, std::chrono::milliseconds(100));
    return body.find("event: snapshot\n") != std::string::npos;
  }));
}

TEST_F(BothDoors, AreGuardedAlike) {
  for (const HttpClient& client : {local, rig.http()}) {
    EXPECT_EQ(client.get("/api/v1/state", {{"Host", "evil.example"}}).status, 421);
    EXPECT_EQ(
        client
            .post("/api/v1/alerts/ack", "{}", {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}})
            .status,
        403);
  }
}

TEST_F(BothDoors, TellWhoCame) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  ASSERT_EQ(local.post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})").status, 200);
  ASSERT_EQ(rig.http().post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})").status, 200);
  ASSERT_EQ(rig.gateway.wishes().size(), 2u);
  EXPECT_EQ(std::get<Acknowledge>(rig.gateway.wishes()[0]).who, "local");
  EXPECT_EQ(std::get<Acknowledge>(rig.gateway.wishes()[1]).who, "rig");
}

TEST_F(BothDoors, ByTheSocketOneSaysOnWhoseBehalf) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  const auto who = [&](const HttpClient& client, const std::string& name) {
    EXPECT_EQ(client
                  .post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})",
                        {{"Content-Type", "application/json"}, {"Tidegate-User", name}})
                  .status,
              200);
    return std::get<Acknowledge>(rig.gateway.wishes().back()).who;
  };
  EXPECT_EQ(who(local, "anna"), "anna");
  EXPECT_EQ(who(local, std::string(65, 'a')), "local");
  EXPECT_EQ(who(rig.http(), "anna"), "rig") << "by the port a token says it";
}

TEST_F(BothDoors, LeadToAReload) {
  EXPECT_EQ(rig.http().post("/api/v1/reload", "{}").status, 200);
  EXPECT_EQ(local.post("/api/v1/reload", "{}").body, "{\"text\":\"the configuration was reloaded\"}");
  EXPECT_EQ(local.post("/api/v1/reload", R"({"now": true})").status, 400);
  EXPECT_EQ(local.get("/api/v1/reload").status, 405);
  rig.gateway.set_reload(fail(Errc::invalid, "tidegate.yaml:1:1: no"));
  const auto refused = local.post("/api/v1/reload", "{}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("tidegate.yaml:1:1: no"));
}

TEST_F(BothDoors, CloseTogether) {
  ASSERT_TRUE(fs::exists(path));
  rig.stop();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(BothDoors, ACrowdAtOneDoesNotShutTheOther) {
  std::vector<RawConnection> crowd;
  for (int i = 0; i < 400; ++i) crowd.emplace_back(rig.port());  // 256 of one address may stay
  EXPECT_EQ(local.get("/healthz").status, 200);
}

TEST(Server, GoesOnWithoutItsSocketAndSaysWhy) {
  const TempDir directory;
  Rig rig{{.socket = directory / std::string(120, 's')}};
  rig.serve();
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
  EXPECT_THAT(rig.server().notice(), HasSubstr("that of a socket may have 107"));
}

}  // namespace
}  // namespace tidegate::dashboard::test
