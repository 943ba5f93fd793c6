#pragma once

#include <string>

#include "gateway/core/result.h"

namespace tidegate::drivers::snmp {

/// A host's first address as net-snmp takes it: "udp:192.168.1.2:161", "udp6:[fe80::1]:161". May wait for the name
/// server. Errc::unavailable where it has none.
Result<std::string> resolve(const std::string& host, int port);

}  // namespace tidegate::drivers::snmp
