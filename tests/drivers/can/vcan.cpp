#include "tests/drivers/can/vcan.h"

#include <fcntl.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/support/process.h"

namespace tidegate::drivers::can {
namespace {

constexpr const char* kName = "vcan0";

test::Finished link(std::vector<std::string> words) {
  words.insert(words.begin(), {"ip", "link"});
  return test::run(std::move(words));
}

void change(std::vector<std::string> words) {
  const test::Finished changed = link(std::move(words));
  if (changed.status != 0) throw std::runtime_error(changed.output);
}

bool has_sockets() {
  const int fd = ::socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

template <class Frame>
bool send_as(int fd, canid_t id, const std::vector<std::uint8_t>& data) {
  Frame frame{};
  frame.can_id = id;
  frame.len = static_cast<std::uint8_t>(data.size());
  std::copy(data.begin(), data.end(), frame.data);
  return ::write(fd, &frame, sizeof frame) == static_cast<ssize_t>(sizeof frame);
}

}  // namespace

Vcan::Vcan() : lacks_(prepare()) {}

Vcan::~Vcan() {
  // With the last that is in it the network goes, and the interface with it.
  if (former_ < 0) return;
  ::setns(former_, CLONE_NEWNET);
  ::close(former_);
}

// Where they are modules, the kernel loads them as they are asked for.
std::string Vcan::prepare() {
  if (::geteuid() != 0) return "not root: no network with a CAN interface of its own can be made";
  if (!has_sockets()) return std::string("the kernel has no CAN sockets (modprobe can_raw): ") + std::strerror(errno);
  const int former = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (former < 0) return std::string("/proc/thread-self/ns/net: ") + std::strerror(errno);
  if (::unshare(CLONE_NEWNET) != 0) {
    const int error = errno;
    ::close(former);
    return std::string("no network of its own can be made: ") + std::strerror(error);
  }
  former_ = former;
  try {
    add();
  } catch (const std::runtime_error& error) {
    return std::string("no virtual CAN interface can be made (modprobe vcan): ") + error.what();
  }
  return "";
}

void Vcan::add() {
  change({"add", "dev", kName, "type", "vcan"});
  link({"set", "dev", kName, "mtu", std::to_string(CANFD_MTU)});
  set_up(true);
}

void Vcan::remove() { change({"delete", "dev", kName}); }

void Vcan::set_up(bool up) { change({"set", "dev", kName, up ? "up" : "down"}); }

// By ip, which asks the kernel: /sys shows another network's.
bool Vcan::takes_fd() const {
  return link({"show", "dev", kName}).output.find("mtu " + std::to_string(CANFD_MTU)) != std::string::npos;
}

Sender::Sender() : fd_(::socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW)) {
  sockaddr_can address{};
  address.can_family = AF_CAN;
  address.can_ifindex = static_cast<int>(::if_nametoindex(kName));
  const int on = 1;
  ::setsockopt(fd_, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on);
  if (address.can_ifindex == 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error(std::string("no sender on vcan0: ") + std::strerror(errno));
}

Sender::~Sender() { ::close(fd_); }

bool Sender::send(canid_t id, const std::vector<std::uint8_t>& data) const { return send_as<can_frame>(fd_, id, data); }

bool Sender::send_fd(canid_t id, const std::vector<std::uint8_t>& data) const {
  return send_as<canfd_frame>(fd_, id, data);
}

}  // namespace tidegate::drivers::can
