// Patterns, whose members come by and by, and series that are seen later than the others.

#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

const double kNone = std::numeric_limits<double>::quiet_NaN();

/// With a member for each value; NaN: it never spoke.
std::string of_members(std::string_view text, const std::vector<double>& values, const Input& each = input()) {
  Program made = program(text);
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto added = made.add_member(0, each);
    if (const auto* problem = std::get_if<Problem>(&added)) return problem->text;
    members.push_back(std::get<std::size_t>(added));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == values[i]) made.observe(members[i], at(kStart, values[i]));
  }
  return shown(made.evaluate(kStart));
}

TEST(ExpressionMembers, Conditions) {
  EXPECT_EQ(of_members("all(room/+/t > 26)", {27, 28}), "1");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {27, 25}), "0");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {27, kNone}), "unknown");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {25, kNone}), "0");
  EXPECT_EQ(of_members("all(room/+/t > 26)", {}), "unknown");
  EXPECT_EQ(of_members("any(room/+/t > 26)", {27, kNone}), "1");
  EXPECT_EQ(of_members("any(room/+/t > 26)", {25, 25}), "0");
  EXPECT_EQ(of_members("any(room/+/t > 26)", {25, kNone}), "unknown");
  EXPECT_EQ(of_members("count(room/+/t > 26)", {25, 27, 28, kNone}), "2");
  EXPECT_EQ(of_members("count(room/+/t > 26)", {kNone}), "unknown");
  EXPECT_EQ(of_members("count(room/+/t > 26) >= 3", {27, 28, 29}), "1");
}

TEST(ExpressionMembers, Numbers) {
  EXPECT_EQ(of_members("avg(room/+/t)", {1, 2, 6, kNone}), "3");
  EXPECT_EQ(of_members("min(room/+/t)", {1, 2, kNone}), "1");
  EXPECT_EQ(of_members("max(room/+/t)", {1, 2, kNone}), "2");
  EXPECT_EQ(of_members("sum(room/+/t)", {1, 2, kNone}), "3");
  EXPECT_EQ(of_members("sum(room/+/t)", {kNone}), "unknown");
  EXPECT_EQ(of_members("avg(room/+/t > 1)", {1, 2}), "0.5") << "the share for which it holds";
  EXPECT_EQ(of_members("max(room/+/t) - min(room/+/t)", {1, 2, 9}), "8");
}

TEST(ExpressionMembers, EachHasItsOwnWindow) {
  Program made = program("max(avg(room/+/t, 10s))");
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(one, at(kStart, 4));
  made.observe(one, at(kStart + seconds(1), 6));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "5");
  const std::size_t other = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(other, at(kStart + seconds(2), 9));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(2))), "9");
  EXPECT_EQ(made.wake(), kStart + seconds(10)) << "when the oldest sample leaves a member's window";
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(10))), "9");
  made.observe(other, at(kStart + seconds(13), 1));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(13))), "1") << "the other one is empty";
}

TEST(ExpressionMembers, AWindowMayBeOverThemAll) {
  Program made = program("avg(sum(pump/+/flow), 10s)");
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input()));
  const std::size_t other = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(one, at(kStart, 4));
  made.observe(other, at(kStart + seconds(1), 2));
  made.observe(one, at(kStart + seconds(2), 1));
  EXPECT_NEAR(made.evaluate(kStart + seconds(2)).value, (4 + 6 + 3) / 3.0, 1e-12);
}

TEST(ExpressionMembers, TheBodyMayReadOthers) {
  Program made = program("count(room/+/t > value + 2) >= 1");
  ASSERT_EQ(parsed("count(room/+/t > value + 2) >= 1").references().size(), 2u);
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input()));
  made.observe(one, at(kStart, 25));
  EXPECT_EQ(shown(made.evaluate(kStart)), "unknown");
  made.observe(1, at(kStart, 22));
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  made.observe(1, at(kStart + seconds(1), 23));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "0");
}

TEST(ExpressionMembers, UnitsConvertToTheFirstOnes) {
  Program made = program("avg(room/+/t) > 20 °C");
  const std::size_t celsius = std::get<std::size_t>(made.add_member(0, input("°C")));
  const std::size_t fahrenheit = std::get<std::size_t>(made.add_member(0, input("°F")));
  made.observe(celsius, at(kStart, 10));
  made.observe(fahrenheit, at(kStart, 88));  // 31.1 °C
  EXPECT_EQ(shown(made.evaluate(kStart)), "1");
  made.observe(fahrenheit, at(kStart + seconds(1), 84));  // 28.9 °C
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "0");
  const auto refused = made.add_member(0, input("bar"));
  ASSERT_TRUE(std::holds_alternative<Problem>(refused));
  EXPECT_EQ(std::get<Problem>(refused).text,
            "its unit is bar, which does not convert to that of the others of 'room/+/t', °C");
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "0") << "all is as it was";
}

TEST(ExpressionMembers, AFirstOneThatDoesNotFitIsNone) {
  Program made = program("avg(room/+/t) > 20 °C");
  const auto refused = made.add_member(0, input("bar"));
  ASSERT_TRUE(std::holds_alternative<Problem>(refused));
  EXPECT_EQ(std::get<Problem>(refused).text, "'avg(room/+/t)' is in bar and '20 °C' in °C, which does not convert");
  ASSERT_TRUE(std::holds_alternative<std::size_t>(made.add_member(0, input("°C"))));
}

TEST(ExpressionMembers, StatesAreComparedByNameWhateverTheirCodes) {
  Program made = program("count(room/+/door == open)");
  const std::size_t one = std::get<std::size_t>(made.add_member(0, input("", SeriesKind::state, {"closed", "open"})));
  const std::size_t other =
      std::get<std::size_t>(made.add_member(0, input("", SeriesKind::state, {"ajar", "open", "closed"})));
  made.observe(one, at(kStart, 1));
  made.observe(other, at(kStart, 1));
  EXPECT_EQ(shown(made.evaluate(kStart)), "2");
  made.observe(other, at(kStart + seconds(1), 2));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(1))), "1");
  made.observe(other, at(kStart + seconds(2), 0));
  EXPECT_EQ(shown(made.evaluate(kStart + seconds(2))), "1");
}

TEST(ExpressionMembers, AGrownSetKeepsWhatWas) {
  Program growing = program("sum(avg(room/+/t, 1m)) + avg(value, 1m)");
  Program grown = program("sum(avg(room/+/t, 1m)) + avg(value, 1m)");
  std::vector<std::size_t> at_once;
  for (int i = 0; i < 5; ++i) at_once.push_back(std::get<std::size_t>(grown.add_member(0, input())));
  std::mt19937_64 random(4);
  std::vector<std::size_t> by_and_by;
  for (int i = 0; i < 500; ++i) {
    const Timestamp now = kStart + seconds(i);
    if (i % 50 == 0 && by_and_by.size() < 5) by_and_by.push_back(std::get<std::size_t>(growing.add_member(0, input())));
    const std::size_t who = random() % by_and_by.size();
    const auto value = static_cast<double>(random() % 100);
    growing.observe(by_and_by[who], at(now, value));
    grown.observe(at_once[who], at(now, value));
    growing.observe(1, at(now, -value));
    grown.observe(1, at(now, -value));
    ASSERT_EQ(growing.evaluate(now), grown.evaluate(now)) << i;
  }
}

TEST(ExpressionMembers, WhatWasNotSeenYetIsUnknown) {
  const Expression expression = parsed("value > 5 or pressure > 2 bar");
  auto made = bound(expression, {{"value", input()}});
  ASSERT_TRUE(std::holds_alternative<Program>(made));
  Program& one = std::get<Program>(made);
  one.observe(0, at(kStart, 1));
  EXPECT_EQ(shown(one.evaluate(kStart)), "unknown");
  one.observe(0, at(kStart + seconds(1), 7));
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(1))), "1");
  ASSERT_FALSE(one.set(1, input("kPa")));
  one.observe(1, at(kStart + seconds(2), 201));
  one.observe(0, at(kStart + seconds(2), 1));
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(2))), "1");
  const auto problem = one.set(1, input("°C"));
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->text, "'pressure' is in °C and '2 bar' in bar, which does not convert");
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(2))), "1") << "all is as it was";
}

TEST(ExpressionMembers, ASeriesThatIsSeenLaterTakesNothingFromTheOthers) {
  const Expression expression = parsed("avg(value, 1m) > 5 and door != open");
  auto made = bound(expression, {{"value", input("°C")}});
  ASSERT_TRUE(std::holds_alternative<Program>(made));
  Program& one = std::get<Program>(made);
  one.observe(0, at(kStart, 9));
  one.observe(0, at(kStart + seconds(50), 3));
  ASSERT_FALSE(one.set(1, input("", SeriesKind::state, {"closed"})));
  one.observe(1, at(kStart + seconds(51), 0));
  EXPECT_EQ(shown(one.evaluate(kStart + seconds(51))), "1") << "9 is in the window still";
}

TEST(ExpressionMembers, TheirNumberIsBounded) {
  Program made = program("any(room/+/t > 1)");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(std::holds_alternative<std::size_t>(made.add_member(0, input())));
  EXPECT_TRUE(std::holds_alternative<Problem>(made.add_member(0, input())));
}

}  // namespace
}  // namespace tidegate::rules::expr
