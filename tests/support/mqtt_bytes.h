#pragma once

#include <cstdint>
#include <string>

namespace tidegate::test {

/// A number of `bytes` bytes, the highest first, as MQTT has them.
inline void put_number(std::string& out, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

/// MQTT's variable byte integer.
inline void put_length(std::string& out, std::size_t length) {
  do {
    const auto low = static_cast<unsigned char>(length % 128);
    length /= 128;
    out += static_cast<char>(length > 0 ? low | 0x80 : low);
  } while (length > 0);
}

}  // namespace tidegate::test
