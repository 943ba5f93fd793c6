#include "dashboard/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <limits>

#include "dashboard/doors.h"

namespace tidegate::dashboard {
namespace {

constexpr char kHandshake = 0x16;  // the type of a TLS record; no HTTP method begins so

}  // namespace

/// False where nothing has come yet, or nothing ever will (errno tells).
bool Channel::recognize() {
  char first = 0;
  const auto got = ::recv(socket_.get(), &first, 1, MSG_PEEK);
  if (got == 0) errno = ECONNRESET;
  if (got <= 0) return false;
  const auto tls = std::exchange(expected_, nullptr);
  if (first == kHandshake) {
    session_ = tls->accept(socket_.get());
    errno = ENOMEM;
    return session_ != nullptr;
  }
  strayed_ = true;
  return true;
}

std::optional<std::size_t> Channel::read(Buffer& into) {
  if (expected_ && !recognize()) return wait_unless_over(EPOLLIN);
  if (!session_) return read_plain(into);
  ERR_clear_error();
  return came_of(SSL_read(session_.get(), into.data(), static_cast<int>(into.size())));
}

std::optional<std::size_t> Channel::write(std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  return write({&part, 1});
}

// A record a call: OpenSSL has one buffer, and what of it did not go is gone on with by the next call.
std::optional<std::size_t> Channel::write(std::span<const iovec> parts) {
  if (!session_) return write_plain(parts);
  for (const iovec& part : parts) {
    if (part.iov_len == 0) continue;
    constexpr std::size_t kMost = std::numeric_limits<int>::max();
    ERR_clear_error();
    return came_of(SSL_write(session_.get(), part.iov_base, static_cast<int>(std::min(part.iov_len, kMost))));
  }
  return 0;
}

std::optional<std::size_t> Channel::read_plain(Buffer& into) {
  const auto got = ::recv(socket_.get(), into.data(), into.size(), 0);
  if (got > 0) return static_cast<std::size_t>(got);
  return got == 0 ? std::nullopt : wait_unless_over(EPOLLIN);
}

std::optional<std::size_t> Channel::write_plain(std::span<const iovec> parts) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  const auto sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  return sent >= 0 ? std::optional(static_cast<std::size_t>(sent)) : wait_unless_over(EPOLLOUT);
}

std::optional<std::size_t> Channel::wait_unless_over(std::uint32_t events) {
  if (errno != EAGAIN && errno != EINTR) return std::nullopt;
  return wait(events);
}

std::optional<std::size_t> Channel::wait(std::uint32_t events) {
  waits_for_ = events;
  return 0;
}

std::optional<std::size_t> Channel::came_of(int result) {
  if (result > 0) return static_cast<std::size_t>(result);
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return wait(EPOLLIN);
    case SSL_ERROR_WANT_WRITE:
      return wait(EPOLLOUT);
    case SSL_ERROR_ZERO_RETURN:
      return std::nullopt;
    default:
      is_over_ = true;
      return std::nullopt;
  }
}

void Channel::finish() {
  if (session_ && !is_over_) {
    ERR_clear_error();
    SSL_shutdown(session_.get());  // where it cannot be sent now the end of the connection has to do
  }
  ::shutdown(socket_.get(), SHUT_WR);
}

int Channel::local_port() const { return bound_port(socket_); }

}  // namespace tidegate::dashboard
