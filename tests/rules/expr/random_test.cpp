// Expressions of chance: printed and read again they are the same, and what they say is what their tree says, worked
// out step by step.

#include <cmath>
#include <functional>
#include <optional>

#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

/// true, false or a number; nothing: unknown.
using Known = std::optional<double>;
/// What a and b are is told; the answer is worked out.
using Work = std::function<Known(const std::vector<Known>&)>;

struct Made {
  std::string text;  ///< with all its parentheses
  Work work;
};

Known number(double value) { return std::isfinite(value) ? Known(value) : std::nullopt; }

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Made condition(int depth) {
    switch (depth == 0 ? random_() % 2 : random_() % 6) {
      case 0:
        return comparison(depth);
      case 1:
        return {"`c`", [](const auto& now) { return now[2]; }};
      case 2: {
        const Made a = condition(depth - 1), b = condition(depth - 1);
        return {'(' + a.text + ") and (" + b.text + ')', [a, b](const auto& now) -> Known {
                  const Known x = a.work(now), y = b.work(now);
                  if (x == 0.0 || y == 0.0) return 0;
                  return x && y ? Known(1) : std::nullopt;
                }};
      }
      case 3: {
        const Made a = condition(depth - 1), b = condition(depth - 1);
        return {'(' + a.text + ") or (" + b.text + ')', [a, b](const auto& now) -> Known {
                  const Known x = a.work(now), y = b.work(now);
                  if (x == 1.0 || y == 1.0) return 1;
                  return x && y ? Known(0) : std::nullopt;
                }};
      }
      case 4: {
        const Made a = condition(depth - 1);
        return {"not (" + a.text + ')', [a](const auto& now) -> Known {
                  const Known x = a.work(now);
                  return x ? Known(1 - *x) : std::nullopt;
                }};
      }
      default: {
        const Made a = condition(depth - 1), b = condition(depth - 1);
        return {'(' + a.text + ") != (" + b.text + ')', [a, b](const auto& now) -> Known {
                  const Known x = a.work(now), y = b.work(now);
                  return x && y ? Known(*x != *y ? 1 : 0) : std::nullopt;
                }};
      }
    }
  }

 private:
  Made comparison(int depth) {
    const Made a = value(depth), b = value(depth);
    const std::string sign = std::vector<std::string>{"<", "<=", ">", ">=", "==", "!="}[random_() % 6];
    return {'(' + a.text + ") " + sign + " (" + b.text + ')', [a, b, sign](const auto& now) -> Known {
              const Known x = a.work(now), y = b.work(now);
              if (!x || !y) return std::nullopt;
              if (sign == "<") return *x < *y;
              if (sign == "<=") return *x <= *y;
              if (sign == ">") return *x > *y;
              if (sign == ">=") return *x >= *y;
              return sign == "==" ? *x == *y : *x != *y;
            }};
  }

  Made value(int depth) {
    switch (depth == 0 ? random_() % 3 : random_() % 8) {
      case 0:
        return {"`a`", [](const auto& now) { return now[0]; }};
      case 1:
        return {"`b`", [](const auto& now) { return now[1]; }};
      case 2: {
        const auto constant = static_cast<double>(random_() % 9) / 2 + 0.5;
        return {fmt::format("{}", constant), [constant](const auto&) -> Known { return constant; }};
      }
      case 3: {
        const Made a = value(depth - 1);
        return {"-(" + a.text + ')', [a](const auto& now) -> Known {
                  const Known x = a.work(now);
                  return x ? Known(-*x) : std::nullopt;
                }};
      }
      case 4: {
        const Made when = condition(depth - 1), a = value(depth - 1), b = value(depth - 1);
        return {"if(" + when.text + ", " + a.text + ", " + b.text + ')', [when, a, b](const auto& now) -> Known {
                  const Known x = when.work(now);
                  return !x ? std::nullopt : *x != 0 ? a.work(now) : b.work(now);
                }};
      }
      case 5: {
        const Made a = value(depth - 1), b = value(depth - 1);
        return {"coalesce(" + a.text + ", " + b.text + ')', [a, b](const auto& now) -> Known {
                  const Known x = a.work(now);
                  return x ? x : b.work(now);
                }};
      }
      default:
        return arithmetic(depth);
    }
  }

  Made arithmetic(int depth) {
    const Made a = value(depth - 1), b = value(depth - 1);
    const char sign = "+-*/"[random_() % 4];
    return {'(' + a.text + ") " + sign + " (" + b.text + ')', [a, b, sign](const auto& now) -> Known {
              const Known x = a.work(now), y = b.work(now);
              if (!x || !y) return std::nullopt;
              return number(sign == '+' ? *x + *y : sign == '-' ? *x - *y : sign == '*' ? *x * *y : *x / *y);
            }};
  }

  std::mt19937_64 random_;
};

/// Has it constant parts that are no number? Those are refused.
bool is_refused(const std::string& text) {
  const auto read = Expression::parse(text);
  if (std::holds_alternative<Problem>(read)) return true;
  const Input plain = input(), boolean = input("", SeriesKind::boolean);
  return std::holds_alternative<Problem>(
      bound(std::get<Expression>(read), {{"a", plain}, {"b", plain}, {"c", boolean}}));
}

TEST(ExpressionRandom, SaysWhatItsTreeSays) {
  const std::vector<std::pair<std::string, std::size_t>> kNames{{"a", 0}, {"b", 1}, {"c", 2}};
  int compared = 0, unknown = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    const Made made = Maker(seed).condition(4);
    if (is_refused(made.text)) {
      ++refused;
      continue;
    }
    const Expression expression = parsed(made.text);
    const std::string form = expression.text();
    ASSERT_EQ(parsed(form).text(), form) << made.text;
    Program as_written = program(made.text, {{"c", input("", SeriesKind::boolean)}});
    Program as_printed = program(form, {{"c", input("", SeriesKind::boolean)}});
    std::mt19937_64 random(seed);
    for (int step = 0; step < 10; ++step) {
      const Timestamp now = kStart + seconds(step);
      std::vector<Known> values(3);
      for (std::size_t i = 0; i < 3; ++i) {
        if (random() % 4 != 0)
          values[i] = i == 2 ? static_cast<double>(random() % 2) : static_cast<double>(random() % 7) / 2;
        for (std::size_t k = 0; k < expression.references().size(); ++k) {
          if (expression.references()[k].name != kNames[i].first) continue;
          const Sample sample = at(now, values[i].value_or(0), values[i] ? Quality::good : Quality::bad);
          as_written.observe(k, sample);
          as_printed.observe(k, sample);
        }
      }
      const Known expected = made.work(values);
      const Value found = as_written.evaluate(now);
      ASSERT_EQ(found.known, expected.has_value()) << made.text << " seed " << seed << " step " << step;
      ASSERT_EQ(found.value, expected.value_or(0)) << made.text << " seed " << seed << " step " << step;
      ASSERT_EQ(as_printed.evaluate(now), found) << form;
      unknown += found.known ? 0 : 1;
      ++compared;
    }
  }
  EXPECT_GT(compared, 20'000);
  EXPECT_GT(unknown, 1'000);
  EXPECT_LT(refused, 600);
}

}  // namespace
}  // namespace tidegate::rules::expr
