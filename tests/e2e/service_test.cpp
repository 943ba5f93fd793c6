// What the program tells a service manager, read from the socket that systemd would listen on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using test::eventually;
using ::testing::HasSubstr;

/// The manager's end of NOTIFY_SOCKET.
class Manager {
 public:
  Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("no socket at " + path());
    }
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::string path() const { return directory_ / "notify"; }
  /// All that was said until now, a line each.
  const std::string& heard() {
    char text[4096];
    while (true) {
      const ssize_t size = ::recv(socket_, text, sizeof text, MSG_DONTWAIT);
      if (size <= 0) return heard_;
      heard_.append(text, static_cast<std::size_t>(size)).append("\n");
    }
  }
  bool hears(const std::string& line) {
    return eventually([&] { return heard().find(line) != std::string::npos; });
  }

 private:
  test::TempDir directory_;
  int socket_;
  std::string heard_;
};

TEST(Service, SaysWhenItIsAtWorkReadyAliveAndStopping) {
  Manager manager;
  test::GatewayProcess gateway(kProgram, "gateway: {name: service-test}\n", {{"NOTIFY_SOCKET", manager.path()}});
  gateway.start();
  ASSERT_TRUE(manager.hears("READY=1")) << manager.heard();
  EXPECT_LT(manager.heard().find("EXTEND_TIMEOUT_USEC="), manager.heard().find("READY=1"))
      << "a start that is at work is waited for";
  EXPECT_TRUE(manager.hears("WATCHDOG=1")) << manager.heard();
  EXPECT_TRUE(manager.hears("STATUS=")) << manager.heard();
  gateway.reload("gateway: {name: service-test}\n");
  EXPECT_TRUE(manager.hears("RELOADING=1")) << manager.heard();
  EXPECT_EQ(gateway.stop(), 0);
  EXPECT_TRUE(manager.hears("STOPPING=1")) << manager.heard();
}

TEST(Service, StaysOneWhileItTakesARestoredStore) {
  const std::string before = "gateway: {name: service-test}\n", after = before + "sources: [{name: me, type: self}]\n";
  Manager manager;
  test::GatewayProcess gateway(kProgram, before, {{"NOTIFY_SOCKET", manager.path()}});
  gateway.start();
  ASSERT_TRUE(manager.hears("READY=1"));
  const test::TempDir copies;
  ASSERT_EQ(tidegate({"backup", copies / "then", "--data", gateway.data()}).status, 0);
  gateway.reload(after);
  ASSERT_TRUE(gateway.process().wait_for_output("the configuration was reloaded"));
  wait_for_samples(gateway, 1);
  const std::size_t heard = manager.heard().size();
  const auto restored = tidegate({"restore", copies / "then", "--force", "--data", gateway.data()});
  ASSERT_EQ(restored.status, 0) << restored.output;
  ASSERT_TRUE(eventually([&] { return manager.heard().find("READY=1", heard) != std::string::npos; }));
  const std::string said = manager.heard().substr(heard);
  EXPECT_THAT(said, HasSubstr("RELOADING=1"));
  EXPECT_LT(said.find("RELOADING=1"), said.find("EXTEND_TIMEOUT_USEC=")) << "it is waited for";
  EXPECT_LT(said.find("EXTEND_TIMEOUT_USEC="), said.find("READY=1"));
  EXPECT_THAT(said, testing::Not(HasSubstr("STOPPING=1")));
  wait_for_samples(gateway, 1);
  EXPECT_EQ(tidegate({"config", "show", "2", "--data", gateway.data()}).output, "# tidegate.yaml\n" + after)
      << "as it was reloaded";
  EXPECT_EQ(gateway.stop(), 0);
}

}  // namespace
}  // namespace tidegate::e2e
