#include "gateway/journal/wal_look.h"

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

namespace tidegate::journal {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  ///< and bit 0 where checksums are over big-endian words
constexpr std::uint32_t kLargestPage = 65'536;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

struct Checksum {
  std::uint32_t first = 0, second = 0;
  bool operator==(const Checksum&) const = default;

  /// Of a multiple of eight bytes, as words of either order.
  void add(std::string_view bytes, bool big) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += word(bytes, at, big) + second;
      second += word(bytes, at + 4, big) + first;
    }
  }

 private:
  static std::uint32_t word(std::string_view bytes, std::size_t at, bool big) {
    const std::uint32_t value = big_endian(bytes, at);
    return big ? value : __builtin_bswap32(value);
  }
};

Checksum stored(std::string_view bytes, std::size_t at) { return {big_endian(bytes, at), big_endian(bytes, at + 4)}; }

}  // namespace

std::uint64_t commits_behind_damage(const std::filesystem::path& wal) {
  std::ifstream file(wal, std::ios::binary);
  std::string header(kHeaderBytes, '\0');
  if (!file.read(header.data(), kHeaderBytes)) return 0;
  const std::uint32_t magic = big_endian(header, 0);
  const std::uint32_t page = big_endian(header, 8);
  if ((magic & ~1u) != kMagic || page == 0 || page > kLargestPage || page % 8 != 0) return 0;
  const bool big = (magic & 1) != 0;
  Checksum before;
  before.add(std::string_view(header).substr(0, 24), big);
  if (before != stored(header, 24)) return 0;  // it was never valid, or nothing in it can be told from an older one

  std::string frame(kFrameHeaderBytes + page, '\0');
  const std::string salts = header.substr(16, 8);
  bool damaged = false;    // a frame of this log did not fit the one before it
  bool committed = false;  // the frame before this one ended a transaction
  std::uint64_t commits = 0;
  while (file.read(frame.data(), static_cast<std::streamsize>(frame.size()))) {
    Checksum sum = before;
    sum.add(std::string_view(frame).substr(0, 8), big);
    sum.add(std::string_view(frame).substr(kFrameHeaderBytes), big);
    before = stored(frame, 16);
    const bool fits = sum == before && frame.compare(8, 8, salts) == 0;
    if (fits && damaged && committed) ++commits;
    if (!fits) damaged = true;
    committed = big_endian(frame, 4) != 0 && (fits || frame.compare(8, 8, salts) == 0);
  }
  return commits;
}

}  // namespace tidegate::journal
