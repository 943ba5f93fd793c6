// Comparisons: of numbers, which come to one unit, of states, of an age.

#include <fmt/format.h>

#include <algorithm>

#include "rules/expr/compiler.h"

namespace tidegate::rules::expr {
namespace {

std::string time_hint(const Operand& one, const Operand& other) {
  for (const auto& [first, second] : {std::pair(&one, &other), std::pair(&other, &one)}) {
    const auto rate = parse_rate_unit(first->unit);
    if (second->is_constant && second->unit == "m" && is_time(first->unit))
      return "; minutes are written min, or 5m without a space";
    if (second->is_constant && rate && !rate->unit.empty() && conversion(second->unit, rate->unit, true))
      return fmt::format("; in what time? Write it like {0}/min", second->unit);
  }
  return "";
}

double exactly(double value, const std::string& from, const std::string& to, bool is_difference,
               const Conversion& otherwise) {
  const auto direct = is_difference ? convert_difference(value, from, to) : convert(value, from, to);
  return direct ? *direct : rounded(otherwise(value));
}

bool is_age(const Node& node) { return node.kind == Node::Kind::call && node.function->fn == Fn::age; }

}  // namespace

bool Compiler::align(Operand& left, Operand& right, Role role) {
  take_time(left, right);
  take_time(right, left);
  if (left.is_constant && !right.is_constant && role != Role::unclear) return bring(left, right, role);
  return bring(right, left, role);
}

bool Compiler::bring(Operand& operand, const Operand& to, Role role) {
  if (operand.unit.empty() || to.unit.empty()) {
    if (!to.unit.empty()) operand.unit = to.unit;
    return true;
  }
  const auto level = conversion(operand.unit, to.unit, false);
  if (!level) {
    const Operand& first = operand.at->at.begin < to.at->at.begin ? operand : to;
    const Operand& second = &first == &operand ? to : operand;
    fail(*second.at,
         fmt::format("'{}' is in {} and '{}' in {}, which does not convert{}{}", written(first), first.unit,
                     written(second), second.unit, capitals_hint(first.unit, second.unit), time_hint(first, second)));
    return false;
  }
  if (role == Role::unclear && level->shift != 0) {
    fail(*operand.at, fmt::format("'{}' beside a value in {} may be a temperature or a difference: write it in {}",
                                  written(operand), to.unit, to.unit));
    return false;
  }
  const bool is_level = role == Role::level || role == Role::open;
  if (operand.is_constant) {
    operand.value = exactly(operand.value, operand.unit, to.unit, !is_level, *level);
    operand.unit = to.unit;
  } else {
    operand = converted(operand, is_level ? *level : *conversion(operand.unit, to.unit, true), to.unit);
  }
  return true;
}

Operand Compiler::comparison(const Node& node) {
  const Node &left_node = tree_.argument(node, 0), &right_node = tree_.argument(node, 1);
  if (is_age(left_node) || is_age(right_node)) return age(node, left_node, right_node);
  const bool is_equality = node.operation == Operator::equal || node.operation == Operator::unequal;
  if (left_node.kind == Node::Kind::text || right_node.kind == Node::Kind::text) {
    if (!is_equality) return fail(node, "states have no order: compare them with == or !=");
    return state(node, left_node.kind == Node::Kind::text ? left_node : right_node,
                 node.arguments[left_node.kind == Node::Kind::text ? 1 : 0]);
  }
  Operand left = value(node.arguments[0]), right = value(node.arguments[1]);
  if (problem_) return left;
  if (left.type == Type::state || right.type == Type::state) {
    if (!is_equality) return fail(node, "states have no order: compare them with == or !=");
    if (left.is_unseen || right.is_unseen) return compared(node, left, right);
    return fail(*(left.type == Type::state ? left : right).at,
                fmt::format("'{}' is a state: compare it with one, as in {} == \"open\"",
                            written(left.type == Type::state ? left : right),
                            written(left.type == Type::state ? left : right)));
  }
  if (left.is_unseen || right.is_unseen) return compared(node, left, right);
  if (left.type != right.type) {
    const Operand& truth = left.type == Type::boolean ? left : right;
    return fail(*truth.at,
                fmt::format("'{0}' is a condition, and the other side a number: write {0} or not {0}", written(truth)));
  }
  if (left.type == Type::boolean && !is_equality)
    return fail(node, "conditions have no order: combine them with and, or, not");
  if (left.type == Type::number && !align(left, right, joint(left, right))) return left;
  return compared(node, left, right);
}

Operand Compiler::compared(const Node& node, const Operand& left, const Operand& right) {
  const bool is_swapped = node.operation == Operator::greater || node.operation == Operator::at_least;
  Code code = Code::less;
  if (node.operation == Operator::at_most || node.operation == Operator::at_least) code = Code::at_most;
  if (node.operation == Operator::equal) code = Code::equal;
  if (node.operation == Operator::unequal) code = Code::unequal;
  const Operand out = is_swapped ? pure(code, node, Operand::boolean(), right, &left)
                                 : pure(code, node, Operand::boolean(), left, &right);
  const bool is_of_numbers = left.type == Type::number && right.type == Type::number;
  if (!problem_ && !out.is_constant && is_of_numbers) {
    const std::string& unit = left.unit.empty() ? right.unit : left.unit;
    emitter_.note_comparison({0, is_swapped, written(left), written(right), unit});
  }
  return out;
}

Operand Compiler::state(const Node& node, const Node& name, std::size_t other_at) {
  const Operand other = value(other_at);
  if (problem_) return other;
  if (!other.is_unseen && other.type == Type::number) {
    return fail(name, fmt::format("'{}' is taken for a state, and '{}' is a number; a series of that name stands in "
                                  "backticks, `{}`",
                                  name.text, written(other), name.text));
  }
  double code = -1;  // no label has it yet
  if (other.type == Type::boolean) {
    if (name.text == "on" || name.text == "true") code = 1;
    if (name.text == "off" || name.text == "false") code = 0;
    if (code < 0) return fail(name, fmt::format("'{}' is true or false, not {}", written(other), name.text));
  } else if (other.states != nullptr) {
    const auto found = std::find(other.states->begin(), other.states->end(), name.text);
    if (found != other.states->end()) code = static_cast<double>(found - other.states->begin());
  }
  Operand wanted = Operand::constant_of(code);
  wanted.at = &name;
  return compared(node, other, wanted);
}

Operand Compiler::age(const Node& node, const Node& left, const Node& right) {
  const bool is_left = is_age(left);
  const Node &aged = is_left ? left : right, &limit = is_left ? right : left;
  const auto time = duration(tree_, limit);
  if (const auto* problem = std::get_if<Problem>(&time)) {
    return fail(limit,
                fmt::format("age(...) is compared with a time that is written down, like 5m: {}", problem->text));
  }
  if (node.operation == Operator::equal || node.operation == Operator::unequal)
    return fail(node, "an age is compared with < or >: at one moment alone it would be equal");
  // older: a > b, or a >= b; its opposite for < and <=.
  const bool looks_up = (node.operation == Operator::greater || node.operation == Operator::at_least) == is_left;
  const bool or_equal = node.operation == Operator::at_least || node.operation == Operator::at_most;
  const Node& series = tree_.argument(aged, 0);
  Operand out = Operand::boolean();
  out.at = &node;
  out.reads = std::uint64_t{1} << series.reference;
  out.lookback = std::get<Micros>(time);
  Op op{Code::older,
        0,
        0,
        emitter_.constant(static_cast<double>(std::get<Micros>(time).count())),
        emitter_.constant(looks_up == or_equal ? 1 : 0),
        series.reference_kind == Reads::Kind::pattern ? kMember : static_cast<std::uint32_t>(series.reference)};
  out.slot = emitter_.emit(op, out.reads);
  return looks_up ? out : pure(Code::invert, node, out, out);
}

}  // namespace tidegate::rules::expr
