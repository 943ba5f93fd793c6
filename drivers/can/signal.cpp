#include "drivers/can/signal.h"

#include <bit>

namespace tidegate::drivers::can {
namespace {

constexpr unsigned kByte = 8;

// The bit after one on the way down: within a byte, then on to the highest of the next.
unsigned below(unsigned bit) { return bit % kByte == 0 ? bit + 2 * kByte - 1 : bit - 1; }

bool bit_of(std::span<const std::uint8_t> data, unsigned bit) {
  return ((data[bit / kByte] >> (bit % kByte)) & 1u) != 0;
}

}  // namespace

bool fits(const Signal& signal, std::size_t bytes) {
  if (signal.length < 1 || signal.length > 64 || signal.start >= bytes * kByte) return false;
  if (!signal.motorola) return signal.start + signal.length <= bytes * kByte;
  unsigned last = signal.start;
  for (unsigned i = 1; i < signal.length; ++i) last = below(last);
  return last < bytes * kByte;
}

std::optional<std::uint64_t> raw_bits(const Signal& signal, std::span<const std::uint8_t> data) {
  if (!fits(signal, data.size())) return std::nullopt;
  std::uint64_t bits = 0;
  unsigned at = signal.start;
  for (unsigned i = 0; i < signal.length; ++i) {
    const std::uint64_t bit = bit_of(data, at) ? 1 : 0;
    if (signal.motorola) {
      bits = (bits << 1u) | bit;
      at = below(at);
    } else {
      bits |= bit << i;
      ++at;
    }
  }
  return bits;
}

double raw_value(const Signal& signal, std::uint64_t bits) {
  switch (signal.type) {
    case Signal::Type::float32:
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case Signal::Type::float64:
      return std::bit_cast<double>(bits);
    case Signal::Type::signed_integer: {
      const unsigned unused = 64 - signal.length;
      return static_cast<double>(static_cast<std::int64_t>(bits << unused) >> unused);
    }
    default:
      return static_cast<double>(bits);
  }
}

Availability j1939_availability(const Signal& signal, std::uint64_t bits) {
  constexpr unsigned kDiscrete = 2;
  if (signal.type != Signal::Type::unsigned_integer || signal.role == Signal::Role::selector) {
    return Availability::available;
  }
  if (signal.length == kDiscrete) {
    return bits == 3 ? Availability::not_available : bits == 2 ? Availability::error : Availability::available;
  }
  if (signal.length != 8 && signal.length != 16 && signal.length != 32) return Availability::available;
  const std::uint64_t top = bits >> (signal.length - kByte);
  return top == 0xFF ? Availability::not_available : top == 0xFE ? Availability::error : Availability::available;
}

std::uint32_t pgn_of(std::uint32_t id) {
  constexpr std::uint32_t kFirstBroadcast = 240;
  const std::uint32_t pgn = (id >> 8u) & 0x3FFFFu;
  const std::uint32_t format = (pgn >> 8u) & 0xFFu;
  return format < kFirstBroadcast ? pgn & 0x3FF00u : pgn;
}

}  // namespace tidegate::drivers::can
