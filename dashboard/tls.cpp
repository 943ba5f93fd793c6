#include "dashboard/tls.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include "dashboard/openssl.h"

namespace tidegate::dashboard {
namespace {

using openssl::Bio;
using openssl::reason;

constexpr std::size_t kMaxFile = 1u << 20;

// Errors and end of the socket as OpenSSL's own, but for SIGPIPE: whoever links this need not ignore it.
int fd_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int send_bytes(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receive_bytes(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  const auto got = ::recv(fd_of(bio), into, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

BIO_METHOD* socket_method() {
  static const auto method = [] {
    std::unique_ptr<BIO_METHOD, openssl::Freed<BIO_meth_free>> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
    BIO_meth_set_write(made.get(), send_bytes);
    BIO_meth_set_read(made.get(), receive_bytes);
    BIO_meth_set_ctrl(made.get(), [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
    return made;
  }();
  return method.get();
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file && !file.eof()) {
    return fail(Errc::io, "{} cannot be read: {}; the user that the gateway runs as must be able to", path.string(),
                std::strerror(errno));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxFile) return fail(Errc::invalid, "{} is larger than 1 MiB: it is no PEM file", path.string());
  return text;
}

Bio memory_of(const std::string& text) {
  ERR_clear_error();
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL's own would ask on the terminal.
int no_password(char*, int, int, void*) { return 0; }

Status use_certificate(SSL_CTX* context, const std::filesystem::path& path) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  const Bio bio = memory_of(*text);
  const openssl::Certificate own(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  if (!own) return fail(Errc::invalid, "{} holds no certificate in PEM form ({})", path.string(), reason());
  if (SSL_CTX_use_certificate(context, own.get()) != 1) {
    return fail(Errc::invalid, "{}: the certificate cannot be used: {}", path.string(), reason());
  }
  while (openssl::Certificate next{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) {
      return fail(Errc::invalid, "{}: a certificate behind the first cannot be used: {}", path.string(), reason());
    }
  }
  return {};
}

Status use_key(SSL_CTX* context, const Tls::Files& files) {
  const auto text = read_file(files.key);
  if (!text) return fail(text.error());
  const openssl::Key key(PEM_read_bio_PrivateKey(memory_of(*text).get(), nullptr, no_password, nullptr));
  if (!key) {
    return fail(Errc::invalid,
                "{} holds no key in PEM form, or one with a password, which nobody is there to type ({})",
                files.key.string(), reason());
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(Errc::invalid, "{} is not the key of the first certificate in {} ({})", files.key.string(),
                files.certificate.string(), reason());
  }
  return {};
}

// One who speaks TLS to us for another protocol was sent here by somebody.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int size, void*) {
  static constexpr std::string_view kOurs = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, length, reinterpret_cast<const unsigned char*>(kOurs.data()),
                                           kOurs.size(), offered, size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool set_up(SSL_CTX* context) {
  constexpr long kSmallRecord = 4096;  // what a stalled viewer holds of ours
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Else one who sends nothing but updates of his keys is read on and on.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets, which viewers keep, do for resumption
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
         SSL_CTX_set_max_send_fragment(context, kSmallRecord) == 1;
}

Timestamp time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Timestamp{std::chrono::seconds(::timegm(&parts))};
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{}{:02X}", i == 0 ? "" : ":", digest.at(i));
  return out;
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, openssl::Freed<GENERAL_NAMES_free>> listed(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; listed && i < sk_GENERAL_NAME_num(listed.get()); ++i) {
    int type = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(listed.get(), i), &type));
    const unsigned char* bytes = ASN1_STRING_get0_data(value);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (type == GEN_DNS) names.emplace_back(reinterpret_cast<const char*>(bytes), size);
    if (type != GEN_IPADD || (size != sizeof(in_addr) && size != sizeof(in6_addr))) continue;
    if (::inet_ntop(size == sizeof(in_addr) ? AF_INET : AF_INET6, bytes, text.data(), text.size()) != nullptr) {
      names.emplace_back(text.data());
    }
  }
  return names;
}

}  // namespace

void Tls::EndSession::operator()(ssl_st* session) const { SSL_free(session); }
void Tls::EndContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<std::shared_ptr<const Tls>> Tls::load(const Files& files) {
  ERR_clear_error();
  const std::shared_ptr<Tls> made(new Tls);
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  if (!made->context_ || !set_up(made->context_.get())) return fail(Errc::io, "TLS is not available: {}", reason());
  if (Status used = use_certificate(made->context_.get(), files.certificate); !used) return fail(used.error());
  if (Status used = use_key(made->context_.get(), files); !used) return fail(used.error());
  const X509* certificate = SSL_CTX_get0_certificate(made->context_.get());
  made->fingerprint_ = fingerprint_of(certificate);
  made->from_ = time_of(X509_get0_notBefore(certificate));
  made->until_ = time_of(X509_get0_notAfter(certificate));
  made->names_ = names_of(certificate);
  return made;
}

Tls::Session Tls::accept(int socket) const {
  Session session(SSL_new(context_.get()));
  BIO* bio = session ? BIO_new(socket_method()) : nullptr;
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session.get(), bio, bio);
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace tidegate::dashboard
