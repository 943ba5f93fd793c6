#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "drivers/modbus/registers.h"

/// Which requests read the points of a device. Pure; any thread.
namespace tidegate::drivers::modbus {

/// What one request may ask for, and how many registers that nobody wants it may read along.
struct Limits {
  static constexpr std::uint16_t kMostRegisters = 125, kMostBits = 2000;  ///< of the specification
  std::uint16_t registers = kMostRegisters;
  std::uint16_t bits = kMostBits;
  std::uint16_t gap = 8;  ///< of bits, sixteen times as many
};

/// One request: it reads `span`, which covers those of the wanted ones that it names, by their place in the list.
struct Block {
  Span span;
  std::vector<std::size_t> wanted;
};

/// Requests that cover all that is wanted, each span whole in one of them; in order of table and address. A span wider
/// than the limit is a request of its own.
std::vector<Block> plan(std::span<const Span> wanted, const Limits& limits);

/// The block in two, cut where it reads most that nobody wants, else near its middle: of a block that a device refuses,
/// one half may be good. Nothing where it has no seam.
std::optional<std::pair<Block, Block>> split(const Block& block, std::span<const Span> wanted);

}  // namespace tidegate::drivers::modbus
