#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace tidegate::test {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

/// The client's end, on a socket that blocks.
struct RawConnection::Session {
  explicit Session(int fd) : context(SSL_CTX_new(TLS_client_method())), ssl(SSL_new(context)) {
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);  // a ticket is no reason to wait for what follows
    SSL_set_fd(ssl, fd);
    good = SSL_connect(ssl) == 1;
  }
  ~Session() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  SSL_CTX* context;
  SSL* ssl;
  bool good = false;
};

RawConnection::RawConnection(int port, int receive_buffer, By by, const std::string& from)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (!from.empty() && (::inet_pton(AF_INET, from.c_str(), &address.sin_addr) != 1 ||
                        ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)) {
    ::close(fd_);
    throw std::runtime_error("nobody comes from " + from);
  }
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("nobody listens on 127.0.0.1:" + std::to_string(port));
  }
  if (by == By::plain) return;
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without asking for peace
  session_ = std::make_unique<Session>(fd_);
  if (!session_->good) {
    session_.reset();
    ::close(fd_);
    throw std::runtime_error("no TLS on 127.0.0.1:" + std::to_string(port));
  }
}

RawConnection::RawConnection(const std::filesystem::path& socket)
    : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("nobody listens at " + socket.native());
  }
}

RawConnection::~RawConnection() {
  if (fd_ >= 0) ::close(fd_);
}

RawConnection::RawConnection(RawConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), closed_(other.closed_), session_(std::move(other.session_)) {}

bool RawConnection::send(std::string_view bytes) {
  if (session_) return SSL_write(session_->ssl, bytes.data(), static_cast<int>(bytes.size())) > 0;
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawConnection::receive(std::string& into, Milliseconds patience) {
  if (closed_) return false;
  pollfd waiting{fd_, POLLIN, 0};
  const bool has_more = session_ && SSL_pending(session_->ssl) > 0;
  if (!has_more && ::poll(&waiting, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<char, 65'536> buffer;
  const auto got = session_ ? SSL_read(session_->ssl, buffer.data(), static_cast<int>(buffer.size()))
                            : ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (session_ && got <= 0 && SSL_get_error(session_->ssl, static_cast<int>(got)) == SSL_ERROR_WANT_READ) return false;
  if (!session_ && got < 0 && errno == EINTR) return false;
  if (got <= 0) {
    closed_ = true;
    return false;
  }
  into.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawConnection::receive_all(Milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string all;
  while (!closed_ && std::chrono::steady_clock::now() < deadline) receive(all, Milliseconds(100));
  return all;
}

HttpResponse HttpClient::request(const std::string& method, const std::string& path, const std::string& body,
                                 std::map<std::string, std::string> headers) const {
  headers.emplace("Host", socket_.empty() ? "127.0.0.1:" + std::to_string(port_) : "localhost");
  headers.emplace("Accept-Encoding", "identity");
  if (!token_.empty()) headers.emplace("Authorization", "Bearer " + token_);
  headers["Connection"] = "close";
  if (!body.empty() || method == "POST") headers["Content-Length"] = std::to_string(body.size());
  std::string text = method + " " + path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  RawConnection connection = socket_.empty() ? RawConnection(port_, 0, by_) : RawConnection(socket_);
  connection.send(text + "\r\n" + body);
  return parse_response(connection.receive_all());
}

HttpResponse parse_response(const std::string& bytes) {
  HttpResponse response;
  const auto head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos || !bytes.starts_with("HTTP/1.1 ")) return response;
  response.status = std::stoi(bytes.substr(9, 3));
  for (auto at = bytes.find("\r\n") + 2; at < head_end;) {
    const auto end = bytes.find("\r\n", at);
    const auto line = bytes.substr(at, end - at);
    const auto colon = line.find(": ");
    if (colon != std::string::npos) response.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
    at = end + 2;
  }
  response.body = bytes.substr(head_end + 4);
  return response;
}

}  // namespace tidegate::test
