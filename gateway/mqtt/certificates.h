#pragma once

#include <string>

#include "gateway/core/types.h"
#include "gateway/mqtt/options.h"

namespace tidegate::mqtt {

/// Of the files that a connection is told to use, its client's certificate and the authorities: which ends first, where
/// that is within 30 days or over, as a sentence; else empty. Reads the files. `now` is the clock's, as brokers have
/// it.
std::string ends_soon(const config::ClientTls& tls, Timestamp now);

}  // namespace tidegate::mqtt
