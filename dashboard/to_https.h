#pragma once

#include <string>
#include <string_view>

#include "dashboard/guard.h"

namespace tidegate::dashboard {

/// The answer to a plain request where TLS is spoken, by its framed head: the same address by https, where it only
/// reads; else, and where the host is not one of ours, a refusal that says what to do. `port`: that it came to.
std::string to_https(std::string_view head, const HostAllowList& hosts, int port);

}  // namespace tidegate::dashboard
