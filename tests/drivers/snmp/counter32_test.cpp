#include "drivers/snmp/counter32.h"

#include <gtest/gtest.h>

namespace tidegate::drivers::snmp {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMost = 0xFFFFFFFF;
constexpr Timestamp kBegin{std::chrono::hours(500'000)};

Varbind says(std::uint32_t value, std::optional<std::uint32_t> started = 1000, std::uint32_t row = 1) {
  return {Oid({1, 3, row}), Varbind::Type::counter32, static_cast<double>(value), "", started};
}

/// A counter that is read each 10 s.
class SnmpCounter32 : public testing::Test {
 protected:
  bool wraps(const Varbind& varbind) { return count_.take(varbind, now_ += 10s).has_value(); }
  /// How long after `from` it was at its range; -1 s: it was not.
  static Micros after(Timestamp from, std::optional<Timestamp> wrap) { return wrap ? *wrap - from : Micros{-1s}; }

  Counter32 count_;
  Timestamp now_ = kBegin;
};

TEST_F(SnmpCounter32, WrapsWhereItIsSmallerByMoreThanHalfOfItsRange) {
  EXPECT_FALSE(wraps(says(0)));
  EXPECT_FALSE(wraps(says(0x7FFFFFFF)));
  EXPECT_FALSE(wraps(says(kMost)));
  EXPECT_FALSE(wraps(says(kMost))) << "it rested";
  EXPECT_TRUE(wraps(says(0)));
  EXPECT_FALSE(wraps(says(0x80000001))) << "more is more, however much";
  EXPECT_TRUE(wraps(says(0))) << "2^31 - 1 is a wrap";
}

TEST_F(SnmpCounter32, OfWhichHalfOfTheRangeOrMoreWouldBeMissingWasCleared) {
  wraps(says(0x80000000));
  EXPECT_FALSE(wraps(says(0)));
  wraps(says(1000));
  EXPECT_FALSE(wraps(says(999)));
}

TEST_F(SnmpCounter32, WasAtItsRangeAsIfItHadCountedEvenly) {
  const auto wrap_of = [](std::uint32_t before, std::uint32_t now) {
    Counter32 count;
    count.take(says(before), kBegin);
    return after(kBegin, count.take(says(now), kBegin + 10s));
  };
  EXPECT_EQ(wrap_of(kMost - 99, 100), 5s);
  EXPECT_EQ(wrap_of(kMost - 99, 300), 2500ms);
  EXPECT_EQ(wrap_of(kMost - 299, 100), 7500ms);
  EXPECT_EQ(wrap_of(kMost - 99, 0), 10s - 1ms) << "not with the reading";
  EXPECT_EQ(wrap_of(kMost, 0x7FFFFF00), 1ms);
}

TEST_F(SnmpCounter32, WrapsBetweenTwoReadingsHoweverCloseTheyAre) {
  const auto wrap_in = [](Micros gap) {
    Counter32 count;
    count.take(says(kMost - 99), kBegin);
    return after(kBegin, count.take(says(0), kBegin + gap));
  };
  EXPECT_EQ(wrap_in(1ms), 500us);
  EXPECT_EQ(wrap_in(2us), 1us);
  EXPECT_EQ(wrap_in(1us), -1s) << "there is no time between them";
  EXPECT_EQ(wrap_in(0us), -1s);
}

TEST_F(SnmpCounter32, WrapsBehindTheReadingsThatGaveNothing) {
  const auto wrap_after = [](Micros missed) {
    Counter32 count;
    count.take(says(kMost - 99), kBegin);
    count.miss(kBegin + 1s);
    count.miss(kBegin + missed);
    return after(kBegin, count.take(says(100), kBegin + 10s));
  };
  EXPECT_EQ(wrap_after(4s), 5s);
  EXPECT_EQ(wrap_after(8s), 8s + 1ms);
  EXPECT_EQ(wrap_after(10s - 1ms), 10s - 500us);
}

TEST_F(SnmpCounter32, BeginsAnewWithItsAgent) {
  wraps(says(kMost));
  EXPECT_FALSE(wraps(says(5, 1301)));
  wraps(says(0x7FFFFFFF, 1301)), wraps(says(kMost, 1301));
  EXPECT_TRUE(wraps(says(6, 1301))) << "and it is this agent that runs on";
}

TEST_F(SnmpCounter32, TheAgentsStartIsAboutTheSame) {
  for (const std::uint32_t first : {1000u, 100u, kMost - 100, 0u}) {
    for (const std::uint32_t later : {first + 300, first - 300, first}) {
      wraps(says(kMost, first));
      EXPECT_TRUE(wraps(says(1, later))) << first << ' ' << later;
    }
    for (const std::uint32_t later : {first + 301, first - 301, first + 0x80000000u}) {
      wraps(says(kMost, first));
      EXPECT_FALSE(wraps(says(1, later))) << first << ' ' << later;
    }
  }
}

TEST_F(SnmpCounter32, WithoutAnUptimeHasBegunAnew) {
  for (const auto& [first, later] : std::vector<std::pair<std::optional<std::uint32_t>, std::optional<std::uint32_t>>>{
           {{}, {}}, {1000, {}}, {{}, 1000}}) {
    wraps(says(kMost, first));
    EXPECT_FALSE(wraps(says(1, later)));
  }
}

TEST_F(SnmpCounter32, OfAnotherInstanceIsAnother) {
  wraps(says(kMost));
  EXPECT_FALSE(wraps(says(2, 1000, 2)));
  wraps(says(kMost, 1000, 2));
  EXPECT_FALSE(wraps(says(3)));
}

}  // namespace
}  // namespace tidegate::drivers::snmp
