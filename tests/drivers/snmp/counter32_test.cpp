#include "drivers/snmp/counter32.h"

#include <gtest/gtest.h>

namespace tidegate::drivers::snmp {
namespace {

constexpr double kRange = 4294967296.0;
constexpr std::uint32_t kMost = 0xFFFFFFFF;

Varbind says(std::uint32_t value, std::optional<std::uint32_t> started = 1000, std::uint32_t row = 1) {
  return {Oid({1, 3, row}), Varbind::Type::counter32, static_cast<double>(value), "", started};
}

TEST(SnmpCounter32, CountsOnWhereItWraps) {
  Counter32 count;
  EXPECT_EQ(count.take(says(0)), 0);
  EXPECT_EQ(count.take(says(0x7FFFFFFF)), 0x7FFFFFFF);
  EXPECT_EQ(count.take(says(kMost)), kMost);
  EXPECT_EQ(count.take(says(kMost)), kMost) << "it rested";
  EXPECT_EQ(count.take(says(0)), kRange);
  EXPECT_EQ(count.take(says(0x80000001)), kRange + 0x80000001) << "more is more, however much";
  EXPECT_EQ(count.take(says(0)), 2 * kRange) << "2^31 - 1 is a wrap";
}

TEST(SnmpCounter32, OfWhichHalfOfTheRangeOrMoreWouldBeMissingWasCleared) {
  Counter32 count;
  count.take(says(0x80000000));
  EXPECT_EQ(count.take(says(0)), 0);
  count.take(says(1000));
  EXPECT_EQ(count.take(says(999)), 999);
  count.take(says(kMost));
  EXPECT_EQ(count.take(says(10)), kRange + 10);
  EXPECT_EQ(count.take(says(9)), 9) << "and nothing is left of what it had counted";
}

TEST(SnmpCounter32, BeginsAnewWithItsAgent) {
  Counter32 count;
  count.take(says(kMost));
  EXPECT_EQ(count.take(says(1)), kRange + 1);
  count.take(says(0x7FFFFFFF)), count.take(says(kMost));
  EXPECT_EQ(count.take(says(5, 1301)), 5);
  // Some agents' counters are their machine's, and outlive them: only what is smaller has begun anew.
  count.take(says(kMost, 1301));
  count.take(says(6, 1301));
  EXPECT_EQ(count.take(says(7, 9000)), kRange + 7);
}

TEST(SnmpCounter32, TheAgentsStartIsAboutTheSame) {
  for (const std::uint32_t first : {1000u, 100u, kMost - 100, 0u}) {
    for (const std::uint32_t later : {first + 300, first - 300, first}) {
      Counter32 count;
      count.take(says(kMost, first));
      EXPECT_EQ(count.take(says(1, later)), kRange + 1) << first << ' ' << later;
    }
    for (const std::uint32_t later : {first + 301, first - 301, first + 0x80000000u}) {
      Counter32 count;
      count.take(says(kMost, first));
      EXPECT_EQ(count.take(says(1, later)), 1) << first << ' ' << later;
    }
  }
}

TEST(SnmpCounter32, WithoutAnUptimeIsAsTheAgentSaysIt) {
  for (const auto& [first, later] : std::vector<std::pair<std::optional<std::uint32_t>, std::optional<std::uint32_t>>>{
           {{}, {}}, {1000, {}}, {{}, 1000}}) {
    Counter32 count;
    EXPECT_EQ(count.take(says(kMost, first)), kMost);
    EXPECT_EQ(count.take(says(1, later)), 1);
  }
}

TEST(SnmpCounter32, OfAnotherInstanceIsAnother) {
  Counter32 count;
  count.take(says(kMost));
  EXPECT_EQ(count.take(says(1)), kRange + 1);
  EXPECT_EQ(count.take(says(2, 1000, 2)), 2);
  count.take(says(kMost, 1000, 2));
  EXPECT_EQ(count.take(says(3)), 3);
}

TEST(SnmpCounter32, IsExactUpToTwoToThe53) {
  Counter32 count;
  double last = 0;
  for (int wrap = 1; wrap < 1 << 21; ++wrap) {
    count.take(says(0x7FFFFFFF)), count.take(says(kMost));
    last = count.take(says(1));
  }
  EXPECT_EQ(last, 9007194959773697.0);  // (2^21 - 1) * 2^32 + 1
  EXPECT_EQ(count.take(says(2)) - last, 1);
}

}  // namespace
}  // namespace tidegate::drivers::snmp
