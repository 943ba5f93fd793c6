// The canonical form: one space around operators, parentheses only where they are needed.

#include <fmt/format.h>

#include <array>

#include "gateway/core/text.h"
#include "rules/expr/lexer.h"
#include "rules/expr/tree.h"

namespace tidegate::rules::expr {
namespace {

struct Style {
  std::string_view text;
  int power;  ///< as in the parser
};
constexpr int kLoosest = 1, kTightest = 8;

Style style(Operator operation) {
  switch (operation) {
    case Operator::none:
      return {"", kTightest};
    case Operator::otherwise:
      return {"or", 1};
    case Operator::also:
      return {"and", 2};
    case Operator::negation:
      return {"not ", 3};
    case Operator::equal:
      return {"==", 4};
    case Operator::unequal:
      return {"!=", 4};
    case Operator::less:
      return {"<", 4};
    case Operator::at_most:
      return {"<=", 4};
    case Operator::greater:
      return {">", 4};
    case Operator::at_least:
      return {">=", 4};
    case Operator::plus:
      return {"+", 5};
    case Operator::minus:
      return {"-", 5};
    case Operator::times:
      return {"*", 6};
    case Operator::over:
      return {"/", 6};
    case Operator::sign:
      return {"-", 7};
  }
  return {"", kTightest};
}

std::string clock(Micros of_day) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(of_day).count();
  return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

class Printer {
 public:
  explicit Printer(const Tree& tree) : tree_(tree) {}

  std::string print(std::size_t at, int least_power) {
    const Node& node = tree_.nodes[at];
    if (node.kind != Node::Kind::operation) return leaf(node);
    const auto [sign, power] = style(node.operation);
    std::string text = node.arguments.size() == 1 ? fmt::format("{}{}", sign, print(node.arguments[0], power))
                                                  : fmt::format("{} {} {}", print(node.arguments[0], left_power(power)),
                                                                sign, print(node.arguments[1], power + 1));
    return power < least_power ? '(' + text + ')' : text;
  }

 private:
  /// Comparisons do not chain, so one to the left of another needs its parentheses.
  static int left_power(int power) { return power == style(Operator::equal).power ? power + 1 : power; }

  std::string leaf(const Node& node) {
    switch (node.kind) {
      case Node::Kind::number:
        if (!node.as_written.empty()) return node.as_written;
        return number_text(node.value) + (node.text.empty() ? "" : ' ' + node.text);
      case Node::Kind::boolean:
        return node.value != 0 ? "true" : "false";
      case Node::Kind::text:
        return '"' + node.text + '"';
      case Node::Kind::time_of_day:
        return clock(node.time);
      case Node::Kind::since:
        return node.time == Micros{0} ? "since(midnight)" : fmt::format("since({})", clock(node.time));
      case Node::Kind::each:
        return "each " + print(node.arguments[0], kTightest);
      case Node::Kind::session:
        return "session " + print(node.arguments[0], kTightest);
      case Node::Kind::name:
        return name(node);
      case Node::Kind::operation:
        break;
      case Node::Kind::call:
        return call(node);
    }
    return {};
  }

  std::string call(const Node& node) {
    std::string text(node.function->name);
    text += '(';
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      if (i > 0) text += ", ";
      text += print(node.arguments[i], kLoosest);
    }
    return text + ')';
  }

  /// In backticks where it would not read as this name without them.
  static std::string name(const Node& node) {
    if (node.reference_kind == Reads::Kind::own) return node.text;
    const auto read = tokens(node.text);
    const auto* all = std::get_if<0>(&read);
    const auto wanted = node.reference_kind == Reads::Kind::sibling ? Token::Kind::word : Token::Kind::path;
    const bool is_plain = node.bare || (all != nullptr && all->size() == 2 && (*all)[0].kind == wanted &&
                                        (*all)[0].text == node.text && wanted == Token::Kind::path);
    return is_plain ? node.text : '`' + node.text + '`';
  }

  const Tree& tree_;
};

}  // namespace

std::string print(const Tree& tree) { return Printer(tree).print(tree.nodes.size() - 1, kLoosest); }

}  // namespace tidegate::rules::expr
