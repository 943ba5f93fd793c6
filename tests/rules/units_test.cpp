#include "rules/units.h"

#include <gtest/gtest.h>

namespace tidegate::rules {
namespace {

TEST(Units, TemperaturesConvertWithTheirOffset) {
  EXPECT_EQ(convert(90, "°C", "°F"), 194);
  EXPECT_EQ(convert(32, "°F", "°C"), 0);
  EXPECT_EQ(convert(-40, "°F", "°C"), -40);
  EXPECT_EQ(convert(0, "°C", "K"), 273.15);
  EXPECT_EQ(convert(20.5, "C", "°C"), 20.5);
}

TEST(Units, DifferencesConvertWithoutTheOffset) {
  EXPECT_EQ(convert_difference(10, "°C", "°F"), 18);
  EXPECT_EQ(convert_difference(10, "K", "°C"), 10);
  EXPECT_EQ(convert_difference(1.5, "bar", "kPa"), 150);
}

TEST(Units, TheUsualOnesConvertExactly) {
  EXPECT_EQ(convert(2.5, "bar", "mbar"), 2500);
  EXPECT_EQ(convert(1, "kWh", "MJ"), 3.6);
  EXPECT_EQ(convert(1, "m³/h", "L/min"), 16.6666666667);
  EXPECT_EQ(convert(1500, "rpm", "Hz"), 25);
  EXPECT_EQ(convert(36, "km/h", "m/s"), 10);
  EXPECT_EQ(convert(1, "MiB", "bytes"), 1048576);
  EXPECT_EQ(convert(1, "in", "mm"), 25.4);
}

TEST(Units, NoUnitTakesTheOther) {
  EXPECT_EQ(convert(5, "", "bar"), 5);
  EXPECT_EQ(convert(5, "bar", ""), 5);
}

TEST(Units, WhatIsNotInTheTableConvertsToItselfOnly) {
  EXPECT_EQ(convert(5, "widgets", "widgets"), 5);
  EXPECT_EQ(convert(5, "widgets", "bar"), std::nullopt);
}

TEST(Units, DifferentMeasuresDoNotConvert) {
  EXPECT_EQ(convert(5, "bar", "°C"), std::nullopt);
  EXPECT_EQ(convert(5, "kW", "kWh"), std::nullopt);
  EXPECT_EQ(convert(5, "kVA", "kW"), std::nullopt);
}

TEST(Units, BothMicroSignsAreOne) { EXPECT_EQ(convert(5, "\u03BCm", "\u00B5m"), 5); }

TEST(Units, ARateIsAUnitAndATime) {
  const auto rate = parse_rate_unit("L/min/h");
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->unit, "L/min");
  EXPECT_EQ(rate->per, "h");
  EXPECT_EQ(rate->seconds, 3600);
  EXPECT_EQ(parse_rate_unit("/d")->unit, "");
  EXPECT_FALSE(parse_rate_unit("°C"));
  EXPECT_FALSE(parse_rate_unit("m/kg"));
}

TEST(Units, ThatDifferInCapitalsAloneAreToldSo) {
  EXPECT_FALSE(convert(1, "Bar", "bar"));
  EXPECT_NE(capitals_hint("Bar", "bar"), "");
  EXPECT_EQ(capitals_hint("bar", "°C"), "");
  EXPECT_EQ(capitals_hint("bar", "bars"), "");
}

}  // namespace
}  // namespace tidegate::rules
