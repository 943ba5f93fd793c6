#pragma once

#include "rules/expr/emitter.h"

namespace tidegate::rules::expr {

/// The inside of compile(): types, units and constants of an expression, or of the body of an aggregate. After the
/// first problem all goes on with values that nothing is known of, and nothing more is told.
class Compiler {
 public:
  /// Of `compiled` its expression is there already, and the series.
  Compiler(Compiled& compiled, Block& block)
      : tree_(compiled.expression.tree()), compiled_(compiled), emitter_(block) {}

  /// Fills the block with what gives the value of this node.
  Operand run(std::size_t root);
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  Operand fail(const Node& node, std::string text);
  /// Computed now where all of it is constant.
  Operand pure(Code code, const Node& node, Operand out, const Operand& a, const Operand* b = nullptr,
               const Operand* c = nullptr);
  Operand converted(const Operand& operand, const Conversion& conversion, const std::string& unit);

  // compile.cpp
  Operand value(std::size_t at);
  Operand number(const Node& node);
  Operand loaded(const Node& node, Code code);
  Operand operation(const Node& node);
  Operand condition(std::size_t at);
  /// A number; a condition counts as 1 and 0 where `may_be_condition`.
  Operand numeric(std::size_t at, bool may_be_condition = false);
  Operand sum(const Node& node);
  Operand product_of(const Node& node);

  // compare.cpp
  /// Brings two numbers to one unit, the left one's unless that one alone is written down.
  bool align(Operand& left, Operand& right, Role role);
  bool bring(Operand& operand, const Operand& to, Role role);
  Operand comparison(const Node& node);
  Operand compared(const Node& node, const Operand& left, const Operand& right);
  /// A state by its name, or a boolean series by "on", "off".
  Operand state(const Node& node, const Node& name, std::size_t other_at);
  /// Its truth changes at one moment, which a timer can be set to.
  Operand age(const Node& node, const Node& left, const Node& right);

  // calls.cpp
  Operand call(const Node& node);
  Operand pair(Code code, const Node& node, Operand left, Operand right);
  Operand several(const Node& node);
  bool same_type(const Operand& one, const Operand& other);
  Operand choice(const Node& node);
  /// A constant argument, in the unit of another one.
  Operand constant_in(std::size_t at, const Operand& of, Role role);
  Operand of_the_clock(const Node& node, Code code, Type type);
  /// was, held, then: they keep the history of a condition.
  Operand in_time(const Node& node);
  Operand window(const Node& node);
  std::uint16_t while_fresh(const Operand& window, std::uint16_t argument);
  bool window_arguments(const Node& node, const Operand& inner, WindowSpec& spec);
  Operand aggregate(const Node& node);
  /// The pattern in a body, which the parser has seen to be there.
  std::size_t pattern(std::size_t at) const;

  std::string written(const Operand& operand) const { return std::string(tree_.written(*operand.at)); }

  const Tree& tree_;
  Compiled& compiled_;
  Emitter emitter_;
  std::optional<Problem> problem_;
};

}  // namespace tidegate::rules::expr
