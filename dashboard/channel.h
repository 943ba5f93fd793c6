#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "dashboard/fd.h"
#include "dashboard/tls.h"

namespace tidegate::dashboard {

/// The bytes of one connection over its non-blocking socket, plain or by TLS. The handshake is part of reading and
/// writing. Used by one thread at a time; it may be handed on to another between two calls.
class Channel {
 public:
  /// As much as one TLS record holds, so that what is read leaves nothing behind of which epoll does not tell.
  using Buffer = std::array<char, 16'384>;

  Channel() = default;
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  /// By TLS, if that is what the peer begins with; else it has strayed. Its first byte tells.
  Channel(Fd socket, std::shared_ptr<const Tls> tls) : socket_(std::move(socket)), expected_(std::move(tls)) {}

  /// How many bytes came: none where it has to wait; nothing at all where the peer is done, or gone.
  std::optional<std::size_t> read(Buffer& into);
  /// How many of these bytes went, from their beginning; likewise. What it had to wait with is to be offered again,
  /// with more behind it if there is more.
  std::optional<std::size_t> write(std::span<const iovec> parts);
  std::optional<std::size_t> write(std::string_view bytes);
  /// What epoll is to watch for where the last call has to wait: seldom what one would think.
  std::uint32_t waits_for() const { return waits_for_; }
  /// Tells the peer that nothing follows. What it sends may still be read.
  void finish();

  int fd() const { return socket_.get(); }
  int local_port() const;
  bool secure() const { return session_ != nullptr; }
  /// The peer speaks plainly where TLS is spoken. Known once something was read.
  bool strayed() const { return strayed_; }

 private:
  bool recognize();
  std::optional<std::size_t> read_plain(Buffer& into);
  std::optional<std::size_t> write_plain(std::span<const iovec> parts);
  std::optional<std::size_t> came_of(int result);
  std::optional<std::size_t> wait(std::uint32_t events);
  std::optional<std::size_t> wait_unless_over(std::uint32_t events);

  Fd socket_;
  std::shared_ptr<const Tls> expected_;  ///< until the first byte
  Tls::Session session_;
  bool strayed_ = false;
  bool is_over_ = false;  ///< by an error, after which nothing more is said
  std::uint32_t waits_for_ = 0;
};

}  // namespace tidegate::dashboard
