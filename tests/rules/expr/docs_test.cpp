// What docs/rules.md says of expressions.

#include <fstream>
#include <iterator>
#include <sstream>

#include "gateway/core/text.h"
#include "rules/expr/functions.h"
#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

std::string page() {
  std::ifstream file(TIDEGATE_DOCS "/rules.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ExpressionDocs, HaveALineForEveryFunction) {
  const std::string text = page();
  for (const Function& function : functions())
    EXPECT_NE(text.find(fmt::format("\n| `{}` | {} |\n", function.usage, function.doc)), std::string::npos)
        << fmt::format("| `{}` | {} |", function.usage, function.doc);
}

/// "value °C, energy kWh counter, door closed|open, running boolean"
Named series(std::string_view line) {
  Named named;
  for (const std::string_view one : split(line, ',')) {
    std::istringstream words{std::string(trim(one))};
    std::string name, what, kind;
    words >> name >> what >> kind;
    if (what.find('|') != std::string::npos) {
      std::vector<std::string> states;
      for (const std::string_view state : split(what, '|')) states.emplace_back(state);
      named.emplace_back(name, input("", SeriesKind::state, states));
    } else if (what == "boolean") {
      named.emplace_back(name, input("", SeriesKind::boolean));
    } else {
      named.emplace_back(name, input(what, kind == "counter" ? SeriesKind::counter : SeriesKind::number));
    }
  }
  return named;
}

/// Each line of an ```expression block is a condition over the series of its first, as it would be printed.
TEST(ExpressionDocs, ExamplesAreConditions) {
  const std::string text = page();
  int examples = 0;
  const std::string fence = "```expression\n";
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    std::istringstream block(text.substr(begin, text.find("```", begin) - begin));
    std::string line;
    std::getline(block, line);
    ASSERT_TRUE(line.starts_with("# ")) << line;
    const Named named = series(line.substr(2));
    for (; std::getline(block, line); ++examples) {
      EXPECT_EQ(error_of(line, named), "") << line;
      EXPECT_EQ(parsed(line).text(), line);
      Program made = program(line, named);
      EXPECT_EQ(made.type(), Type::boolean) << line;
      const auto references = parsed(line).references();
      for (std::size_t i = 0; i < references.size(); ++i) {
        if (references[i].kind != Reads::Kind::pattern) continue;
        for (const auto& [name, one] : named) {
          if (name == references[i].name) {
            EXPECT_TRUE(std::holds_alternative<std::size_t>(made.add_member(i, one))) << line;
          }
        }
      }
    }
  }
  EXPECT_GE(examples, 10);
}

}  // namespace
}  // namespace tidegate::rules::expr
