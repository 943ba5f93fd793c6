#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dashboard/channel.h"
#include "dashboard/fd.h"
#include "dashboard/tls_keeper.h"
#include "gateway/core/result.h"

namespace tidegate::dashboard {

/// A bound, listening socket: SO_REUSEADDR, never SO_REUSEPORT. Errc::conflict when the address is taken.
Result<Fd> listen_on(const std::string& address, int port);
/// The port of this end of a socket.
int bound_port(const Fd& socket);

/// A listening socket in the file system, by which programs of this machine reach the server without a port. Its mode
/// is 0600: who may open it is who the server runs as, and root.
class SocketFile {
 public:
  /// What the kernel takes.
  static constexpr std::size_t kLongestPath = 107;

  /// Binds and listens. A socket that is there already is replaced, as one that a crash has left: see to it that no
  /// other process listens at it. Errc::invalid where the path is too long, Errc::conflict where another file is there.
  static Result<SocketFile> listen(const std::filesystem::path& path);
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();  ///< removes the file

  /// The listening socket, for whoever accepts; once.
  Fd take() { return std::move(socket_); }

 private:
  SocketFile(Fd socket, std::filesystem::path path) : socket_(std::move(socket)), path_(std::move(path)) {}

  Fd socket_;
  std::filesystem::path path_;  ///< empty: nothing to remove
};

/// The address of who came by a socket in the file system.
inline constexpr std::string_view kLocal = "local";

struct Peer {
  std::string address;
  int port = 0;
  bool secure = false;  ///< by TLS
};

/// A listening socket, and what is spoken there.
struct Door {
  Fd socket;
  const TlsKeeper* tls = nullptr;  ///< outlives it; null: plain HTTP
};

/// Every listening socket of a server behind one descriptor, so that who accepts need not know how many there are.
class Doors {
 public:
  explicit Doors(std::vector<Door> doors);

  /// Readable while somebody waits at one of them.
  int fd() const { return waiting_.get(); }
  bool somebody_waits() const;

  struct Visitor {
    Channel channel;
    Peer peer;  ///< whether it is secure shows when it has said something
  };
  /// The next who waits, of each in turn; nothing where nobody does, or errno says why he cannot come in.
  std::optional<Visitor> accept();
  void close();

 private:
  std::vector<Door> doors_;
  Fd waiting_;
  std::size_t next_ = 0;
};

}  // namespace tidegate::dashboard
