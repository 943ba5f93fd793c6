#pragma once

#include <sys/socket.h>

#include <string>

namespace tidegate::drivers::http {

/// Whether it is one that no plant's device has unless it hangs on this very cable, and behind which a cloud's machine
/// finds its own credentials: link-local addresses, those of clouds' metadata services, and "any" (0.0.0.0, ::), by
/// which this machine itself is reached. Also where such a one is written within an IPv6 address.
bool is_link_local(const sockaddr& address);

/// "169.254.169.254"; of anything but IP "?".
std::string in_words(const sockaddr& address);

}  // namespace tidegate::drivers::http
