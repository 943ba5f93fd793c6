#include "drivers/can/bus.h"

#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tidegate::drivers::can {
namespace {

// Both kinds of frame have the same head; those of remote requests carry nothing.
bool decode(const canfd_frame& from, std::size_t size, Frame& frame) {
  if (size != CAN_MTU && size != CANFD_MTU) return false;
  if ((from.can_id & CAN_RTR_FLAG) != 0) return false;
  frame.bus_off = (from.can_id & CAN_ERR_FLAG) != 0 && (from.can_id & CAN_ERR_BUSOFF) != 0;
  if ((from.can_id & CAN_ERR_FLAG) != 0) return frame.bus_off;
  frame.extended = (from.can_id & CAN_EFF_FLAG) != 0;
  frame.id = from.can_id & (frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK);
  frame.size = std::min<std::size_t>(from.len, size == CAN_MTU ? CAN_MAX_DLEN : CANFD_MAX_DLEN);
  std::copy_n(from.data, frame.size, frame.bytes.begin());
  return true;
}

}  // namespace

void Bus::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Status Bus::open() {
  close();
  const auto fd = open_();
  if (!fd) return fail(fd.error());
  fd_ = *fd;
  return {};
}

Status Bus::receive(Micros at_most, std::vector<Frame>& out) {
  constexpr std::size_t kMostAtOnce = 1024;
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>((at_most.count() + 999) / 1000)) <= 0) return {};
  while (out.size() < kMostAtOnce) {
    canfd_frame from{};
    const ssize_t size = ::recv(fd_, &from, sizeof from, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (size <= 0) return fail(Errc::io, "the bus is gone: {}", size < 0 ? std::strerror(errno) : "it was closed");
    Frame frame;
    if (decode(from, static_cast<std::size_t>(size), frame)) out.push_back(frame);
  }
  return {};
}

Bus::Open on_interface(std::string name) {
  return [name = std::move(name)]() -> Result<int> {
    const int fd = ::socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
    if (fd < 0) {
      return fail(Errc::unavailable,
                  "no CAN socket can be had: {} (under systemd: RestrictAddressFamilies, see README)",
                  std::strerror(errno));
    }
    const auto give_up = [&](const char* what) {
      const int error = errno;
      ::close(fd);
      return fail(Errc::unavailable, "{} {}: {}", what, name, std::strerror(error));
    };
    sockaddr_can address{};
    address.can_family = AF_CAN;
    address.can_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
    if (address.can_ifindex == 0) return give_up("there is no interface");
    const int on = 1;
    ::setsockopt(fd, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on);  // where the kernel knows them
    const can_err_mask_t errors = CAN_ERR_BUSOFF;
    ::setsockopt(fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return give_up("cannot listen on");
    return fd;
  };
}

}  // namespace tidegate::drivers::can
