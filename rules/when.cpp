// A condition in the expression language: rules/expr, docs/rules.md "Expressions". The kinds that are short forms of
// one are in counted_events.cpp.

#include "rules/when.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "gateway/core/clock.h"
#include "gateway/core/text.h"
#include "rules/expr/expression.h"
#include "rules/kinds.h"
#include "rules/together.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

/// A series of which the interval between two samples is known is stale when it has missed two.
/// As the page has it (gateway/app/freshness.h): what is read ten times a second and hiccups is not dead.
constexpr int kStaleIntervals = 3;
constexpr Micros kLeastStale = std::chrono::seconds(2);

/// What the rule says beside its expression.
struct Options {
  Verdict unknown = Verdict::hold;
  Micros stale_after{-1};  ///< as in Rule
};

class WhenDetector final : public Joint {
 public:
  WhenDetector(std::size_t own, expr::Program program, const Options& options, std::size_t inputs)
      : Joint(own), unknown_(options.unknown), stale_after_(options.stale_after), program_(std::move(program)) {
    if (inputs > 1) together_ = std::make_unique<Together>(inputs);
  }

  /// What time alone brought about since the moment that was waited for is asked behind that.
  Finding tick(Timestamp now) override { return judge(std::exchange(waits_, false) ? newest() : now); }
  Micros lookback() const override { return program_.lookback(); }
  void unwatched(Timestamp from, Timestamp to) override {
    program_.unwatched(from, to);
    deadline_ = program_.wake();
  }

  Status know(std::size_t input, const Known& known) override {
    const auto problem = program_.set(input, input_of(known, stale_after_));
    if (problem) return fail(Errc::invalid, "{}", problem->text);
    if (!waits_) deadline_ = program_.wake();  // it may be stale already
    return {};
  }
  Result<std::size_t> add(std::size_t pattern, const Known& known) override {
    const auto added = program_.add_member(pattern, input_of(known, stale_after_));
    if (const auto* problem = std::get_if<expr::Problem>(&added)) return fail(Errc::invalid, "{}", problem->text);
    const std::size_t input = std::get<std::size_t>(added);
    if (!together_) together_ = std::make_unique<Together>(pattern + 1);
    together_->add_member(input, pattern);
    return input;
  }
  Basis basis(const std::string&) const override {
    Basis basis{program_.lookback()};
    for (const expr::Comparison& comparison : program_.comparisons()) {
      if (comparison.left_value.known)
        basis.facts.push_back({comparison.left, comparison.left_value.value, comparison.unit});
      const bool is_written =
          !comparison.right.empty() &&
          (comparison.right[0] == '-' || std::isdigit(static_cast<unsigned char>(comparison.right[0])) != 0);
      if (!is_written && comparison.right_value.known)
        basis.facts.push_back({comparison.right, comparison.right_value.value, comparison.unit});
    }
    return basis;
  }
  /// The first comparison whose values are known: that is what the message tells of.
  Shown shown() const override {
    for (const expr::Comparison& comparison : program_.comparisons()) {
      if (comparison.left_value.known && comparison.right_value.known)
        return {comparison.left_value.value, comparison.right_value.value, comparison.unit};
    }
    return {};
  }

 private:
  void note(std::size_t input, const Sample& sample) override {
    program_.observe(input, sample);
    if (!together_) return;
    together_->note(input, sample.time);
    waits_ = together_->awaited() > 0;
    if (waits_) deadline_ = together_->moment() + kPatience;
  }
  /// What a timer found is not asked again of an earlier time: the program is at the timer's.
  Finding judge(Timestamp at) override {
    if (together_) together_->expect_no_more();
    const expr::Value value = program_.evaluate(std::max(at, newest()));
    deadline_ = program_.wake();
    if (!value.known) return {unknown_};
    return {value.value != 0 ? Verdict::breach : Verdict::clear};
  }

  const Verdict unknown_;
  const Micros stale_after_;  ///< as in Options
  expr::Program program_;
  std::unique_ptr<Together> together_;  ///< where it reads several series
};

/// What is wrong with it whatever the series are; and whether it is a number then.
struct Judgement {
  std::optional<expr::Problem> problem;
  bool is_number = false;
};

Judgement judge(const expr::Expression& expression) {
  const std::vector<const expr::Input*> unseen(expression.references().size(), nullptr);
  const auto bound = expr::Program::bind(expression, unseen);
  if (const auto* problem = std::get_if<expr::Problem>(&bound)) return {*problem};
  return {{}, std::get<expr::Program>(bound).type() == expr::Type::number};
}

Result<Watch> fit(const expr::Expression& expression, const Options& options, std::span<const Known* const> known) {
  auto bound = bind_to(expression, known, options.stale_after);
  if (!bound) return fail(std::move(bound.error()));
  if (bound->program.type() != expr::Type::boolean)
    return fail(Errc::invalid, "'{}' is neither true nor false", expression.text());
  return Watch{std::make_unique<WhenDetector>(bound->own, std::move(bound->program), options, known.size()), ""};
}

Compiled compiled(const expr::Expression& expression, const Options& options) {
  Compiled compiled;
  compiled.condition = expression.text();
  compiled.message = "{series}: the condition of {rule} holds";
  compiled.reads.assign(expression.references().begin(), expression.references().end());
  compiled.join = [expression, options](std::span<const Known* const> known) {
    return fit(expression, options, known);
  };
  return compiled;
}

}  // namespace

config::Mark place_in(const Node& node, const expr::Span& span) {
  config::Mark at = node.at;
  if (node.secret || node.text.find('\n') != std::string::npos) return at;
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  const auto end = node.text.begin() + static_cast<std::ptrdiff_t>(std::min(span.begin, node.text.size()));
  at.column += static_cast<int>(std::count_if(node.text.begin(), end, is_first_byte)) + (node.quoted ? 1 : 0);
  return at;
}

expr::Input input_of(const Known& known, Micros stale_after) {
  const Micros interval = std::max(known.info.expected_interval, Micros{0});
  const Micros usual = interval > Micros{0} ? std::max(kStaleIntervals * interval, kLeastStale) : Micros{0};
  return {{known.info.kind, known.info.unit, known.states, known.info.is_difference},
          stale_after < Micros{0} ? usual : stale_after,
          interval};
}

Result<Bound> bind_to(const expr::Expression& expression, std::span<const Known* const> known, Micros stale_after) {
  std::vector<expr::Input> inputs;
  inputs.reserve(known.size());
  std::vector<const expr::Input*> pointers;
  std::size_t own = Joint::kNone;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (expression.references()[i].kind == Reads::Kind::own) own = i;
    if (known[i] != nullptr) inputs.push_back(input_of(*known[i], stale_after));
    pointers.push_back(known[i] != nullptr ? &inputs.back() : nullptr);
  }
  auto bound = expr::Program::bind(expression, pointers, &local_less_utc);
  if (const auto* problem = std::get_if<expr::Problem>(&bound)) return fail(Errc::invalid, "{}", problem->text);
  return Bound{std::move(std::get<expr::Program>(bound)), own};
}

namespace {

std::optional<expr::Expression> read(const Node& text, bool is_condition, Problems& problems) {
  auto parsed = expr::Expression::parse(text.text);
  if (const auto* problem = std::get_if<expr::Problem>(&parsed)) {
    problems.add(place_in(text, problem->at), problem->text);
    return std::nullopt;
  }
  auto& expression = std::get<expr::Expression>(parsed);
  const Judgement judged = judge(expression);
  if (judged.problem) {
    problems.add(place_in(text, judged.problem->at), judged.problem->text);
    return std::nullopt;
  }
  if (is_condition && judged.is_number) {
    problems.add(place_in(text, {}), fmt::format("'{}' is a number: a condition compares it, as in {} > 0",
                                                 expression.text(), expression.text()));
    return std::nullopt;
  }
  return std::move(expression);
}

}  // namespace

std::optional<expr::Expression> read_expression(const Node& text, Problems& problems) {
  return read(text, false, problems);
}

std::optional<expr::Expression> read_condition(const Node& text, Problems& problems) {
  return read(text, true, problems);
}

std::optional<Compiled> compile_when(const Node& node, Problems& problems) {
  if (node.kind == Node::Kind::scalar) {
    const auto expression = read_condition(node, problems);
    return expression ? std::optional(compiled(*expression, {})) : std::nullopt;
  }
  Options options;
  const std::string unknown = node.string("on_unknown");
  if (unknown == "fire") options.unknown = Verdict::breach;
  if (unknown == "clear") options.unknown = Verdict::clear;
  if (node.has("stale_after")) options.stale_after = node.duration("stale_after");
  if (node["condition"].refused) return std::nullopt;
  const auto expression = read_condition(node["condition"], problems);
  return expression ? std::optional(compiled(*expression, options)) : std::nullopt;
}

std::optional<Compiled> compile_condition(std::string_view text, const Node& at, Problems& problems) {
  const auto parsed = expr::Expression::parse(text);
  if (const auto* expression = std::get_if<expr::Expression>(&parsed)) return compiled(*expression, {});
  problems.add(at.at, std::get<expr::Problem>(parsed).text);
  return std::nullopt;
}

Kind when_kind() {
  using config::Shape;
  const Shape map = Shape::object(
      "A condition in the expression language, over any number of series.",
      {config::required("condition", Shape::text(), "The expression: \"avg(value, 5m) > 30 and pressure < 2 bar\"."),
       config::defaulted("on_unknown", Shape::choice({"keep", "fire", "clear"}), "keep",
                         "What it means when the condition is not known, because a series is silent or bad."),
       config::optional("stale_after", Shape::duration(Micros{1}, std::chrono::days(365)),
                        "After so long without a sample a series is not known; else after three of its intervals, "
                        "where these are known.")});
  return {"when", "Any condition in the expression language.", Shape::either({Shape::text(), map}), compile_when};
}

}  // namespace tidegate::rules
