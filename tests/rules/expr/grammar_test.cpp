#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

std::string canonical(std::string_view text) { return parsed(text).text(); }

TEST(ExpressionGrammar, HasOneForm) {
  const std::vector<std::pair<std::string, std::string>> kForms{
      {"value>90", "value > 90"},
      {"value > 90°C", "value > 90 °C"},
      {"((value)) > (90 °C)", "value > 90 °C"},
      {"a or b and not c", "a or b and not c"},
      {"(a or b) and c", "(a or b) and c"},
      {"not (a and b)", "not (a and b)"},
      {"(not a) and b", "not a and b"},
      {"not a == b", "not a == \"b\""},
      {"(not a) == true", "(not a) == true"},
      {"a - (b - c) > 0", "a - (b - c) > 0"},
      {"(a - b) - c > 0", "a - b - c > 0"},
      {"a * (b + c) / d > 0", "a * (b + c) / d > 0"},
      {"-a * b > -(a * b)", "-a * b > -(a * b)"},
      {"- -a > 0", "--a > 0"},
      {"(a < b) == (c < d)", "(a < b) == (c < d)"},
      {"avg( value,5m )>30 and slope(value,10m)<-0.2 °C/min",
       "avg(value, 5m) > 30 and slope(value, 10m) < -0.2 °C/min"},
      {"avg(value, 90s) > 3", "avg(value, 90s) > 3"},
      {"avg(value, 5 min) > 3", "avg(value, 5 min) > 3"},
      {"sum(value, 100 samples) > 3", "sum(value, 100 samples) > 3"},
      {"sum(value, since( midnight )) > 3", "sum(value, since(midnight)) > 3"},
      {"sum(value, since(6:30)) > 3", "sum(value, since(06:30)) > 3"},
      {"sum(value, each 1h) > 3", "sum(value, each 1h) > 3"},
      {"sum(value, each 5 min) > 3", "sum(value, each 5 min) > 3"},
      {"count(value,session 90s) > 3", "count(value, session 90s) > 3"},
      {"each + session > 3", "each + session > 3"},
      {"between(22:00,6:00)", "between(22:00, 06:00)"},
      {"door == open", "door == \"open\""},
      {"door != \"open\"", "door != \"open\""},
      {"a > 1 then b > 2 within 5m", "then(a > 1, b > 2, 5m)"},
      {"plant/boiler-1/temperature > {device}/pressure", "plant/boiler-1/temperature > {device}/pressure"},
      {"`odd name` > 1", "`odd name` > 1"},
      {"`a/b c` > 1", "`a/b c` > 1"},
      {"`value` > value", "`value` > value"},
      {"all(room/+/temperature>26)", "all(room/+/temperature > 26)"},
      {"any(+/x > 1 )", "any(+/x > 1)"},
      {"count(#>1) > 2", "count(# > 1) > 2"},
      {"a / b > 1", "a / b > 1"},
      {"value > 3 /h", "value > 3 /h"},
      {"value > 1e3", "value > 1000"},
      {"value > 12 µg/m³", "value > 12 µg/m³"},
      {"value > 2 m2", "value > 2 m2"},
  };
  for (const auto& [written, form] : kForms) {
    EXPECT_EQ(canonical(written), form) << written;
    EXPECT_EQ(canonical(form), form);
  }
}

TEST(ExpressionGrammar, NamesEachSeriesOnce) {
  const Expression expression = parsed(
      "value > pressure and value < a/b and {device}/c > 1 and all(room/+/t > value) and `pressure` > 2 and door == "
      "open");
  std::vector<std::string> names;
  for (const Reference& reference : expression.references())
    names.push_back(fmt::format("{}:{}@{}", static_cast<int>(reference.kind), reference.name, reference.at.begin));
  EXPECT_EQ(names, (std::vector<std::string>{"0:value@0", "1:pressure@8", "2:a/b@29", "2:{device}/c@37",
                                             "3:room/+/t@60", "1:door@101"}));
}

}  // namespace
}  // namespace tidegate::rules::expr
