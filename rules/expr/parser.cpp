// A Pratt parser: or < and < not < comparison < + - < * / < unary minus; `a then b within 5m` binds least.

#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/pattern.h"
#include "gateway/core/text.h"
#include "rules/expr/block.h"
#include "rules/expr/lexer.h"
#include "rules/expr/tree.h"

namespace tidegate::rules::expr {
namespace {

struct Infix {
  std::string_view text;
  Operator operation;
  int power;
};
constexpr int kNotPower = 3, kComparisonPower = 4, kSignPower = 7;
constexpr Infix kInfixes[] = {
    {"or", Operator::otherwise, 1}, {"and", Operator::also, 2},   {"==", Operator::equal, 4},
    {"!=", Operator::unequal, 4},   {"<=", Operator::at_most, 4}, {">=", Operator::at_least, 4},
    {"<", Operator::less, 4},       {">", Operator::greater, 4},  {"+", Operator::plus, 5},
    {"-", Operator::minus, 5},      {"*", Operator::times, 6},    {"/", Operator::over, 6}};

const Infix* infix(const Token& token) {
  if (token.kind != Token::Kind::symbol && token.kind != Token::Kind::word) return nullptr;
  for (const Infix& candidate : kInfixes) {
    if (candidate.text == token.text) return &candidate;
  }
  return nullptr;
}

class Parser {
 public:
  Parser(Tree& tree, std::vector<Token> tokens) : tree_(tree), tokens_(std::move(tokens)) {}

  std::optional<Problem> run() {
    if (peek().kind == Token::Kind::end) fail(peek().at, "the expression is empty: write a condition like value > 90");
    sequence();
    if (!problem_ && peek().kind != Token::Kind::end) leftover();
    if (!problem_) check_patterns();
    if (!problem_) collect_references();
    return std::move(problem_);
  }

 private:
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(next_ + ahead, tokens_.size() - 1)]; }
  bool is(std::string_view text, std::size_t ahead = 0) const {
    const Token& token = peek(ahead);
    return (token.kind == Token::Kind::symbol || token.kind == Token::Kind::word) && token.text == text;
  }
  Token take() {
    Token token = peek();
    if (next_ + 1 < tokens_.size()) ++next_;
    return token;
  }
  /// Goes on to the end, where everything stops; the first problem counts.
  std::size_t fail(Span at, std::string text) {
    if (!problem_) problem_ = Problem{at, std::move(text)};
    next_ = tokens_.size() - 1;
    return add({});
  }
  std::size_t add(Node node) {
    if (tree_.nodes.size() >= kMaxNodes && !problem_)
      problem_ = Problem{node.at, fmt::format("the expression has more than {} parts: split it into rules", kMaxNodes)};
    tree_.nodes.push_back(std::move(node));
    return tree_.nodes.size() - 1;
  }
  Node& node(std::size_t at) { return tree_.nodes[at]; }
  std::string written(Span at) const { return tree_.source.substr(at.begin, at.end - at.begin); }

  void leftover() {
    const Token& token = peek();
    if (is(")")) {
      fail(token.at, "this ) closes nothing");
    } else if (token.kind == Token::Kind::symbol) {
      fail(token.at, fmt::format("'{}' is not expected here", token.text));
    } else {
      fail(token.at, fmt::format("'{}' is not expected here: between two values stands an operator, like + or and",
                                 printable(written(token.at))));
    }
  }

  std::size_t sequence() {
    const std::size_t first = expression(1);
    if (!is("then")) return first;
    take();
    const std::size_t second = expression(1);
    if (!is("within")) return fail(peek().at, "after `a then b` stands how soon: within 5m");
    take();
    const std::size_t time = expression(kSignPower);
    return call("then", {node(first).at.begin, node(time).at.end}, {first, second, time});
  }

  std::size_t expression(int least_power) {
    if (++depth_ > kMaxDepth) return fail(peek().at, "too deeply nested");
    if (is("not") && least_power > kNotPower)
      return fail(peek().at, "not in the middle stands in parentheses: (not x)");
    std::size_t left = prefix();
    while (const Infix* in = problem_ ? nullptr : infix(peek())) {
      if (in->power < least_power) break;
      const Token sign = take();
      const std::size_t right = expression(in->power + 1);
      if (in->power == kComparisonPower) compare(left, right, in->operation);
      Node made;
      made.kind = Node::Kind::operation;
      made.operation = in->operation;
      made.arguments = {left, right};
      made.at = {node(left).at.begin, node(right).at.end};
      left = add(std::move(made));
    }
    --depth_;
    return left;
  }

  /// A bare name behind == or != is a state; and comparisons do not chain.
  void compare(std::size_t left, std::size_t right, Operator operation) {
    const Infix* next = infix(peek());
    if (next != nullptr && next->power == kComparisonPower) {
      fail(peek().at,
           fmt::format("comparisons do not chain: write {} and {} {} ...",
                       written({node(left).at.begin, node(right).at.end}), written(node(right).at), next->text));
      return;
    }
    Node& name = node(right);
    const bool is_equality = operation == Operator::equal || operation == Operator::unequal;
    if (is_equality && name.kind == Node::Kind::name && name.bare && name.text != "value") name.kind = Node::Kind::text;
  }

  std::size_t prefix() {
    const Token token = take();
    Node made;
    made.at = token.at;
    switch (token.kind) {
      case Token::Kind::number:
        made.value = token.value;
        made.text = token.text;
        made.time = token.time;
        made.as_written = token.as_written;
        return add(std::move(made));
      case Token::Kind::time_of_day:
        made.kind = Node::Kind::time_of_day;
        made.time = token.time;
        return add(std::move(made));
      case Token::Kind::text:
        made.kind = Node::Kind::text;
        made.text = token.text;
        return add(std::move(made));
      case Token::Kind::path:
      case Token::Kind::quoted:
        return name(token);
      case Token::Kind::word:
        return word(token);
      case Token::Kind::symbol:
        return sign(token);
      case Token::Kind::end:
        break;
    }
    return fail(token.at, "the expression ends too early: a value is missing here");
  }

  std::size_t sign(const Token& token) {
    if (token.text == "(") {
      const std::size_t inner = sequence();
      if (problem_) return inner;
      if (!is(")")) return fail(peek().at, "a ) is missing here");
      node(inner).at = {token.at.begin, take().at.end};
      return inner;
    }
    if (token.text == "-") return unary(token, Operator::sign, kSignPower);
    if (token.text == "+") return fail(token.at, "a + before a value does nothing: leave it out");
    return fail(token.at, fmt::format("before '{}' a value is missing", token.text));
  }

  std::size_t unary(const Token& token, Operator operation, int power) {
    const std::size_t inner = expression(power);
    Node made;
    made.kind = Node::Kind::operation;
    made.operation = operation;
    made.arguments = {inner};
    made.at = {token.at.begin, node(inner).at.end};
    return add(std::move(made));
  }

  std::size_t word(const Token& token) {
    if (token.text == "not") return unary(token, Operator::negation, kNotPower);
    if (token.text == "true" || token.text == "false") {
      Node made;
      made.kind = Node::Kind::boolean;
      made.value = token.text == "true" ? 1 : 0;
      made.at = token.at;
      return add(std::move(made));
    }
    if (is_keyword(token.text) && !(token.text == "then" && is("(")))
      return fail(token.at, fmt::format("before '{}' a value is missing", token.text));
    if ((token.text == "each" || token.text == "session") && peek().kind == Token::Kind::number) return spaced(token);
    if (!is("(")) return name(token);
    take();
    if (token.text == "since") return since(token);
    std::vector<std::size_t> arguments;
    while (!problem_ && !is(")")) {
      arguments.push_back(sequence());
      if (problem_ || is(")")) break;
      if (!is(",")) return fail(peek().at, fmt::format("in {}(...) a comma or a ) is missing here", token.text));
      take();
      if (is(")")) return fail(peek().at, "after the comma an argument is missing");
    }
    const Span end = take().at;
    return call(token.text, {token.at.begin, end.end}, std::move(arguments));
  }

  /// each 1h, session 30s
  std::size_t spaced(const Token& token) {
    Node made;
    made.kind = token.text == "each" ? Node::Kind::each : Node::Kind::session;
    made.arguments = {prefix()};
    made.at = {token.at.begin, node(made.arguments[0]).at.end};
    return add(std::move(made));
  }

  std::size_t since(const Token& token) {
    Node made;
    made.kind = Node::Kind::since;
    const Token from = take();
    made.time = from.kind == Token::Kind::time_of_day ? from.time : Micros{0};
    if (from.kind != Token::Kind::time_of_day && from.text != "midnight")
      return fail(from.at, "since what? Write since(midnight) or a time of day, since(06:00)");
    if (!is(")")) return fail(peek().at, "a ) is missing here");
    made.at = {token.at.begin, take().at.end};
    return add(std::move(made));
  }

  std::size_t name(const Token& token) {
    Node made;
    made.kind = Node::Kind::name;
    made.text = token.text;
    made.at = token.at;
    made.bare = token.kind == Token::Kind::word;
    if (token.kind == Token::Kind::word) {
      made.reference_kind = token.text == "value" ? Reads::Kind::own : Reads::Kind::sibling;
      return add(std::move(made));
    }
    const auto pattern = Pattern::parse(token.text);
    if (!pattern) return fail(token.at, pattern.error().text);
    const bool has_wildcard = token.text.find_first_of("+#") != std::string::npos;
    const bool is_path = token.kind == Token::Kind::path || token.text.find('/') != std::string::npos;
    made.reference_kind = has_wildcard ? Reads::Kind::pattern : is_path ? Reads::Kind::path : Reads::Kind::sibling;
    if (pattern->literal() && !valid_series_name(token.text))
      return fail(token.at, fmt::format("'{}' cannot be the name of a series", printable(token.text)));
    return add(std::move(made));
  }

  std::size_t call(std::string_view name, Span at, std::vector<std::size_t> arguments) {
    if (problem_) return add({});
    Node made;
    made.kind = Node::Kind::call;
    made.at = at;
    made.arguments = std::move(arguments);
    made.function = choose_function(tree_, name, made);
    if (made.function == nullptr) {
      const Span word{at.begin, at.begin + name.size()};
      return fail(word, fmt::format("there is no function {}{}", name, did_you_mean(name, function_names())));
    }
    if (auto problem = check_arguments(tree_, made)) return fail(problem->at, std::move(problem->text));
    if (is_window(*made.function) && ++windows_ > kMaxWindows)
      return fail(at, fmt::format("an expression may have {} windows, and this is one more", kMaxWindows));
    return add(std::move(made));
  }

  /// Patterns stand in aggregates, one in each, and aggregates not in each other.
  void check_patterns() { walk(tree_.nodes.size() - 1, nullptr, nullptr); }
  void walk(std::size_t at, const Node* aggregate, const std::string** pattern) {
    const Node& here = tree_.nodes[at];
    const std::string* found = nullptr;
    if (here.kind == Node::Kind::call && is_aggregate(*here.function)) {
      if (aggregate != nullptr) {
        fail(here.at, fmt::format("{} stands within {}: an aggregate of aggregates is not possible",
                                  here.function->name, aggregate->function->name));
        return;
      }
      aggregate = &here;
      pattern = &found;
    }
    if (here.kind == Node::Kind::name && here.reference_kind == Reads::Kind::pattern) {
      if (aggregate == nullptr) {
        fail(here.at, fmt::format("'{}' may be many series: ask for all(...), any(...), count(...), avg, min, max or "
                                  "sum of them",
                                  here.text));
        return;
      }
      if (*pattern != nullptr && **pattern != here.text) {
        fail(here.at, fmt::format("one aggregate is over one pattern: here are {} and {}", **pattern, here.text));
        return;
      }
      *pattern = &here.text;
    }
    for (const std::size_t argument : here.arguments) {
      walk(argument, aggregate, pattern);
      if (problem_) return;
    }
    if (aggregate == &here && found == nullptr) {
      fail(here.at,
           fmt::format("{} is over the series of a pattern, like {}(room/+/temperature{})", here.function->name,
                       here.function->name, here.function->parameters == "c" ? " > 26" : ""));
    }
  }

  void collect_references() {
    for (Node& named : tree_.nodes) {
      if (named.kind != Node::Kind::name) continue;
      auto& all = tree_.references;
      const auto same = std::find_if(all.begin(), all.end(), [&named](const Reference& reference) {
        return reference.kind == named.reference_kind && reference.name == named.text;
      });
      named.reference = static_cast<std::size_t>(same - all.begin());
      if (same == all.end()) all.push_back({{named.reference_kind, named.text}, named.at});
      if (all.size() > kMaxReferences)
        fail(named.at, fmt::format("an expression may read {} series, and this is one more", kMaxReferences));
    }
  }

  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0, depth_ = 0, windows_ = 0;
  std::optional<Problem> problem_;
};

}  // namespace

std::variant<Expression, Problem> Expression::parse(std::string_view text) {
  if (text.size() > kMaxText) return Problem{{0, 0}, fmt::format("the expression is longer than {} bytes", kMaxText)};
  if (!valid_utf8(text)) return Problem{{0, 0}, "the expression is not valid UTF-8"};
  auto read = tokens(text);
  if (auto* problem = std::get_if<Problem>(&read)) return std::move(*problem);
  auto tree = std::make_shared<Tree>();
  tree->source = text;
  tree->memo = std::make_shared<Memo>();
  if (auto problem = Parser(*tree, std::move(std::get<0>(read))).run()) return std::move(*problem);
  return Expression(std::move(tree));
}

const std::vector<Reference>& Expression::references() const { return tree_->references; }
std::string Expression::text() const { return print(*tree_); }

}  // namespace tidegate::rules::expr
