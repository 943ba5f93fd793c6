#include "drivers/writable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/load.h"
#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Reading kOn{Reading::Type::boolean, 1}, kNull{Reading::Type::null};

Reading number(double value) { return {Reading::Type::number, value}; }
Reading word(std::string_view text) { return {Reading::Type::text, 0, text}; }

/// `yaml`: the options of a point, with `writable`.
std::optional<Writable> writable_of(const std::string& yaml, SeriesKind natural, config::Problems& problems) {
  auto fields = value_fields();
  auto how = writable_fields();
  how.push_back(config::optional("states", config::Shape::list(config::Shape::text()), "What it may be set to."));
  fields.push_back(config::required("writable", config::Shape::object("How.", std::move(how)), "How."));
  config::Node node = config::parse(yaml, "test.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::object("A point.", std::move(fields)), problems);
  if (!problems.empty()) return std::nullopt;
  const ValueOptions value = read_value(node, problems);
  return read_writable(node["writable"], "d/p", natural, value, problems);
}

Writable writable_of(const std::string& yaml, SeriesKind natural = SeriesKind::number) {
  config::Problems problems;
  auto writable = writable_of(yaml, natural, problems);
  EXPECT_EQ(problems.text(), "");
  return writable.value_or(Writable{});
}

std::string problem_of(const std::string& yaml, SeriesKind natural = SeriesKind::number) {
  config::Problems problems;
  EXPECT_FALSE(writable_of(yaml, natural, problems));
  return problems.text();
}

/// What a device takes for what people write; the error's text where it takes none.
std::string taken(const std::string& yaml, std::string_view wished, SeriesKind natural = SeriesKind::number) {
  const Writable writable = writable_of(yaml, natural);
  const Result<Reading> value = to_device(writable, wished);
  if (!value) {
    EXPECT_EQ(value.error().code, Errc::invalid);
    return value.error().text;
  }
  return value->type == Reading::Type::text ? std::string(value->text) : number_text(value->number);
}

constexpr const char* kDegrees = "{unit: °C, scale: 0.5, offset: -10, writable: {min: -5, max: 30, interlock: d/may}}";
constexpr const char* kCodes = "{enum: {3: running, 0: stopped}, writable: {}}";
constexpr const char* kTexts = "{kind: state, writable: {states: [heat, cool]}}";

TEST(Writable, SaysWhatItTakes) {
  const WritablePoint degrees = writable_of(kDegrees).point;
  EXPECT_EQ(degrees.series, "d/p");
  EXPECT_EQ(degrees.unit, "°C");
  EXPECT_EQ(degrees.interlock, "d/may");
  EXPECT_EQ(std::pair(degrees.min, degrees.max), std::pair(-5.0, 30.0));
  EXPECT_THAT(writable_of(kCodes).point.states, ElementsAre("running", "stopped"));
  EXPECT_THAT(writable_of(kTexts).point.states, ElementsAre("heat", "cool"));
  EXPECT_EQ(writable_of("{writable: {}}", SeriesKind::boolean).point.kind, SeriesKind::boolean);
}

TEST(Writable, TakesTheInverseOfWhatIsShown) {
  EXPECT_EQ(taken(kDegrees, "15"), "50");
  EXPECT_EQ(taken("{writable: {}}", "Off", SeriesKind::boolean), "0");
  EXPECT_EQ(taken("{writable: {}}", "true", SeriesKind::boolean), "1");
  EXPECT_EQ(taken(kCodes, "running"), "3");
  EXPECT_EQ(taken(kTexts, "cool"), "cool");
}

TEST(Writable, ANumberMayHaveThePointsOwnUnit) {
  for (const char* wished : {"15 °C", "15°C", " 15 °C "}) EXPECT_EQ(taken(kDegrees, wished), "50") << wished;
  for (const char* wished : {"15 K", "15 °C °C", "°C", "15 C"})
    EXPECT_EQ(taken(kDegrees, wished), fmt::format("d/p: '{}' is no number of °C", wished));
  EXPECT_EQ(taken("{writable: {min: 0, max: 60}}", "15 °C"), "d/p: '15 °C' is no number");
}

TEST(Writable, RefusesWhatThePointDoesNotTake) {
  EXPECT_EQ(taken(kDegrees, "30.1"), "d/p: 30.1 is not within -5 and 30");
  EXPECT_EQ(taken(kDegrees, "warm"), "d/p: 'warm' is no number of °C");
  EXPECT_EQ(taken(kDegrees, "nan"), "d/p: 'nan' is no number of °C");
  EXPECT_EQ(taken("{writable: {}}", "2", SeriesKind::boolean), "d/p: '2' is none of on and off");
  EXPECT_EQ(taken(kCodes, "flying"), "d/p: 'flying' is none of running, stopped");
  EXPECT_EQ(taken(kTexts, "HEAT"), "d/p: 'HEAT' is none of heat, cool");
}

TEST(Writable, TakesTheStepsOfItsPointAndNothingBetween) {
  WritablePoint tenths{.series = "d/p", .min = -1.2, .max = 70};
  tenths.step = 0.1;
  for (int n = -12; n <= 700; ++n) EXPECT_TRUE(takes(tenths, number_text(n / 10.0))) << n;
  EXPECT_EQ(takes(tenths, "62.34").error().text, "d/p: 62.34 lies between two values that it takes, 62.3 and 62.4");
  EXPECT_EQ(takes(tenths, "-1.15").error().code, Errc::invalid);
  tenths.step = 0;
  EXPECT_TRUE(takes(tenths, "62.34"));
}

TEST(Writable, KnowsWhetherTheDeviceShowsWhatWasWritten) {
  const Writable degrees = writable_of("{scale: 0.1, unit: °C, faults: {999: broken}, writable: {min: 0, max: 90}}");
  const Reading written = *to_device(degrees, "62.3");
  EXPECT_TRUE(is_same(degrees, written, number(623))) << "though 62.3 / 0.1 is not 623";
  EXPECT_TRUE(is_same(degrees, written, word("623")));
  EXPECT_FALSE(is_same(degrees, written, number(622)));
  EXPECT_FALSE(is_same(degrees, written, kNull));
  EXPECT_EQ(shows_instead(degrees, written, shown(degrees, number(622))).value().text,
            "d/p: written, but it shows 62.2 °C instead of 62.3 °C");
  EXPECT_EQ(shown(degrees, number(999)), "broken");
  EXPECT_EQ(shown(degrees, kNull), "no value");

  const Writable lamp = writable_of("{writable: {}}", SeriesKind::boolean);
  EXPECT_TRUE(is_same(lamp, kOn, word("ON")));
  EXPECT_FALSE(is_same(lamp, kOn, number(0)));
  EXPECT_EQ(shown(lamp, word("off")), "off");

  const Writable mode = writable_of(kCodes);
  EXPECT_TRUE(is_same(mode, number(3), number(3)));
  EXPECT_EQ(shown(mode, number(0)), "stopped");
  EXPECT_EQ(shown(mode, number(7)), "7");
  EXPECT_TRUE(is_same(writable_of(kTexts), word("heat"), word("heat")));
  EXPECT_FALSE(is_same(writable_of(kTexts), word("heat"), word("cool")));
}

TEST(WritableOptions, ThatMakeNoSenseAreProblems) {
  EXPECT_THAT(problem_of("{writable: {max: 5}}"), HasSubstr("needs its min and max"));
  EXPECT_THAT(problem_of("{writable: {min: 6, max: 5}}"), HasSubstr("min is more than max"));
  EXPECT_THAT(problem_of("{scale: 0, writable: {min: 0, max: 5}}"), HasSubstr("with a scale of 0"));
  EXPECT_THAT(problem_of("{writable: {min: 0, max: 1}}", SeriesKind::boolean), HasSubstr("has no min and max"));
  EXPECT_THAT(problem_of("{kind: state, writable: {}}"), HasSubstr("needs words"));
  EXPECT_THAT(problem_of("{enum: {1: x}, writable: {states: [x]}}"), HasSubstr("without an enum"));
  EXPECT_THAT(problem_of("{writable: {min: 0, max: 5, interlock: \"a/#\"}}"), HasSubstr("whole name of a series"));
}

}  // namespace
}  // namespace tidegate::drivers
