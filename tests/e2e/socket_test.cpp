// The socket by which the machine's own user reaches a gateway, through a crash, a second gateway and a stop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/e2e/fixture.h"
#include "tests/support/http_client.h"

namespace tidegate::e2e {
namespace {

using test::eventually;
using test::GatewayProcess;
using test::HttpClient;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::string_view kQuiet = "sources: [{name: plant, type: simulator, every: 100ms, faults: false}]\n";

fs::path socket_of(const GatewayProcess& gateway) { return gateway.data() / "tidegate.sock"; }

bool answers(const fs::path& socket) {
  try {
    return HttpClient(socket).get("/healthz").body == "ok\n";
  } catch (const std::runtime_error&) {
    return false;
  }
}

TEST(Socket, IsThereWhileTheGatewayIsAndOutlivesNoCrash) {
  GatewayProcess gateway(kProgram, kQuiet);
  gateway.start();
  const fs::path path = socket_of(gateway);
  struct stat there {};
  ASSERT_EQ(::lstat(path.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode, S_IFSOCK | 0600u);
  EXPECT_TRUE(answers(path));
  gateway.kill();
  ASSERT_TRUE(fs::exists(path)) << "a crash tidies nothing up";
  EXPECT_FALSE(answers(path));
  gateway.start();
  EXPECT_TRUE(answers(path));
  EXPECT_EQ(gateway.stop(), 0);
  EXPECT_FALSE(fs::exists(path));
}

/// The inodes of sockets that a process has open.
std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> inodes;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone);
    if (target.starts_with("socket:[")) inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}

/// The ports of the network on which it listens, or to which anybody may send.
std::multiset<int> open_ports(pid_t pid) {
  std::multiset<int> ports;
  const auto own = sockets_of(pid);
  for (const auto& [table, listens] :
       {std::pair("tcp", "0A"), std::pair("tcp6", "0A"), std::pair("udp", "07"), std::pair("udp6", "07")}) {
    std::ifstream lines("/proc/" + std::to_string(pid) + "/net/" + table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::vector<std::string> word(10);
      for (auto& one : word) words >> one;
      if (word[3] == listens && own.contains(word[9]))
        ports.insert(std::stoi(word[1].substr(word[1].find(':') + 1), nullptr, 16));
    }
  }
  return ports;
}

TEST(Socket, BesideItOnePortIsOpen) {
  GatewayProcess gateway(kProgram, kQuiet);
  gateway.start();
  EXPECT_THAT(open_ports(gateway.process().pid()), testing::ElementsAre(gateway.port()));
}

TEST(Socket, ComesBackWithARestoredStore) {
  GatewayProcess gateway(kProgram, kQuiet);
  gateway.start();
  const test::TempDir copies;
  ASSERT_EQ(tidegate({"backup", copies / "then", "--data", gateway.data()}).status, 0);
  const auto restored = tidegate({"restore", copies / "then", "--force", "--data", gateway.data()});
  ASSERT_EQ(restored.status, 0) << restored.output;
  EXPECT_TRUE(eventually([&] { return answers(socket_of(gateway)); }));
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Socket, HasTheGatewayReloadAndHearsWhatCameOfIt) {
  GatewayProcess gateway(kProgram, kQuiet);
  gateway.start();
  const HttpClient local(socket_of(gateway));
  gateway.directory().write("tidegate.yaml", "sources: [{name: me, type: self}]\n");
  EXPECT_EQ(local.post("/api/v1/reload", "{}").body, R"({"text":"the configuration was reloaded"})");
  EXPECT_EQ(get_json(gateway, "/api/v1/state")["sources"][0]["name"], "me");
  gateway.directory().write("tidegate.yaml", "sources: [{name: me, type: self}]\nsorces: []\nurls: 1\n");
  const auto refused = local.post("/api/v1/reload", "{}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(nlohmann::json::parse(refused.body).value("detail", ""),
              testing::ContainsRegex("tidegate.yaml:2:.*'sorces'.*\n.*tidegate.yaml:3:.*'urls'.*[^\n]$"));
  EXPECT_TRUE(gateway.process().wait_for_output("reload refused, nothing was changed"));
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Socket, IsNotTakenByASecondGateway) {
  GatewayProcess gateway(kProgram, kQuiet);
  gateway.start();
  const auto second = test::run({kProgram, "run", "--config", gateway.directory() / "tidegate.yaml", "--data",
                                 gateway.data(), "--listen", "127.0.0.1:" + std::to_string(test::free_port())});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, HasSubstr("is in use by process"));
  EXPECT_TRUE(answers(socket_of(gateway)));
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Socket, WhosePathIsTooLongIsGoneWithout) {
  const test::TempDir directory;
  const fs::path data = directory / std::string(100, 'd');
  const int port = test::free_port();
  test::Process gateway({kProgram, "run", "--config", directory.write("tidegate.yaml", kQuiet), "--data", data,
                         "--listen", "127.0.0.1:" + std::to_string(port)});
  ASSERT_TRUE(gateway.wait_for_output("that of a socket may have 107; the gateway goes on without it"))
      << gateway.output();
  ASSERT_TRUE(test::wait_for_port(port, std::chrono::seconds(20)));
  EXPECT_EQ(HttpClient(port).get("/healthz").body, "ok\n");
  EXPECT_EQ(gateway.terminate(), 0);
}

}  // namespace
}  // namespace tidegate::e2e
