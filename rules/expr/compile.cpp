// Series, constants, arithmetic and conditions; compare.cpp and calls.cpp are the rest of the compiler.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "rules/expr/apply.h"
#include "rules/expr/compiler.h"

namespace tidegate::rules::expr {
namespace {

Role sum_role(Role left, Role right, bool is_minus) {
  if (left == Role::unclear || right == Role::unclear) return Role::unclear;
  if (left == Role::open && right == Role::open) return Role::open;
  if (left == Role::level && right == Role::level) return is_minus ? Role::difference : Role::unclear;
  if (!is_minus) return left == Role::level || right == Role::level ? Role::level : Role::difference;
  if (right == Role::level) return Role::difference;
  if (left == Role::level && right == Role::open) return Role::unclear;
  return left == Role::level ? Role::level : Role::difference;
}

Role product_role(Role left, Role right) {
  if (left == Role::open && right == Role::open) return Role::open;
  return left == Role::difference || right == Role::difference ? Role::difference : Role::unclear;
}

}  // namespace

Operand Compiler::run(std::size_t root) {
  const Operand out = value(root);
  if (problem_) return out;
  emitter_.finish(emitter_.slot(out), tree_.references.size());
  emitter_.block().lookback = out.lookback;
  if (emitter_.block().slots.size() > kMaxSlots)
    return fail(*out.at, "the expression takes too many steps: split it into rules");
  return out;
}

Operand Compiler::fail(const Node& node, std::string text) {
  if (!problem_) problem_ = Problem{node.at, std::move(text)};
  Operand none;
  none.is_unseen = true;
  none.at = &node;
  return none;
}

Operand Compiler::pure(Code code, const Node& node, Operand out, const Operand& a, const Operand* b, const Operand* c) {
  out.at = &node;
  out.reads = a.reads | (b ? b->reads : 0) | (c ? c->reads : 0);
  out.lookback = std::max({a.lookback, b ? b->lookback : Micros{0}, c ? c->lookback : Micros{0}});
  out.is_unseen = a.is_unseen || (b && b->is_unseen) || (c && c->is_unseen);
  out.is_constant = a.is_constant && (!b || b->is_constant) && (!c || c->is_constant);
  out.time = Micros{-1};
  out.is_counter = false;
  out.states = nullptr;
  if (out.is_constant) {
    out.value = apply(code, a.value, b ? b->value : 0, c ? c->value : 0);
    if (std::isnan(out.value))
      return fail(node, fmt::format("'{}' is no number{}", tree_.written(node),
                                    code == Code::divide ? ": it divides by zero" : ""));
    return out;
  }
  Op op{code, 0, emitter_.slot(a), 0, 0, 0};
  if (b) op.b = emitter_.slot(*b);
  if (c) op.c = emitter_.slot(*c);
  out.slot = emitter_.emit(op, out.reads);
  return out;
}

Operand Compiler::converted(const Operand& operand, const Conversion& conversion, const std::string& unit) {
  Operand out = operand;
  if (!conversion.is_none()) {
    const Operand scale = Operand::constant_of(conversion.scale), shift = Operand::constant_of(conversion.shift);
    out = pure(Code::scale, *operand.at, operand, operand, &scale, &shift);
  }
  out.unit = unit;
  return out;
}

Operand Compiler::value(std::size_t at) {
  const Node& node = tree_.nodes[at];
  if (problem_) return fail(node, "");
  switch (node.kind) {
    case Node::Kind::number:
      return number(node);
    case Node::Kind::boolean: {
      Operand out = Operand::constant_of(node.value, Type::boolean);
      out.at = &node;
      return out;
    }
    case Node::Kind::name:
      return loaded(node, Code::load);
    case Node::Kind::operation:
      return operation(node);
    case Node::Kind::call:
      return call(node);
    case Node::Kind::text:
      return fail(node, fmt::format("'{}' is a state: it stands beside == or !=, as in door == \"open\"", node.text));
    case Node::Kind::time_of_day:
      return fail(node, "a time of day stands in between(22:00, 06:00)");
    case Node::Kind::since:
      return fail(node, "since(...) is a window, as in avg(value, since(midnight))");
    case Node::Kind::each:
      return fail(node, "each ... is a window, as in avg(value, each 1h)");
    case Node::Kind::session:
      return fail(node, "session ... is a window, as in count(value, session 30s)");
  }
  return {};
}

Operand Compiler::number(const Node& node) {
  Operand out = Operand::constant_of(node.value);
  out.at = &node;
  out.unit = node.text;
  out.time = node.time;
  if (node.time >= Micros{0} && node.text != "m") take_duration(out);
  return out;
}

Operand Compiler::loaded(const Node& node, Code code) {
  const bool is_member = node.reference_kind == Reads::Kind::pattern;
  const std::optional<Values>& values = compiled_.of[node.reference];
  Operand out;
  out.at = &node;
  out.reads = std::uint64_t{1} << node.reference;
  out.role = Role::level;
  out.is_unseen = !values;
  if (values) {
    out.unit = values->unit;
    out.states = &values->states;
    out.is_counter = values->kind == SeriesKind::counter;
    out.type = type_of(values->kind);
    if (values->is_difference) out.role = Role::difference;
  }
  Op op{code, 0, 0, 0, 0, is_member ? kMember : static_cast<std::uint32_t>(node.reference)};
  out.slot = emitter_.emit(op, out.reads);
  return out;
}

Operand Compiler::operation(const Node& node) {
  switch (node.operation) {
    case Operator::otherwise:
    case Operator::also: {
      const Operand left = condition(node.arguments[0]), right = condition(node.arguments[1]);
      return pure(node.operation == Operator::also ? Code::both : Code::either, node, Operand::boolean(), left, &right);
    }
    case Operator::negation:
      return pure(Code::invert, node, Operand::boolean(), condition(node.arguments[0]));
    case Operator::sign: {
      const Operand inner = numeric(node.arguments[0]);
      return pure(Code::negate, node, no_level(inner), inner);
    }
    case Operator::plus:
    case Operator::minus:
      return sum(node);
    case Operator::times:
    case Operator::over:
      return product_of(node);
    default:
      return comparison(node);
  }
}

Operand Compiler::condition(std::size_t at) {
  const Operand out = value(at);
  if (problem_ || out.type == Type::boolean || out.is_unseen) return out;
  return fail(*out.at, fmt::format("'{}' is {}, and here stands a condition: compare it, as in {}", written(out),
                                   out.type == Type::state ? "a state" : "a number",
                                   out.type == Type::state ? "door == \"open\"" : "value > 90"));
}

Operand Compiler::numeric(std::size_t at, bool may_be_condition) {
  Operand out = value(at);
  if (problem_ || out.type == Type::number) return out;
  if (out.type == Type::boolean && may_be_condition) {
    out.type = Type::number;
    out.unit.clear();
    return out;
  }
  return fail(*out.at, fmt::format("'{}' is a {}, and here stands a number", written(out),
                                   out.type == Type::state ? "state" : "condition"));
}

Operand Compiler::sum(const Node& node) {
  Operand left = numeric(node.arguments[0]), right = numeric(node.arguments[1]);
  if (problem_) return left;
  take_time(left, right);
  take_time(right, left);
  const bool is_minus = node.operation == Operator::minus;
  Role by = right.role;
  if (by == Role::open)
    by = is_minus && left.role != Role::open && left.role != Role::difference ? Role::unclear : Role::difference;
  if (!bring(right, left, by)) return left;
  Operand out = left;
  if (left.unit.empty()) out.unit = right.unit;
  out.role = sum_role(left.role, right.role, is_minus);
  return pure(is_minus ? Code::subtract : Code::add, node, out, left, &right);
}

Operand Compiler::product_of(const Node& node) {
  Operand left = numeric(node.arguments[0]), right = numeric(node.arguments[1]);
  if (problem_) return left;
  Operand out = left.unit.empty() ? right : left;
  if (left.time >= Micros{0}) take_duration(left);
  if (right.time >= Micros{0}) take_duration(right);
  out.role = product_role(left.role, right.role);
  if (node.operation == Operator::times) {
    out.unit = product(left.unit, right.unit);
    return pure(Code::multiply, node, out, left, &right);
  }
  const Scaled unit = quotient(left.unit, right.unit);
  out.unit = unit.unit;
  left = converted(left, {unit.scale, 0}, left.unit);
  return pure(Code::divide, node, out, left, &right);
}

std::variant<std::shared_ptr<const Compiled>, Problem> compile(const Expression& expression, Zone zone,
                                                               std::vector<std::optional<Values>> of) {
  const Tree& tree = expression.tree();
  const std::lock_guard lock(tree.memo->mutex);
  auto& memo = tree.memo->known;
  std::erase_if(memo, [](const auto& one) { return one.expired(); });
  for (const auto& one : memo) {
    if (auto known = one.lock(); known && known->zone == zone && known->of == of) return known;
  }
  const auto compiled = std::make_shared<Compiled>(Compiled{expression, zone, std::move(of), {}, {}, {}, {}});
  Compiler compiler(*compiled, compiled->block);
  const Operand out = compiler.run(tree.nodes.size() - 1);
  if (auto problem = compiler.problem()) return std::move(*problem);
  compiled->type = out.type;
  compiled->unit = out.unit;
  compiled->is_difference = out.role == Role::difference;
  if (memo.size() == Memo::kMost) memo.erase(memo.begin());
  memo.push_back(compiled);
  return compiled;
}

}  // namespace tidegate::rules::expr
