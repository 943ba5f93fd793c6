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

namespace tidegate::mqtt {
namespace {

struct Socket {
  explicit Socket(int descriptor) : fd(descriptor) {}
  ~Socket() {
    if (fd >= 0) close(fd);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd;
};

int milliseconds(Micros time) { return static_cast<int>(time.count() / 1000); }

/// 0, or the errno of the try.
int try_connect(const Socket& socket, const addrinfo& address, Micros patience) {
  if (connect(socket.fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd ready{socket.fd, POLLOUT, 0};
  if (poll(&ready, 1, milliseconds(patience)) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &size);
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

/// Blocking from here on, with time-outs, which is all that OpenSSL needs.
void make_blocking(const Socket& socket, Micros patience) {
  fcntl(socket.fd, F_SETFL, fcntl(socket.fd, F_GETFL) & ~O_NONBLOCK);
  const timeval wait{static_cast<time_t>(patience.count() / 1'000'000),
                     static_cast<suseconds_t>(patience.count() % 1'000'000)};
  setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
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

/// What TLS says, or "" where it finds nothing wrong.
std::string tls_problem(const Socket& socket, const ConnectionOptions& options) {
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return "TLS is not available: " + openssl_reason();
  if (auto problem = load_files(context.get(), options.tls); !problem.empty()) return problem;
  const Session session(SSL_new(context.get()), SSL_free);
  if (!session) return "TLS is not available: " + openssl_reason();
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
  SSL_set_fd(session.get(), socket.fd);
  if (SSL_connect(session.get()) != 1) {
    const long result = SSL_get_verify_result(session.get());
    return result != X509_V_OK ? verify_problem(result, options) : "TLS: " + openssl_reason();
  }
  // With TLS 1.3 a broker refuses our certificate only after the handshake: its alert comes with the first read.
  char byte = 0;
  const int got = SSL_read(session.get(), &byte, 1);
  if (got > 0 || SSL_get_error(session.get(), got) != SSL_ERROR_SSL) return "";
  return fmt::format("TLS: the broker refused our certificate or its absence ({})", openssl_reason());
}

}  // namespace

std::string why_unreachable(const ConnectionOptions& options, Micros patience) {
  const Address& broker = options.broker;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(broker.host.c_str(), std::to_string(broker.port).c_str(), &hints, &found);
      code != 0) {
    return fmt::format("the host name '{}' is not found ({})", broker.host, gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const Socket socket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = socket.fd < 0 ? errno : try_connect(socket, *address, patience);
    if (error != 0) continue;
    make_blocking(socket, patience);
    const std::string problem = broker.secure() ? tls_problem(socket, options) : "";
    return problem.empty() ? "the connection broke before the broker had answered; does it speak MQTT on that port?"
                           : problem;
  }
  return tcp_problem(error, broker);
}

}  // namespace tidegate::mqtt
