#include "drivers/http/addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace tidegate::drivers::http {
namespace {

using Bytes = std::array<unsigned char, 16>;

/// An IPv4 address is the last 32 bits of ::ffff:0:0/96.
constexpr Bytes kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
/// Before an IPv4 address: NAT64's (RFC 6052), and what was once called compatible.
constexpr Bytes kNat64 = {0, 0x64, 0xff, 0x9b}, kCompatible = {};
/// An IPv4 address is the last 32 bits of NAT64's of a network's own (RFC 8215), and those that follow 6to4's two
/// bytes.
constexpr std::array<std::uint8_t, 6> kLocalNat64 = {0, 0x64, 0xff, 0x9b, 0, 1};
constexpr std::array<std::uint8_t, 2> k6to4 = {0x20, 0x02};
constexpr std::size_t kBefore = 12;

struct Range {
  const char* address;
  int bits;
};
constexpr std::array<Range, 9> kRanges = {{
    {"0.0.0.0", 32},          // this host
    {"169.254.0.0", 16},      // link-local; the metadata of most clouds is at 169.254.169.254
    {"100.100.100.200", 32},  // metadata: Alibaba
    {"168.63.129.16", 32},    // Azure
    {"192.0.0.192", 32},      // Oracle
    {"::", 128},              // this host
    {"fe80::", 10},           // link-local
    {"fd00:ec2::", 32},       // metadata, and credentials of what runs there: AWS
    {"fd20:ce::254", 128},    // Google
}};

Bytes of_v4(const void* address) {
  Bytes bytes = kMapped;
  std::memcpy(bytes.data() + kBefore, address, 4);
  return bytes;
}

std::optional<Bytes> bytes_of(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return of_v4(&v4.sin_addr);
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  Bytes bytes{};
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return bytes;
}

bool lies_in(const Bytes& bytes, const Range& range) {
  Bytes begin{};
  int bits = range.bits;
  if (in_addr v4{}; inet_pton(AF_INET, range.address, &v4) == 1) {
    begin = of_v4(&v4);
    bits += 8 * kBefore;
  } else {
    inet_pton(AF_INET6, range.address, begin.data());
  }
  const auto whole = static_cast<std::size_t>(bits / 8);
  const int rest = bits % 8;
  if (!std::equal(bytes.begin(), bytes.begin() + bits / 8, begin.begin())) return false;
  return rest == 0 || (bytes[whole] >> (8 - rest)) == (begin[whole] >> (8 - rest));
}

bool lies_in_any(const Bytes& bytes) {
  return std::any_of(kRanges.begin(), kRanges.end(), [&](const Range& range) { return lies_in(bytes, range); });
}

}  // namespace

bool is_link_local(const sockaddr& address) {
  const auto bytes = bytes_of(address);
  if (!bytes) return false;
  if (lies_in_any(*bytes)) return true;
  const auto begins = [&](std::span<const std::uint8_t> with) {
    return std::equal(with.begin(), with.end(), bytes->begin());
  };
  if (begins(k6to4)) return lies_in_any(of_v4(bytes->data() + k6to4.size()));
  return (begins(std::span(kNat64).first(kBefore)) || begins(std::span(kCompatible).first(kBefore)) ||
          begins(kLocalNat64)) &&
         lies_in_any(of_v4(bytes->data() + kBefore));
}

std::string in_words(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto bytes = bytes_of(address);
  if (!bytes) return "?";
  const bool v4 = address.sa_family == AF_INET;
  inet_ntop(address.sa_family, bytes->data() + (v4 ? kBefore : 0), text.data(), text.size());
  return text.data();
}

}  // namespace tidegate::drivers::http
