#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::test {

/// A TCP connection to 127.0.0.1:port for saying things that no proper client would. Throws when it is not accepted.
class RawConnection {
 public:
  using Milliseconds = std::chrono::milliseconds;

  /// `receive_buffer`: the kernel's, in bytes; small for a viewer that is to stall soon. 0: the system's.
  explicit RawConnection(int port, int receive_buffer = 0);
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
  int fd_ = -1;
  bool closed_ = false;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// One request a call, each on a connection of its own; status 0 when there was no answer. Sends
/// "Accept-Encoding: identity" and "Host: 127.0.0.1:port" unless `headers` says otherwise.
class HttpClient {
 public:
  explicit HttpClient(int port) : port_(port) {}

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
  int port_;
};

/// The answer to a request, taken apart.
HttpResponse parse_response(const std::string& bytes);

}  // namespace tidegate::test
