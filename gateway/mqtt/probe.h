#pragma once

#include <string>

#include "gateway/mqtt/options.h"

namespace tidegate::mqtt {

/// Why a broker cannot be reached, in plain words ("connection refused", "the broker's certificate is for another
/// host"). Paho says only that TCP or TLS failed; this asks the network and OpenSSL once more. Blocks: name look-up,
/// plus at most `patience` for each further step.
std::string why_unreachable(const ConnectionOptions& options, Micros patience);

}  // namespace tidegate::mqtt
