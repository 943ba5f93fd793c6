#include "gateway/journal/column.h"

#include <algorithm>
#include <array>
#include <bit>

namespace tidegate::journal {
namespace {

enum Tag : std::uint8_t { kConstant = 0, kVarints = 1, kPacked = 2 };

constexpr std::size_t kBlock = 128;

struct Frame {
  std::uint64_t min;
  unsigned width;  ///< bits of a value less `min`
};

Frame frame_of(std::span<const std::uint64_t> block) {
  const auto [min, max] = std::minmax_element(block.begin(), block.end());
  return {*min, static_cast<unsigned>(std::bit_width(*max - *min))};
}

constexpr std::size_t packed_bytes(std::size_t count, unsigned width) { return (count * width + 7) / 8; }

std::span<const std::uint64_t> block_at(std::span<const std::uint64_t> values, std::size_t at) {
  return values.subspan(at, std::min(kBlock, values.size() - at));
}

std::size_t varints_size(std::span<const std::uint64_t> values) {
  std::size_t size = 0;
  for (const std::uint64_t value : values) size += varint_size(value);
  return size;
}

std::size_t packed_size(std::span<const std::uint64_t> values) {
  std::size_t size = 0;
  for (std::size_t at = 0; at < values.size(); at += kBlock) {
    const auto block = block_at(values, at);
    const Frame frame = frame_of(block);
    size += varint_size(frame.min) + 1 + packed_bytes(block.size(), frame.width);
  }
  return size;
}

void put_word(std::string& out, std::uint64_t word, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(word >> (8 * i)));
}

void put_block(std::string& out, std::span<const std::uint64_t> block) {
  const Frame frame = frame_of(block);
  put_varint(out, frame.min);
  out.push_back(static_cast<char>(frame.width));
  std::uint64_t word = 0;
  unsigned used = 0;
  for (const std::uint64_t value : block) {
    const std::uint64_t bits = value - frame.min;
    word |= bits << used;
    used += frame.width;
    if (used < 64) continue;
    put_word(out, word, 8);
    used -= 64;
    word = used == 0 ? 0 : bits >> (frame.width - used);
  }
  put_word(out, word, (used + 7) / 8);
}

std::uint64_t load_u64(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

bool take_block(ByteReader& in, std::span<std::uint64_t> block) {
  const std::uint64_t min = in.varint();
  const unsigned width = in.u8();
  if (!in.ok() || width > 64) return false;
  const std::string_view packed = in.take(packed_bytes(block.size(), width));
  if (!in.ok()) return false;
  std::array<char, kBlock * 8 + 16> padded;  // eight bytes may be loaded at any bit
  std::copy(packed.begin(), packed.end(), padded.begin());
  std::fill_n(padded.begin() + static_cast<std::ptrdiff_t>(packed.size()), 16, '\0');
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  std::size_t bit = 0;
  for (std::uint64_t& value : block) {
    const char* at = padded.data() + bit / 8;
    const unsigned shift = bit % 8;
    std::uint64_t bits = load_u64(at) >> shift;
    if (shift + width > 64) bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at[8])) << (64 - shift);
    value = min + (bits & mask);
    bit += width;
  }
  return true;
}

}  // namespace

void put_column(std::string& out, std::span<const std::uint64_t> values) {
  if (values.empty()) return;
  if (std::all_of(values.begin(), values.end(), [&](std::uint64_t value) { return value == values[0]; })) {
    out.push_back(kConstant);
    put_varint(out, values[0]);
  } else if (varints_size(values) <= packed_size(values)) {
    out.push_back(kVarints);
    for (const std::uint64_t value : values) put_varint(out, value);
  } else {
    out.push_back(kPacked);
    for (std::size_t at = 0; at < values.size(); at += kBlock) put_block(out, block_at(values, at));
  }
}

bool take_column(ByteReader& in, std::span<std::uint64_t> values) {
  if (values.empty()) return in.ok();
  switch (in.u8()) {
    case kConstant:
      std::fill(values.begin(), values.end(), in.varint());
      return in.ok();
    case kVarints:
      if (in.left() < values.size()) return false;
      for (std::uint64_t& value : values) value = in.varint();
      return in.ok();
    case kPacked:
      for (std::size_t at = 0; at < values.size(); at += kBlock) {
        if (!take_block(in, values.subspan(at, std::min(kBlock, values.size() - at)))) return false;
      }
      return true;
    default:
      return false;
  }
}

void put_planes(std::string& out, std::span<const std::uint64_t> values) {
  if (values.empty()) return;
  std::uint64_t any = 0;
  for (const std::uint64_t value : values) any |= value;
  std::uint8_t present = 0;
  for (unsigned plane = 0; plane < 8; ++plane) {
    if (((any >> (8 * plane)) & 0xFF) != 0) present = static_cast<std::uint8_t>(present | 1u << plane);
  }
  out.push_back(static_cast<char>(present));
  for (unsigned plane = 0; plane < 8; ++plane) {
    if ((present >> plane & 1) == 0) continue;
    for (const std::uint64_t value : values) out.push_back(static_cast<char>(value >> (8 * plane)));
  }
}

bool take_planes(ByteReader& in, std::span<std::uint64_t> values) {
  if (values.empty()) return in.ok();
  const std::uint8_t present = in.u8();
  std::fill(values.begin(), values.end(), 0);
  for (unsigned plane = 0; plane < 8; ++plane) {
    if ((present >> plane & 1) == 0) continue;
    const std::string_view bytes = in.take(values.size());
    if (!in.ok()) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      values[i] |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * plane);
    }
  }
  return in.ok();
}

}  // namespace tidegate::journal
