#include <fstream>

#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

/// errors.txt: an expression, and below it the column and what is said.
TEST(ExpressionErrors, SayWhereAndWhatToDo) {
  const Named named{{"value", input("°C")},
                    {"pressure", input("bar")},
                    {"length", input("m")},
                    {"runtime", input("s")},
                    {"plain", input()},
                    {"door", input("", SeriesKind::state, {"closed", "open"})},
                    {"running", input("", SeriesKind::boolean)},
                    {"energy", input("kWh", SeriesKind::counter)},
                    {"fahrenheit", input("°F")}};
  std::ifstream file(TIDEGATE_EXPRESSION_ERRORS);
  std::string expression, expected;
  int count = 0;
  for (; std::getline(file, expression) && std::getline(file, expected); ++count)
    EXPECT_EQ("    " + error_of(expression, named), expected) << expression;
  EXPECT_GT(count, 90);
}

TEST(ExpressionErrors, SizeIsBounded) {
  const auto repeated = [](std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  EXPECT_EQ(error_of("value > 1" + std::string(5000, ' ')), "1: the expression is longer than 4096 bytes");
  EXPECT_EQ(error_of(repeated("(", 100) + "value" + repeated(")", 100) + " > 1"), "49: too deeply nested");
  EXPECT_EQ(error_of("value > 1" + repeated(" + value", 200)),
            "1029: the expression has more than 256 parts: split it into rules");
  EXPECT_EQ(error_of("0" + repeated(" + avg(value, 5m)", 17) + " > 1"),
            "277: an expression may have 16 windows, and this is one more");
  std::string many = "0";
  for (int i = 0; i < 33; ++i) many += fmt::format(" + s{}", i);
  EXPECT_EQ(error_of(many + " > 1"), "187: an expression may read 32 series, and this is one more");
  EXPECT_EQ(error_of("value > \xff"), "1: the expression is not valid UTF-8");
}

}  // namespace
}  // namespace tidegate::rules::expr
