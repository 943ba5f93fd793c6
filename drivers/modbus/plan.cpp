#include "drivers/modbus/plan.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace tidegate::drivers::modbus {
namespace {

Span joined(const Span& a, const Span& b) {
  return {a.table, a.first, static_cast<std::uint16_t>(std::max(a.end(), b.end()) - a.first)};
}

Block block_of(std::vector<std::size_t> numbers, std::span<const Span> wanted) {
  Span whole = wanted[numbers.front()];
  for (const std::size_t number : numbers) whole = joined(whole, wanted[number]);
  return {whole, std::move(numbers)};
}

/// Where a block can be cut: before its number `at`, with so many registers between.
struct Seam {
  std::size_t at;
  std::uint32_t gap;
};

bool better(const Seam& a, const Seam& b, std::size_t count) {
  if (a.gap != b.gap) return a.gap > b.gap;
  const auto off = [count](const Seam& seam) {
    return seam.at * 2 > count ? seam.at * 2 - count : count - seam.at * 2;
  };
  return off(a) < off(b);
}

}  // namespace

std::vector<Block> plan(std::span<const Span> wanted, const Limits& limits) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(wanted[a].table, wanted[a].first) < std::pair(wanted[b].table, wanted[b].first);
  });
  std::vector<Block> blocks;
  for (const std::size_t number : order) {
    const Span& next = wanted[number];
    const bool bits = is_bits(next.table);
    const std::uint32_t gap = limits.gap * (bits ? 16u : 1u), most = bits ? limits.bits : limits.registers;
    if (!blocks.empty() && blocks.back().span.table == next.table && next.first <= blocks.back().span.end() + gap &&
        std::max(blocks.back().span.end(), next.end()) - blocks.back().span.first <= most) {
      blocks.back().span = joined(blocks.back().span, next);
      blocks.back().wanted.push_back(number);
    } else {
      blocks.push_back({next, {number}});
    }
  }
  return blocks;
}

std::optional<std::pair<Block, Block>> split(const Block& block, std::span<const Span> wanted) {
  const std::vector<std::size_t>& numbers = block.wanted;
  std::optional<Seam> best;
  std::uint32_t end = wanted[numbers.front()].end();
  for (std::size_t at = 1; at < numbers.size(); ++at) {
    const Span& next = wanted[numbers[at]];
    if (next.first >= end) {
      const Seam seam{at, next.first - end};
      if (!best || better(seam, *best, numbers.size())) best = seam;
    }
    end = std::max(end, next.end());
  }
  if (!best) return std::nullopt;
  const auto cut = numbers.begin() + static_cast<std::ptrdiff_t>(best->at);
  return std::pair(block_of({numbers.begin(), cut}, wanted), block_of({cut, numbers.end()}, wanted));
}

}  // namespace tidegate::drivers::modbus
