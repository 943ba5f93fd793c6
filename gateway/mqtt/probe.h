#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "gateway/mqtt/options.h"

namespace tidegate::mqtt {

/// Why a broker cannot be reached, in plain words ("connection refused", "the broker's certificate is for another
/// host"). Paho says only that TCP or TLS failed; this asks the network and OpenSSL once more. Blocks: name look-up,
/// plus at most `patience` for each further step, less when asked to stop.
std::string why_unreachable(const ConnectionOptions& options, Micros patience, const std::stop_token& stop);

/// When the certificate of a broker that speaks TLS ends, which Paho does not tell: by a handshake of its own, after
/// which nothing is said. Also of a certificate that has expired. Nothing where that is not found out. Blocks as above.
std::optional<Timestamp> certificate_ends(const ConnectionOptions& options, Micros patience,
                                          const std::stop_token& stop);

}  // namespace tidegate::mqtt
