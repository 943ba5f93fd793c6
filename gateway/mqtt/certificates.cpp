#include "gateway/mqtt/certificates.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <optional>

#include "gateway/core/time_text.h"

namespace tidegate::mqtt {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// Of authorities those that end later do as well, so it is the last that counts; of a client's file the first is the
/// client's, and those behind it lead to one.
std::optional<Timestamp> end_of(const std::string& file, bool last_counts) {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_file(file.c_str(), "r"));
  std::optional<Timestamp> end;
  while (bio) {
    const std::unique_ptr<X509, FreeX509> one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    std::tm parts{};
    if (!one || ASN1_TIME_to_tm(X509_get0_notAfter(one.get()), &parts) != 1) break;
    const Timestamp until{std::chrono::seconds(::timegm(&parts))};
    if (!end || until > *end) end = until;
    if (!last_counts) break;
  }
  ERR_clear_error();
  return end;
}

}  // namespace

std::string ends_soon(const config::ClientTls& tls, Timestamp now) {
  constexpr Micros kSoon = std::chrono::days(30);
  std::string first;
  std::optional<Timestamp> end;
  for (const bool is_ca : {false, true}) {
    const std::string& file = is_ca ? tls.ca : tls.certificate;
    const auto until = file.empty() ? std::nullopt : end_of(file, is_ca);
    if (!until || (end && *until >= *end)) continue;
    end = until;
    first = file;
  }
  if (!end || *end - now > kSoon) return {};
  if (*end <= now) return fmt::format("the certificate in {} ended at {}", first, rfc3339_seconds(*end));
  return fmt::format("the certificate in {} ends in {}, at {}: put a new one in its place", first, age_text(*end - now),
                     rfc3339_seconds(*end));
}

}  // namespace tidegate::mqtt
