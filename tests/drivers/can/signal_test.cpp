#include "drivers/can/signal.h"

#include <gtest/gtest.h>

#include <random>

namespace tidegate::drivers::can {
namespace {

Signal signal(unsigned start, unsigned length, bool motorola = false,
              Signal::Type type = Signal::Type::unsigned_integer) {
  Signal made;
  made.start = start;
  made.length = length;
  made.motorola = motorola;
  made.type = type;
  return made;
}

double value(const Signal& of, std::vector<std::uint8_t> data) { return raw_value(of, *raw_bits(of, data)); }

TEST(CanSignal, IsReadInBothByteOrders) {
  EXPECT_EQ(value(signal(8, 16), {0, 0x34, 0x12}), 0x1234);
  EXPECT_EQ(value(signal(15, 16, true), {0, 0x12, 0x34}), 0x1234);
  EXPECT_EQ(value(signal(3, 12, true), {0xFA, 0xBC}), 0xABC);
  EXPECT_EQ(value(signal(4, 12), {0xC0, 0xAB}), 0xABC);
  EXPECT_EQ(value(signal(0, 1), {0x01}), 1);
  EXPECT_EQ(value(signal(7, 1, true), {0x80}), 1);
  EXPECT_EQ(value(signal(0, 64), {1, 0, 0, 0, 0, 0, 0, 0x80}), 9223372036854775809.0);
  EXPECT_EQ(value(signal(7, 64, true), {0, 0, 0, 0, 0, 0, 1, 2}), 258);
}

TEST(CanSignal, HasASignOrIsAFloat) {
  using enum Signal::Type;
  EXPECT_EQ(value(signal(0, 12, false, signed_integer), {0x9C, 0x0F}), -100);
  EXPECT_EQ(value(signal(0, 64, false, signed_integer), {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), -1);
  EXPECT_EQ(value(signal(0, 1, false, signed_integer), {1}), -1);
  EXPECT_EQ(value(signal(0, 32, false, float32), {0, 0, 0x48, 0x41}), 12.5);
  EXPECT_EQ(value(signal(7, 64, true, float64), {0x40, 0x29, 0, 0, 0, 0, 0, 0}), 12.5);
}

TEST(CanSignal, ThatIsNotWhollyThereIsNone) {
  const std::vector<std::uint8_t> two = {1, 2};
  EXPECT_FALSE(raw_bits(signal(8, 9), two));
  EXPECT_FALSE(raw_bits(signal(16, 1), two));
  EXPECT_FALSE(raw_bits(signal(7, 17, true), two));
  EXPECT_TRUE(raw_bits(signal(7, 16, true), two));
  EXPECT_FALSE(raw_bits(signal(0, 65), two));
  EXPECT_FALSE(raw_bits(signal(0, 0), two));
}

// The two orders are the same bits from the other end: Motorola's of the bytes turned round.
TEST(CanSignal, OfEveryPlaceIsTheSameInBothOrders) {
  std::mt19937_64 random(7);
  for (unsigned length = 1; length <= 64; ++length) {
    for (unsigned start = 0; start + length <= 64; ++start) {
      std::vector<std::uint8_t> data(8);
      for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
      const std::vector<std::uint8_t> turned(data.rbegin(), data.rend());
      const unsigned top = start + length - 1;  // in the turned bytes its byte is 7 less
      const unsigned motorola = (7 - top / 8) * 8 + top % 8;
      EXPECT_EQ(raw_bits(signal(start, length), data), raw_bits(signal(motorola, length, true), turned))
          << start << ' ' << length;
    }
  }
}

TEST(CanJ1939, GroupsAreWithoutPriorityAndSender) {
  EXPECT_EQ(pgn_of(0x0CF00400), 61444u);
  EXPECT_EQ(pgn_of(0x18F00425), 61444u);
  EXPECT_EQ(pgn_of(0x18FEF100), 65265u);
  EXPECT_EQ(pgn_of(0x18EA0021), pgn_of(0x18EAFF21)) << "of one that has a destination, whatever it is";
  EXPECT_NE(pgn_of(0x19F00400), 61444u) << "another data page";
}

TEST(CanJ1939, TheHighestValuesSayThatThereIsNone) {
  EXPECT_EQ(j1939_availability(signal(0, 8), 0xFA), Availability::available);
  EXPECT_EQ(j1939_availability(signal(0, 8), 0xFE), Availability::error);
  EXPECT_EQ(j1939_availability(signal(0, 16), 0xFF00), Availability::not_available);
  EXPECT_EQ(j1939_availability(signal(0, 16), 0xFAFF), Availability::available);
  EXPECT_EQ(j1939_availability(signal(0, 2), 3), Availability::not_available);
  EXPECT_EQ(j1939_availability(signal(0, 2), 2), Availability::error);
  EXPECT_EQ(j1939_availability(signal(0, 1), 1), Availability::available);
}

}  // namespace
}  // namespace tidegate::drivers::can
