#include "dashboard/doors.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace tidegate::dashboard {
namespace {

constexpr int kBacklog = 4096;

template <class T>
void set_option(int socket, int level, int option, T value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

Peer peer_of(const sockaddr_storage& address, socklen_t length) {
  if (address.ss_family == AF_UNIX) return {std::string(kLocal), 0};
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(), port.data(),
                    port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {"unknown", 0};
  }
  std::string text = host.data();
  constexpr std::string_view kMapped = "::ffff:";
  if (text.starts_with(kMapped)) text.erase(0, kMapped.size());
  return {std::move(text), std::atoi(port.data())};
}

tl::unexpected<Error> bind_failed(const std::string& address, int port, int error) {
  if (error == EADDRINUSE) {
    return fail(Errc::conflict,
                "http: {}:{} is in use by another program; stop that one, or choose another port with "
                "http.listen or --listen",
                address, port);
  }
  if (error == EACCES) {
    return fail(Errc::io, "http: {}:{} may not be bound by this user; choose a port above 1023", address, port);
  }
  return fail(Errc::io, "http: cannot listen on {}:{}: {}", address, port, std::strerror(error));
}

tl::unexpected<Error> no_socket(const std::filesystem::path& path, int error) {
  return fail(Errc::io, "{} cannot be made: {}", path.string(), std::strerror(error));
}

/// What a crash has left, and nothing else.
Status remove_old_socket(const std::filesystem::path& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return {};
  if (!S_ISSOCK(there.st_mode)) {
    return fail(Errc::conflict, "{} is in the way, and is no socket; move it away", path.string());
  }
  if (::unlink(path.c_str()) != 0) return no_socket(path, errno);
  return {};
}

}  // namespace

Result<Fd> listen_on(const std::string& address, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return fail(Errc::invalid, "http: '{}' is no address to listen on: {}", address, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  Fd socket(::socket(list->ai_family, list->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, list->ai_protocol));
  if (!socket) return bind_failed(address, port, errno);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (list->ai_family == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return bind_failed(address, port, errno);
  }
  return socket;
}

int bound_port(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return std::max(0, peer_of(address, length).port);
}

// Nobody is let in between bind() and chmod(): until it listens, the kernel refuses whoever comes.
Result<SocketFile> SocketFile::listen(const std::filesystem::path& path) {
  const std::string& name = path.native();
  if (name.size() > kLongestPath) {
    return fail(Errc::invalid, "{}: this path has {} bytes, and that of a socket may have {}", name, name.size(),
                kLongestPath);
  }
  if (Status free = remove_old_socket(path); !free) return fail(std::move(free.error()));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, kLongestPath);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return no_socket(path, errno);
  }
  SocketFile file(std::move(socket), path);
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(file.socket_.get(), kBacklog) != 0) {
    return no_socket(path, errno);
  }
  return file;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : socket_(std::move(other.socket_)), path_(std::exchange(other.path_, {})) {}

SocketFile::~SocketFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Doors::Doors(std::vector<Door> doors) : doors_(std::move(doors)), waiting_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (const Door& door : doors_) {
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(waiting_.get(), EPOLL_CTL_ADD, door.socket.get(), &event);
  }
}

std::optional<Doors::Visitor> Doors::accept() {
  constexpr unsigned kUnacknowledged = 10'000;  // ms: a peer that is gone, not slow
  for (std::size_t tried = 0; tried < doors_.size(); ++tried) {
    const Door& door = doors_[next_++ % doors_.size()];
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    Fd socket(
        ::accept4(door.socket.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE) break;
      continue;
    }
    if (address.ss_family != AF_UNIX) {
      set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
      set_option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledged);
    }
    Channel channel = door.tls != nullptr ? Channel(std::move(socket), door.tls->tls()) : Channel(std::move(socket));
    return Visitor{std::move(channel), peer_of(address, length)};
  }
  return std::nullopt;
}

bool Doors::somebody_waits() const {
  pollfd one{waiting_.get(), POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

void Doors::close() {
  doors_.clear();
  waiting_.reset();
}

}  // namespace tidegate::dashboard
