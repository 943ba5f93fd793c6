#include "gateway/config/certificates.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "gateway/core/time_text.h"

namespace tidegate::config {
namespace {

using std::chrono::days;
constexpr std::array<Micros, 4> kTold = {days(30), days(7), days(1), days(0)};
constexpr std::array<std::string_view, 3> kWithin = {"30 days", "7 days", "a day"};

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// Of authorities those that end later do as well, so it is the last that counts; of a client's file the first is the
/// client's, and those behind it lead to one.
std::optional<Timestamp> end_of_file(const std::string& file, bool last_counts) {
  const std::unique_ptr<BIO, FreeBio> bio(file.empty() ? nullptr : BIO_new_file(file.c_str(), "r"));
  std::optional<Timestamp> end;
  while (bio) {
    const std::unique_ptr<X509, FreeX509> one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    const auto until = one ? end_of(*one) : std::nullopt;
    if (!until) break;
    if (!end || *until > *end) end = until;
    if (!last_counts) break;
  }
  ERR_clear_error();
  return end;
}

}  // namespace

int urgency(Micros left) {
  return static_cast<int>(std::count_if(kTold.begin(), kTold.end(), [&](Micros told) { return left <= told; }));
}

std::optional<Timestamp> end_of(const x509_st& certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) return std::nullopt;
  // No time_t, which ends in 2038 on a small box.
  using namespace std::chrono;
  const auto day = sys_days{year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday};
  return day + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

std::string ends_soon(const ClientTls& tls, const Peer& peer, Timestamp now) {
  struct End {
    std::string what;
    std::optional<Timestamp> at;
  };
  const std::array<End, 3> ends = {End{"the certificate in " + tls.certificate, end_of_file(tls.certificate, false)},
                                   End{"the certificate in " + tls.ca, end_of_file(tls.ca, true)},
                                   End{fmt::format("the {}'s certificate", peer.what), peer.ends}};
  const auto first = std::min_element(ends.begin(), ends.end(), [](const End& a, const End& b) {
    return a.at.value_or(Timestamp::max()) < b.at.value_or(Timestamp::max());
  });
  const int urgent = first->at ? urgency(*first->at - now) : 0;
  if (urgent == 0) return {};
  const bool over = static_cast<std::size_t>(urgent) > kWithin.size();
  const auto when = over ? "ended" : fmt::format("ends within {},", kWithin[static_cast<std::size_t>(urgent) - 1]);
  return fmt::format("{} {} at {}: put a new one in its place", first->what, when, rfc3339_seconds(*first->at));
}

void show_end(Metrics& metrics, std::string_view owner, Timestamp ends) {
  metrics
      .gauge(fmt::format("{}{}", owner, kPeerEndMetric), "s",
             "When the certificate of the other end of a connection ends, since the Unix epoch.")
      .set(std::chrono::duration<double>(ends.time_since_epoch()).count());
}

}  // namespace tidegate::config
