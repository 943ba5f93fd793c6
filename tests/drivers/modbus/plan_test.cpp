#include "drivers/modbus/plan.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace tidegate::drivers::modbus {
namespace {

constexpr Table H = Table::holding;

std::vector<Span> spans(const std::vector<Block>& blocks) {
  std::vector<Span> all;
  for (const Block& block : blocks) all.push_back(block.span);
  return all;
}

TEST(Plan, JoinsWhatIsNear) {
  const std::vector<Span> wanted = {{H, 20, 2}, {H, 0, 2}, {H, 10, 1}, {H, 29, 1}, {Table::input, 30, 1}};
  EXPECT_EQ(spans(plan(wanted, {})), (std::vector<Span>{{H, 0, 11}, {H, 20, 10}, {Table::input, 30, 1}}))
      << "gaps of eight, nine and seven registers, of which eight are allowed";
  EXPECT_EQ(spans(plan(wanted, {.gap = 9})), (std::vector<Span>{{H, 0, 30}, {Table::input, 30, 1}}));
}

TEST(Plan, AsksForNoMoreThanTheDeviceGives) {
  std::vector<Span> wanted;
  for (std::uint16_t at = 0; at < 100; at = static_cast<std::uint16_t>(at + 2)) wanted.push_back({H, at, 2});
  EXPECT_EQ(spans(plan(wanted, {.registers = 33})),
            (std::vector<Span>{{H, 0, 32}, {H, 32, 32}, {H, 64, 32}, {H, 96, 4}}))
      << "a value is never cut in two";
  EXPECT_EQ(plan(wanted, {.registers = 1}).size(), 50u) << "what is wider than the limit stands alone";
}

TEST(Plan, ReadsBitsByBitsLimits) {
  const std::vector<Span> wanted = {{Table::coil, 0, 1}, {Table::coil, 100, 1}, {Table::coil, 2000, 1}};
  EXPECT_EQ(spans(plan(wanted, {})), (std::vector<Span>{{Table::coil, 0, 101}, {Table::coil, 2000, 1}}));
  EXPECT_EQ(plan(wanted, {.bits = 50}).size(), 3u);
}

TEST(Plan, ReadsOnceWhatSeveralPointsShare) {
  const std::vector<Span> wanted = {{H, 5, 1}, {H, 5, 1}, {H, 5, 2}};
  const auto blocks = plan(wanted, {});
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].span, (Span{H, 5, 2}));
  EXPECT_FALSE(split(blocks[0], wanted)) << "there is no seam between what overlaps";
}

TEST(Splitting, CutsAtTheLargestGapAndElseInTheMiddle) {
  std::vector<Span> wanted = {{H, 0, 1}, {H, 1, 1}, {H, 4, 1}, {H, 5, 1}, {H, 6, 1}};
  auto halves = split(plan(wanted, {})[0], wanted);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.span, (Span{H, 0, 2}));
  EXPECT_EQ(halves->second.span, (Span{H, 4, 3}));
  wanted = {{H, 0, 1}, {H, 1, 1}, {H, 2, 1}, {H, 3, 1}};
  halves = split(plan(wanted, {})[0], wanted);
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->first.span, (Span{H, 0, 2}));
}

TEST(Plan, WhateverIsWantedIsCoveredOnceWithinTheLimitsAndSplitsToTheEnd) {
  std::mt19937 random(7);
  const auto draw = [&](unsigned most) { return static_cast<std::uint16_t>(random() % (most + 1)); };
  for (int round = 0; round < 300; ++round) {
    const Limits limits{static_cast<std::uint16_t>(8 + draw(117)), static_cast<std::uint16_t>(1 + draw(1999)),
                        draw(20)};
    std::vector<Span> wanted;
    for (int i = 0; i < 1 + draw(60); ++i) {
      const auto table = static_cast<Table>(draw(3));
      const auto count = static_cast<std::uint16_t>(is_bits(table) ? 1 : 1 + draw(7));
      wanted.push_back({table, draw(400), count});
    }
    std::vector<Block> blocks = plan(wanted, limits);
    std::multiset<std::size_t> covered;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Block block = blocks[i];
      EXPECT_LE(block.span.count, is_bits(block.span.table) ? limits.bits : limits.registers);
      for (const std::size_t number : block.wanted) {
        EXPECT_EQ(wanted[number].table, block.span.table);
        EXPECT_TRUE(wanted[number].first >= block.span.first && wanted[number].end() <= block.span.end());
      }
      if (auto halves = split(block, wanted)) {
        EXPECT_LE(halves->first.span.end(), halves->second.span.first);
        EXPECT_EQ(halves->first.wanted.size() + halves->second.wanted.size(), block.wanted.size());
        blocks[i--] = halves->first;
        blocks.push_back(halves->second);
      } else {
        covered.insert(block.wanted.begin(), block.wanted.end());
      }
    }
    ASSERT_EQ(covered.size(), wanted.size());
    EXPECT_EQ(std::set(covered.begin(), covered.end()).size(), wanted.size()) << "each once";
  }
}

}  // namespace
}  // namespace tidegate::drivers::modbus
