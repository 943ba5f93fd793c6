#include "drivers/modbus/dial.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace tidegate::drivers::modbus {
namespace {

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

/// 0, or what went wrong; the socket connects without blocking.
int connect_by(int fd, const addrinfo& address, Deadline deadline) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wanted{fd, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, milliseconds_until(deadline));
  } while (ready == -1 && errno == EINTR);
  if (ready == -1) return errno;
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

const char* hint_of(int error) {
  if (error == ECONNREFUSED) return "; is Modbus switched on there, at this port?";
  return error == ETIMEDOUT || error == EHOSTUNREACH ? "; is it on, and is the address right?" : "";
}

}  // namespace

Result<int> dial(const std::string& host, int port, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0) {
    return fail(Errc::unavailable, "cannot find {}: {}", host, ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = ::socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) return fail(Errc::io, "cannot make a socket: {}", std::strerror(errno));
    error = connect_by(fd, *address, deadline);
    if (error == 0) {
      const int on = 1;  // a request is one small packet: it must not wait for the next
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    ::close(fd);
  }
  return fail(error == ETIMEDOUT ? Errc::timed_out : Errc::unavailable, "cannot connect to {}:{}: {}{}", host, port,
              std::strerror(error), hint_of(error));
}

}  // namespace tidegate::drivers::modbus
