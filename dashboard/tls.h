#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

struct ssl_st;
struct ssl_ctx_st;

namespace tidegate::dashboard {

/// What a server speaks by TLS: a certificate, its key, and what is offered: TLS 1.2 and 1.3, keys that are agreed on
/// anew for each connection, ciphers that authenticate what they hide, HTTP/1.1. Immutable.
class Tls {
 public:
  /// The names of two PEM files. The certificate of this server comes first in its own, those that lead to a root
  /// follow.
  struct Files {
    std::filesystem::path certificate, key;
    bool operator==(const Files&) const = default;
  };
  /// Errc::io: a file cannot be read. Errc::invalid: it holds something else, or the two do not belong together.
  static Result<std::shared_ptr<const Tls>> load(const Files& files);

  struct EndSession {
    void operator()(ssl_st* session) const;
  };
  using Session = std::unique_ptr<ssl_st, EndSession>;
  /// The server's end on a connected, non-blocking socket, which outlives it; null where there is no memory. One
  /// thread.
  Session accept(int socket) const;

  /// SHA-256 of the certificate, as browsers show it: "AB:CD:...".
  const std::string& fingerprint() const { return fingerprint_; }
  Timestamp from() const { return from_; }
  Timestamp until() const { return until_; }
  /// Host names and addresses that it is for, as they are written.
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct EndContext {
    void operator()(ssl_ctx_st* context) const;
  };

  Tls() = default;

  std::unique_ptr<ssl_ctx_st, EndContext> context_;
  std::string fingerprint_;
  Timestamp from_{}, until_{};
  std::vector<std::string> names_;
};

}  // namespace tidegate::dashboard
