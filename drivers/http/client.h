#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/client_tls.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::http {

struct Auth {
  std::string user, password;  ///< basic
  std::string token;           ///< bearer
};

struct RequestOptions {
  std::string url;
  std::string method;  ///< GET, POST, PUT
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  Auth auth;
  config::ClientTls tls;
  Micros timeout{0};  ///< of the whole request, from the name's look-up to the last byte
  std::size_t max_bytes = 0;
  int redirects = 0;              ///< followed at most, to http and https only, from https to https
  bool allow_link_local = false;  ///< ask at addresses where is_link_local()
};

/// What the far end said of the version of its answer; sent back, it need not send the same once more.
struct Version {
  std::string etag, modified;
};

struct Answer {
  int status = 0;
  std::string body;  ///< as it was before it was compressed
  std::string content_type;
  Version version;
  std::optional<Micros> retry_after;  ///< when it may be asked again, where it says so in seconds; up to an hour
};

/// One request that is made again and again, by one connection that is kept open. Speaks to nobody but the URL's host:
/// no proxy. One thread at a time; throws nothing.
class Client {
 public:
  explicit Client(RequestOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Any answer is one, whatever its status. Errors: timed_out, unavailable (no name, no connection, no TLS), full
  /// (larger than max_bytes), interrupted, stopped, invalid (an address that is not allowed, too many redirects); their
  /// text names the host and never what may be secret.
  Result<Answer> ask(const Version& have, const std::stop_token& stop);
  /// When the server's own certificate ends, as it showed it last; nothing over plain HTTP.
  std::optional<Timestamp> certificate_ends() const;

 private:
  struct Transfer;
  const RequestOptions options_;
  std::unique_ptr<Transfer> transfer_;
};

/// What is wrong with a URL; "" where nothing is: http or https, a host, no user in it.
std::string url_problem(std::string_view url);
/// Which server a URL without a problem asks, by scheme, host and port: "http://meter:80".
std::string server_of(std::string_view url);
/// Without what may be secret: scheme, host, port and path.
std::string shown(std::string_view url);

}  // namespace tidegate::drivers::http
