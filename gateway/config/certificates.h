#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/client_tls.h"
#include "gateway/core/metrics.h"
#include "gateway/core/types.h"

struct x509_st;  // OpenSSL's X509

namespace tidegate::config {

/// How urgent it is that a certificate ends in `left`: 0 is not at all, 1 to 3 are 30, 7 and 1 days before, 4 is over.
int urgency(Micros left);

/// Nothing where it has no such time.
std::optional<Timestamp> end_of(const x509_st& certificate);

/// The other end of a connection, and when its own certificate ends, where that is known.
struct Peer {
  std::string_view what;  ///< "broker", "server"
  std::optional<Timestamp> ends;
};

/// Of what a connection lives by, the files that it is told to use (its client's certificate, the authorities) and the
/// peer's certificate: which ends first, where that is within 30 days or over, as a sentence; else empty. The sentence
/// changes at 30, 7 and 1 days and at the end, so that whoever notes its changes notes four. Reads the files. `now` is
/// the clock's, as peers have it.
std::string ends_soon(const ClientTls& tls, const Peer& peer, Timestamp now);

/// When a peer's own ends, as a metric behind its owner, "source/NAME" or "uplink/NAME".
inline constexpr std::string_view kPeerEndMetric = "/peer_certificate_expiry_timestamp";
void show_end(Metrics& metrics, std::string_view owner, Timestamp ends);

}  // namespace tidegate::config
