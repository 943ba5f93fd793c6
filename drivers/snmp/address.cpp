#include "drivers/snmp/address.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <memory>

namespace tidegate::drivers::snmp {

Result<std::string> resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return fail(Errc::unavailable, "'{}' has no address: {}", host, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return fail(Errc::unavailable, "'{}' has no address that can be written", host);
  }
  const bool six = found->ai_family == AF_INET6;
  return fmt::format(fmt::runtime(six ? "udp6:[{}]:{}" : "udp:{}:{}"), text.data(), port);
}

}  // namespace tidegate::drivers::snmp
