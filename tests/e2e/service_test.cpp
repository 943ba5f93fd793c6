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

}  // namespace
}  // namespace tidegate::e2e
