#include "drivers/modbus/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tidegate::drivers::modbus {
namespace {

using Registers = std::vector<std::uint16_t>;
constexpr Order kOrders[] = {Order::abcd, Order::badc, Order::cdab, Order::dcba};

double number(const Registers& registers, Type type, Order order = Order::abcd) {
  std::string text;
  const Reading reading = decode(registers, {type, order}, text);
  EXPECT_EQ(reading.type, Reading::Type::number);
  return reading.number;
}

TEST(Decoding, KnowsTheFourOrdersOfThirtyTwoBits) {
  EXPECT_EQ(number({0x0102, 0x0304}, Type::uint32, Order::abcd), 0x01020304);
  EXPECT_EQ(number({0x0102, 0x0304}, Type::uint32, Order::badc), 0x02010403);
  EXPECT_EQ(number({0x0102, 0x0304}, Type::uint32, Order::cdab), 0x03040102);
  EXPECT_EQ(number({0x0102, 0x0304}, Type::uint32, Order::dcba), 0x04030201);
}

TEST(Decoding, TurnsAllFourWordsOfSixtyFourBits) {
  EXPECT_EQ(number({0, 0, 0, 5}, Type::uint64, Order::abcd), 5);
  EXPECT_EQ(number({5, 0, 0, 0}, Type::uint64, Order::cdab), 5);
  EXPECT_EQ(number({0x0500, 0, 0, 0}, Type::uint64, Order::dcba), 5);
  EXPECT_EQ(number({0, 0, 0, 0x0500}, Type::uint64, Order::badc), 5);
}

TEST(Decoding, SwapsTheBytesOfSixteenBitsWhereTheOrderDoes) {
  EXPECT_EQ(number({0x0102}, Type::uint16, Order::cdab), 0x0102);
  EXPECT_EQ(number({0x0102}, Type::uint16, Order::badc), 0x0201);
  EXPECT_EQ(number({0xfeff}, Type::int16, Order::dcba), -2);
}

TEST(Decoding, KnowsSignsAndBounds) {
  EXPECT_EQ(number({0x8000}, Type::int16), -32768);
  EXPECT_EQ(number({0x8000, 0}, Type::int32), -2147483648.0);
  EXPECT_EQ(number({0xffff, 0xffff, 0xffff, 0xffff}, Type::int64), -1);
  EXPECT_EQ(number({0xffff, 0xffff, 0xffff, 0xffff}, Type::uint64), 18446744073709551615.0);
  EXPECT_FLOAT_EQ(static_cast<float>(number({0x4366, 0x3333}, Type::float32)), 230.2F);
  EXPECT_EQ(number({0x3ff0, 0, 0, 0}, Type::float64), 1);
}

TEST(Decoding, WhatIsNoNumberSaysSo) {
  std::string text;
  for (const Registers& none : {Registers{0x7fc0, 0}, Registers{0x7f80, 0}, Registers{0xff80, 0}}) {
    EXPECT_EQ(decode(none, {Type::float32}, text).type, Reading::Type::not_a_number);
  }
  EXPECT_EQ(decode(Registers{0x12a4}, {Type::bcd16}, text).type, Reading::Type::not_a_number);
  EXPECT_EQ(decode(Registers{0x7ff0, 0, 0, 0}, {Type::float64}, text).type, Reading::Type::not_a_number);
  EXPECT_EQ(number({0x9876}, Type::bcd16), 9876);
  EXPECT_EQ(number({0x1234, 0x5678}, Type::bcd32), 12345678);
}

TEST(Decoding, TextEndsAtZeroAndHasNoBlanksAround) {
  const auto text_of = [](const Registers& registers, Order order = Order::abcd) {
    std::string text;
    const Reading reading = decode(registers, {Type::string, order, static_cast<std::uint8_t>(registers.size())}, text);
    return reading.type == Reading::Type::text ? std::string(reading.text) : "(none)";
  };
  EXPECT_EQ(text_of({0x5444, 0x2020}), "TD");
  EXPECT_EQ(text_of({0x5444, 0x0041}), "TD");
  EXPECT_EQ(text_of({0x4454, 0x2020}, Order::badc), "TD");
  EXPECT_EQ(text_of({0x4454, 0x2020}, Order::dcba), "TD") << "the registers of a text keep their order";
  EXPECT_EQ(text_of({0, 0}), "(none)");
  EXPECT_EQ(text_of({0x41ff, 0x0742}), "A\\xff\\x07B");
}

TEST(Decoding, CutsOutBits) {
  std::string text;
  Format format{Type::uint16};
  format.first_bit = 15;
  format.bits = 1;
  EXPECT_EQ(decode(Registers{0x8000}, format, text).number, 1);
  EXPECT_EQ(decode(Registers{0x8000}, format, text).type, Reading::Type::boolean);
  format = {Type::uint32};
  format.first_bit = 0;
  format.bits = 32;
  EXPECT_EQ(decode(Registers{0xffff, 0xffff}, format, text).number, 4294967295.0);
  format.first_bit = 4;
  format.bits = 8;
  EXPECT_EQ(decode(Registers{0, 0x05c3}, format, text).number, 0x5c);
}

TEST(Decoding, KnowsPowersOfTen) {
  EXPECT_EQ(power_of_ten(0xfffe, Order::abcd), 0.01);
  EXPECT_EQ(power_of_ten(0xfeff, Order::badc), 0.01);
  EXPECT_EQ(power_of_ten(3, Order::cdab), 1000);
  EXPECT_EQ(power_of_ten(0x8000, Order::abcd), std::nullopt) << "SunSpec: not implemented";
}

TEST(Encoding, IsTheInverseOfDecodingForEveryTypeInEveryOrder) {
  struct Case {
    Type type;
    std::vector<double> values;
  };
  const Case cases[] = {{Type::int16, {-32768, -1, 0, 32767}},
                        {Type::uint16, {0, 1, 65535}},
                        {Type::int32, {-2147483648.0, -1, 2147483647}},
                        {Type::uint32, {0, 4294967295.0}},
                        {Type::int64, {-9223372036854775808.0, -1, 9007199254740991.0}},
                        {Type::uint64, {0, 18446744073709549568.0}},
                        {Type::float32, {-0.5, 0, 0x1.8p100}},
                        {Type::float64, {-0.1, 0, 1e300}},
                        {Type::bcd16, {0, 9, 1234, 9999}},
                        {Type::bcd32, {0, 12345678, 99999999}}};
  for (const Case& one : cases) {
    for (const Order order : kOrders) {
      for (const double value : one.values) {
        const auto registers = encode({Reading::Type::number, value}, {one.type, order});
        ASSERT_TRUE(registers) << registers.error().text;
        EXPECT_EQ(registers->size(), width({one.type, order}));
        EXPECT_EQ(number(*registers, one.type, order), value) << static_cast<int>(one.type);
      }
    }
  }
}

TEST(Encoding, RefusesWhatDoesNotFit) {
  const std::pair<Type, double> cases[] = {{Type::int16, 32768},
                                           {Type::int16, -32769},
                                           {Type::uint16, -1},
                                           {Type::uint16, 65536},
                                           {Type::int32, 3e9},
                                           {Type::uint32, 4294967296.0},
                                           {Type::int64, 9223372036854775808.0},
                                           {Type::uint64, 18446744073709551616.0},
                                           {Type::float32, 1e39},
                                           {Type::bcd16, 10000},
                                           {Type::bcd32, -1},
                                           {Type::bit, 2},
                                           {Type::int16, std::numeric_limits<double>::quiet_NaN()}};
  for (const auto& [type, value] : cases) {
    EXPECT_FALSE(encode({Reading::Type::number, value}, {type})) << static_cast<int>(type) << ' ' << value;
  }
  EXPECT_FALSE(encode({Reading::Type::text, 0, "12"}, {Type::uint16}));
  EXPECT_EQ(*encode({Reading::Type::number, 20.6}, {Type::uint16}), Registers{21}) << "rounded to what it takes";
}

}  // namespace
}  // namespace tidegate::drivers::modbus
