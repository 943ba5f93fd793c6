#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

const double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(ExpressionValue, Precedence) {
  EXPECT_EQ(value_of("1 + 2 * 3 - value", {0}), "7");
  EXPECT_EQ(value_of("-value * 2 + 1", {3}), "-5");
  EXPECT_EQ(value_of("8 / 4 / 2 + value", {0}), "1");
  EXPECT_EQ(value_of("8 - 4 - 2 + value", {0}), "2");
  EXPECT_EQ(value_of("value > 1 or value > 5 and value > 7", {2}), "1");
  EXPECT_EQ(value_of("not value > 1 and value > 5", {0}), "0");
  EXPECT_EQ(value_of("not value == 3", {3}), "0");
}

/// Kleene's tables: `a` is 0, 1 or unknown.
TEST(ExpressionValue, UnknownIsNeitherTrueNorFalse) {
  const std::vector<std::pair<double, std::string>> kThree{{0, "0"}, {1, "1"}, {kNone, "unknown"}};
  const Named booleans{{"a", input("", SeriesKind::boolean)}, {"b", input("", SeriesKind::boolean)}};
  for (const auto& [a, a_text] : kThree) {
    for (const auto& [b, b_text] : kThree) {
      const std::string both = a == 0 || b == 0 ? "0" : a == 1 && b == 1 ? "1" : "unknown";
      const std::string either = a == 1 || b == 1 ? "1" : a == 0 && b == 0 ? "0" : "unknown";
      EXPECT_EQ(value_of("a and b", {a, b}, booleans), both) << a << b;
      EXPECT_EQ(value_of("a or b", {a, b}, booleans), either) << a << b;
      EXPECT_EQ(value_of("coalesce(a, b)", {a, b}, booleans), a == a ? a_text : b_text);
    }
    EXPECT_EQ(value_of("not a", {a}, booleans), a == 0 ? "1" : a == 1 ? "0" : "unknown");
  }
  EXPECT_EQ(value_of("value + 1 > 0", {kNone}), "unknown");
  EXPECT_EQ(value_of("1 / value > 0", {0}), "unknown");
  EXPECT_EQ(value_of("value * value > 0", {1e300}), "unknown") << "infinity is none";
  EXPECT_EQ(value_of("if(value > 1, 2, 3)", {kNone}), "unknown");
  EXPECT_EQ(value_of("max(value, other)", {1, kNone}), "unknown");
}

TEST(ExpressionValue, BadSamplesMakeItUnknown) {
  Program made = program("value > 5");
  EXPECT_FALSE(made.evaluate(kStart).known);
  made.observe(0, at(kStart, 7));
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  made.observe(0, at(kStart + seconds(1), 0, Quality::bad));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "unknown");
  made.observe(0, at(kStart + seconds(2), kNone));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(2))), "unknown");
  made.observe(0, at(kStart + seconds(3), 3, Quality::uncertain));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(3))), "0");
}

TEST(ExpressionValue, StaleInputsAreUnknown) {
  Input slow = input();
  slow.stale_after = seconds(60);
  Program made = program("value > 5", {{"value", slow}});
  made.observe(0, at(kStart, 7));
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  EXPECT_EQ(made.wake(), kStart + seconds(60));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(60) - Micros{1})), "1");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(60))), "unknown");
  EXPECT_EQ(made.wake(), kNever);
}

TEST(ExpressionValue, PlainFunctions) {
  EXPECT_EQ(value_of("abs(value)", {-3}), "3");
  EXPECT_EQ(value_of("min(value, 2, 5)", {3}), "2");
  EXPECT_EQ(value_of("max(value, 2)", {3}), "3");
  EXPECT_EQ(value_of("round(value, 0.5)", {3.3}), "3.5");
  EXPECT_EQ(value_of("clamp(value, 0, 10)", {12}), "10");
  EXPECT_EQ(value_of("clamp(value, 0, 10)", {-1}), "0");
  EXPECT_EQ(value_of("if(value > 1, 2, 3)", {5}), "2");
  EXPECT_EQ(value_of("if(value > 1, 2, 3)", {0}), "3");
}

TEST(ExpressionValue, UnitsConvert) {
  EXPECT_EQ(value_of("value > 90 °C", {195}, {{"value", input("°F")}}), "1");
  EXPECT_EQ(value_of("value > 90 °C", {194}, {{"value", input("°F")}}), "0");
  EXPECT_EQ(value_of("90 °C < value", {195}, {{"value", input("°F")}}), "1");
  EXPECT_EQ(value_of("value + other", {1, 1}, {{"value", input("bar")}, {"other", input("kPa")}}), "1.01");
  EXPECT_EQ(value_of("a - b > 5 °C", {68, 10}, {{"a", input("°F")}, {"b", input("°C")}}), "1")
      << "68 °F is 20 °C: 18 °F above, and 5 °C are 9 °F";
  EXPECT_EQ(value_of("a - b > 10 °C", {68, 10}, {{"a", input("°F")}, {"b", input("°C")}}), "0");
  EXPECT_EQ(value_of("unit(value, \"kW\") > 500 W", {0.6}), "1");
  EXPECT_EQ(value_of("value / other", {1, 500}, {{"value", input("kW")}, {"other", input("W")}}), "2");
  EXPECT_EQ(value_of("value > 5m", {200}, {{"value", input("s")}}), "0");
  EXPECT_EQ(value_of("value > 5m", {6}, {{"value", input("m")}}), "1");
  EXPECT_EQ(program("value * other", {{"value", input("V")}, {"other", input("A")}}).unit(), "V·A");
  EXPECT_EQ(program("value / 2 h", {{"value", input("km")}}).unit(), "km/h");
  EXPECT_EQ(program("rate(value, 5m)", {{"value", input("kWh")}}).unit(), "kWh/s");
}

TEST(ExpressionValue, ARateOfEnergyIsPower) {
  Program made = program("rate(energy, 1h) > 20 kW", {{"energy", input("kWh", SeriesKind::counter)}});
  made.observe(0, at(kStart, 1000));
  made.observe(0, at(kStart + minutes(15), 1005.1));  // 20.4 kW
  EXPECT_EQ(shown(made.evaluate(kStart + minutes(15))), "1");
  made.observe(0, at(kStart + minutes(30), 0.2));  // began anew
  EXPECT_EQ(shown(made.evaluate(kStart + minutes(30))), "0");
  EXPECT_EQ(value_of("value > 60 L/h", {2}, {{"value", input("L/min")}}), "1");
  EXPECT_EQ(value_of("value > 1 °C/min", {0.02}, {{"value", input("°C/s")}}), "1");
  EXPECT_EQ(value_of("value > 1 °C/min", {0.016}, {{"value", input("°C/s")}}), "0");
}

/// 20 °C are 68 °F, a difference of 20 °C is one of 36 °F. Where it cannot be told which is meant it is asked.
TEST(ExpressionValue, TemperaturesAndTheirDifferences) {
  const Named two{{"f", input("°F")}, {"c", input("°C")}};
  EXPECT_EQ(value_of("f + 5 °C", {68}, two), "77");
  EXPECT_EQ(value_of("c + 9 °F > f", {20, 76.9}, two), "1");
  EXPECT_EQ(value_of("c + 9 °F > f", {20, 77.1}, two), "0");
  EXPECT_EQ(value_of("c + 9 °F", {20}, two), "25");
  EXPECT_EQ(value_of("c - f", {20, 59}, two), "5");
  EXPECT_EQ(value_of("(c - f) > 8 °F", {20, 59}, two), "1");
  EXPECT_EQ(value_of("(c - f) > 10 °F", {20, 59}, two), "0");
  EXPECT_EQ(value_of("100 °C - f", {59}, two), "85");
  EXPECT_EQ(value_of("max(f, 20 °C)", {50}, two), "68");
  EXPECT_EQ(value_of("stddev(f, 1m) < 1 °C", {50}, two), "1");
  EXPECT_EQ(value_of("range(f, 1m) + 5 °C", {50}, two), "9");
  EXPECT_EQ(value_of("abs(c - 5 °C) > 3 °C", {1}, two), "1") << "one scale: nothing to ask";
  for (const std::string text : {"f - 5 °C > 60 °F", "abs(f) > 5 °C", "-f > -5 °C", "2 * f > 5 °C", "f + f > 5 °C"})
    EXPECT_NE(error_of(text, two).find("may be a temperature or a difference: write it in °F"), std::string::npos)
        << text << error_of(text, two);
}

TEST(ExpressionValue, StatesAreComparedByName) {
  const Named door{{"door", input("", SeriesKind::state, {"closed", "open"})}};
  EXPECT_EQ(value_of("door == open", {1}, door), "1");
  EXPECT_EQ(value_of("door == open", {0}, door), "0");
  EXPECT_EQ(value_of("door != \"open\"", {0}, door), "1");
  EXPECT_EQ(value_of("door == ajar", {0}, door), "0");
  EXPECT_EQ(value_of("pump == on", {1}, {{"pump", input("", SeriesKind::boolean)}}), "1");
}

TEST(ExpressionValue, TellsWhatItCompared) {
  Program made = program("avg(value, 5m) > 30 °C and count(value > 1, 5m) < 9 or 2 < pressure or door == open",
                         {{"value", input("°F")}, {"door", input("", SeriesKind::state, {"closed"})}});
  made.observe(0, at(kStart, 100));
  made.evaluate(kStart);
  std::vector<std::string> told;
  for (const Comparison& one : made.comparisons()) {
    told.push_back(fmt::format("{} {} | {} {} | {}", one.left, shown(one.left_value), one.right, shown(one.right_value),
                               one.unit));
  }
  EXPECT_EQ(told, (std::vector<std::string>{"avg(value, 5m) 100 | 30 °C 86 | °F", "count(value > 1, 5m) 1 | 9 9 | ",
                                            "2 2 | pressure unknown | "}));
}

TEST(ExpressionValue, ABooleanSeriesIsTrueOrFalseWhateverItsNumber) {
  EXPECT_EQ(value_of("value", {50}, {{"value", input("", SeriesKind::boolean)}}), "1");
  EXPECT_EQ(value_of("not value", {50}, {{"value", input("", SeriesKind::boolean)}}), "0");
}

TEST(ExpressionValue, AStateGetsItsCodeWhenItIsSeen) {
  Program made = program("door == ajar", {{"door", input("", SeriesKind::state, {"closed", "open"})}});
  ASSERT_FALSE(made.set(0, input("", SeriesKind::state, {"closed", "open", "ajar"})));
  made.observe(0, at(kStart, 2));
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
}

/// Programs of one expression share what is compiled only where their series are of one kind.
TEST(ExpressionValue, EachProgramIsOfItsOwnSeries) {
  const Expression expression = parsed("value > 30 °C");
  std::vector<Program> all;
  for (const std::string unit : {"°C", "°F", "°C", "°F"})
    all.push_back(std::get<Program>(bound(expression, {{"value", input(unit)}})));
  for (Program& one : all) one.observe(0, at(kStart, 50));
  EXPECT_EQ(shown(all[0].evaluate(kStart)), "1");
  EXPECT_EQ(shown(all[1].evaluate(kStart)), "0") << "30 °C are 86 °F";
  EXPECT_FALSE(all[2].set(0, input("°F")));
  EXPECT_EQ(shown(all[2].evaluate(kStart)), "1") << "50 °C are 122 °F";
  all[2].observe(0, at(kStart, 50));
  EXPECT_EQ(shown(all[2].evaluate(kStart)), "0");
  EXPECT_EQ(shown(all[0].evaluate(kStart)), "1");
  EXPECT_EQ(all[3].comparisons().front().right, "30 °C");
}

/// Each part that has to be converted takes several steps.
TEST(ExpressionValue, TooManyStepsAreTold) {
  const auto least = [](int many) {
    std::string text = "min(x";
    for (int i = 0; i < many; ++i) text += ", y";
    return bound(parsed(text + ")"), {{"x", input("°C")}, {"y", input("°F")}});
  };
  auto fits = least(200);
  ASSERT_TRUE(std::holds_alternative<Program>(fits)) << std::get<Problem>(fits).text;
  Program& made = std::get<Program>(fits);
  made.observe(0, at(kStart, 30));
  made.observe(1, at(kStart, 68));
  EXPECT_EQ(shown(made.evaluate(kStart)), "20");
  const auto refused = least(250);
  ASSERT_TRUE(std::holds_alternative<Problem>(refused));
  EXPECT_EQ(std::get<Problem>(refused).text, "the expression takes too many steps: split it into rules");
}

}  // namespace
}  // namespace tidegate::rules::expr
