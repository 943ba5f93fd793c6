#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::test {

/// A TCP connection to 127.0.0.1:port for saying things that no proper client would, plain or by TLS (whatever the
/// certificate). Throws when it is not accepted.
class RawConnection {
 public:
  using Milliseconds = std::chrono::milliseconds;
  enum class By : unsigned char { plain, tls };

  /// `receive_buffer`: the kernel's, in bytes; small for a viewer that is to stall soon. 0: the system's. `from`: by
  /// which address of this machine it comes, such as 127.0.0.2; empty: 127.0.0.1.
  explicit RawConnection(int port, int receive_buffer = 0, By by = By::plain, const std::string& from = {});
  /// The same by a socket in the file system.
  explicit RawConnection(const std::filesystem::path& socket);
  ~RawConnection();
  RawConnection(RawConnection&& other) noexcept;
  RawConnection(const RawConnection&) = delete;

  /// False when the far end has closed.
  bool send(std::string_view bytes);
  /// Appends what arrives within `patience` to `into`; false when nothing came or the far end closed.
  bool receive(std::string& into, Milliseconds patience);
  /// Everything until the far end closes or `patience` is over.
  std::string receive_all(Milliseconds patience = std::chrono::seconds(20));
  /// The far end has closed (which receive() noticed).
  bool closed() const { return closed_; }

 private:
  struct Session;

  int fd_ = -1;
  bool closed_ = false;
  std::unique_ptr<Session> session_;  ///< of TLS
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// One request a call, each on a connection of its own; status 0 when there was no answer. Sends
/// "Accept-Encoding: identity" and "Host: 127.0.0.1:port" unless `headers` says otherwise, and its token where it has
/// one.
class HttpClient {
 public:
  using By = RawConnection::By;
  explicit HttpClient(int port, std::string token = {}, By by = By::plain)
      : port_(port), token_(std::move(token)), by_(by) {}
  /// By a socket in the file system; then the host is localhost.
  explicit HttpClient(std::filesystem::path socket) : socket_(std::move(socket)) {}

  HttpResponse get(const std::string& path, const std::map<std::string, std::string>& headers = {}) const {
    return request("GET", path, {}, headers);
  }
  HttpResponse post(const std::string& path, const std::string& body,
                    std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}}) const {
    return request("POST", path, body, headers);
  }
  HttpResponse request(const std::string& method, const std::string& path, const std::string& body = {},
                       std::map<std::string, std::string> headers = {}) const;

 private:
  int port_ = 0;
  std::string token_;
  By by_ = By::plain;
  std::filesystem::path socket_;
};

/// The answer to a request, taken apart.
HttpResponse parse_response(const std::string& bytes);

}  // namespace tidegate::test
