#include "gateway/mqtt/probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "gateway/config/certificates.h"
#include "gateway/core/fd.h"

namespace tidegate::mqtt {
namespace {

using Steady = std::chrono::steady_clock;

/// For one step of the network's: so long, and not beyond a stop.
class Wait {
 public:
  Wait(Micros patience, const std::stop_token& stop) : until_(Steady::now() + patience), stop_(stop) {}
  bool ready(const Fd& socket, short events) const {
    constexpr int kLook = 50;  // milliseconds
    pollfd ready{socket.get(), events, 0};
    while (!stop_.stop_requested() && Steady::now() < until_) {
      const int found = poll(&ready, 1, kLook);
      if (found > 0) return true;
      if (found < 0 && errno != EINTR) return false;
    }
    return false;
  }

 private:
  const Steady::time_point until_;
  const std::stop_token& stop_;
};

/// 0, or the errno of the try.
int try_connect(const Fd& socket, const addrinfo& address, const Wait& wait) {
  if (!socket) return errno;
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait.ready(socket, POLLOUT)) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::string tcp_problem(int error, const Address& broker) {
  switch (error) {
    case ECONNREFUSED:
      return fmt::format("connection refused: nothing listens on port {} there", broker.port);
    case ETIMEDOUT:
      return "no answer; is the host on, and does a firewall let us through?";
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "no route to that host; is the network up?";
    default:
      return std::strerror(error);
  }
}

/// A connection by TCP; or none, and `problem` says why.
Fd dial(const Address& broker, Micros patience, const std::stop_token& stop, std::string& problem) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(broker.host.c_str(), std::to_string(broker.port).c_str(), &hints, &found);
      code != 0) {
    problem = fmt::format("the host name '{}' is not found ({})", broker.host, gai_strerror(code));
    return Fd();
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    Fd socket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = try_connect(socket, *address, Wait(patience, stop));
    if (error == 0) return socket;
  }
  problem = tcp_problem(error, broker);
  return Fd();
}

bool is_ip(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "the broker closed the connection";
}

std::string verify_problem(long result, const ConnectionOptions& options) {
  switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("the broker's certificate is for another host than '{}'", options.broker.host);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the broker's certificate has expired (or this gateway's clock is wrong)";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the broker's certificate is not valid yet; is this gateway's clock right?";
    default:
      return fmt::format("the broker's certificate is not trusted ({}); is tls.ca the authority that signed it?",
                         X509_verify_cert_error_string(result));
  }
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

std::string load_files(SSL_CTX* context, const config::ClientTls& tls) {
  const bool trusted = tls.ca.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_locations(context, tls.ca.c_str(), nullptr) == 1;
  if (!trusted) return fmt::format("tls.ca: {} holds no certificate ({})", tls.ca, openssl_reason());
  if (tls.certificate.empty()) return "";
  // A password callback is set in any case: OpenSSL's own would ask on the terminal.
  SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<char*>(tls.key_password.c_str()));
  SSL_CTX_set_default_passwd_cb(context, [](char* buffer, int size, int, void* password) {
    const auto length = std::min(std::strlen(static_cast<const char*>(password)), static_cast<std::size_t>(size));
    std::memcpy(buffer, password, length);
    return static_cast<int>(length);
  });
  if (SSL_CTX_use_certificate_chain_file(context, tls.certificate.c_str()) != 1) {
    return fmt::format("tls.certificate: {} ({})", tls.certificate, openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(context, tls.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fmt::format("tls.key: {} ({})", tls.key, openssl_reason());
  }
  return "";
}

/// TLS of a connection as Paho makes it, before its handshake.
struct Tls {
  Tls(const Fd& socket, const ConnectionOptions& options);

  /// What OpenSSL comes to, for which it may have to wait for the broker.
  template <class Step>
  int finish(const Wait& wait, const Step& step) {
    while (true) {
      const int done = step(session.get());
      if (done > 0) return done;
      const int lacks = SSL_get_error(session.get(), done);
      const bool goes_on = (lacks == SSL_ERROR_WANT_READ && wait.ready(socket, POLLIN)) ||
                           (lacks == SSL_ERROR_WANT_WRITE && wait.ready(socket, POLLOUT));
      if (!goes_on) return done;
    }
  }

  const Fd& socket;
  Context context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  Session session{nullptr, SSL_free};
  std::string problem;  ///< why there is no session
};

Tls::Tls(const Fd& its_socket, const ConnectionOptions& options) : socket(its_socket) {
  ERR_clear_error();
  if (context) problem = load_files(context.get(), options.tls);
  if (!problem.empty()) return;
  if (context) session.reset(SSL_new(context.get()));
  if (!session) {
    problem = "TLS is not available: " + openssl_reason();
    return;
  }
  const std::string& host = options.broker.host;
  if (options.tls.verify) {
    SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
    if (is_ip(host)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str());
    } else {
      SSL_set1_host(session.get(), host.c_str());
    }
  }
  if (!is_ip(host)) SSL_set_tlsext_host_name(session.get(), host.c_str());
  SSL_set_fd(session.get(), socket.get());
}

/// What TLS says, or "" where it finds nothing wrong.
std::string tls_problem(const Fd& socket, const ConnectionOptions& options, Micros patience,
                        const std::stop_token& stop) {
  Tls tls(socket, options);
  if (!tls.session) return tls.problem;
  if (tls.finish(Wait(patience, stop), SSL_connect) != 1) {
    const long result = SSL_get_verify_result(tls.session.get());
    return result != X509_V_OK ? verify_problem(result, options) : "TLS: " + openssl_reason();
  }
  // With TLS 1.3 a broker refuses our certificate only after the handshake: its alert comes with the first read.
  char byte = 0;
  const int got = tls.finish(Wait(patience, stop), [&](SSL* session) { return SSL_read(session, &byte, 1); });
  if (got > 0 || SSL_get_error(tls.session.get(), got) != SSL_ERROR_SSL) return "";
  return fmt::format("TLS: the broker refused our certificate or its absence ({})", openssl_reason());
}

/// As OpenSSL looks at a chain, whatever it thinks of it: one that has expired ends the handshake, and is gone then.
int note_end(int trusted, X509_STORE_CTX* chain) {
  const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const X509* certificate = X509_STORE_CTX_get0_cert(chain);
  if (certificate != nullptr) {
    *static_cast<std::optional<Timestamp>*>(SSL_get_app_data(session)) = config::end_of(*certificate);
  }
  return trusted;
}

}  // namespace

std::string why_unreachable(const ConnectionOptions& options, Micros patience, const std::stop_token& stop) {
  std::string problem;
  const Fd socket = dial(options.broker, patience, stop, problem);
  if (problem.empty() && options.broker.secure()) problem = tls_problem(socket, options, patience, stop);
  if (!problem.empty()) return problem;
  return "the connection broke before the broker had answered; does it speak MQTT on that port?";
}

std::optional<Timestamp> certificate_ends(const ConnectionOptions& options, Micros patience,
                                          const std::stop_token& stop) {
  std::string problem;
  const Fd socket = dial(options.broker, patience, stop, problem);
  if (!problem.empty()) return std::nullopt;
  Tls tls(socket, options);
  if (!tls.session) return std::nullopt;
  std::optional<Timestamp> ends;
  SSL_set_app_data(tls.session.get(), &ends);
  SSL_set_verify(tls.session.get(), SSL_get_verify_mode(tls.session.get()), note_end);
  if (tls.finish(Wait(patience, stop), SSL_connect) == 1) {
    SSL_shutdown(tls.session.get());
    return ends;
  }
  // A stranger between us and the broker has nothing to say about it.
  return SSL_get_verify_result(tls.session.get()) == X509_V_ERR_CERT_HAS_EXPIRED ? ends : std::nullopt;
}

}  // namespace tidegate::mqtt
