#pragma once

#include <chrono>
#include <string>

#include "gateway/core/result.h"

namespace tidegate::drivers::modbus {

using Deadline = std::chrono::steady_clock::time_point;

/// A non-blocking TCP socket that is connected; the caller closes it. Asking for a name may take as long as the
/// system's resolver does. Errc::timed_out or Errc::unavailable.
Result<int> dial(const std::string& host, int port, Deadline deadline);

}  // namespace tidegate::drivers::modbus
