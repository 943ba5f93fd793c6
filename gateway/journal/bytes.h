#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidegate::journal {

/// CRC-32C (Castagnoli, as in iSCSI and LevelDB), continued from `crc`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

/// Is it what the checksum was of? As a column holds it.
inline bool fits(std::string_view bytes, std::int64_t crc) { return std::int64_t{crc32c(bytes)} == crc; }

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

void put_varint(std::string& out, std::uint64_t value);
void put_u32(std::string& out, std::uint32_t value);

/// Takes numbers off the front of a byte string; once something was missing or malformed, ok() stays false and every
/// further answer is zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t u8() { return left() < 1 ? refuse<std::uint8_t>() : static_cast<std::uint8_t>(*at_++); }
  std::uint32_t u32();
  std::uint64_t varint();
  std::string_view take(std::size_t size);

 private:
  template <class T>
  T refuse() {
    ok_ = false;
    at_ = end_;
    return T{};
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace tidegate::journal
