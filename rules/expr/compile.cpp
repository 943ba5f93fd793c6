// Types, units and constants of an expression, and the flat program that it becomes.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gateway/core/text.h"
#include "rules/expr/apply.h"
#include "rules/expr/block.h"
#include "rules/expr/operand.h"

namespace tidegate::rules::expr {
namespace {

using Inputs = std::span<const Input* const>;

class Compiler {
 public:
  Compiler(const Tree& tree, Inputs inputs, Compiled& compiled, Block& block)
      : tree_(tree), inputs_(inputs), compiled_(compiled), block_(block) {}

  /// The block whose value is that of a node.
  Operand run(std::size_t root) {
    const Operand out = value(root);
    if (problem_) return out;
    block_.result = slot(out);
    plan_main();
    plan_feeds();
    block_.lookback = out.lookback;
    return out;
  }
  std::optional<Problem>& problem() { return problem_; }

 private:
  Operand fail(const Node& node, std::string text) {
    if (!problem_) problem_ = Problem{node.at, std::move(text)};
    Operand none;
    none.is_unseen = true;
    none.at = &node;
    return none;
  }
  std::string written(const Operand& operand) const { return std::string(tree_.written(*operand.at)); }

  // --- emitting -------------------------------------------------------------------------------------------------

  std::uint16_t constant(double value) {
    block_.slots.push_back(value);
    producers_.push_back(-1);
    return static_cast<std::uint16_t>(block_.slots.size() - 1);
  }
  std::uint16_t slot(const Operand& operand) { return operand.is_constant ? constant(operand.value) : operand.slot; }

  /// The result of an operation, whose operands are in a, b, c.
  std::uint16_t emit(Op op, std::uint64_t reads) {
    op.out = constant(kUnknown);
    producers_.back() = static_cast<int>(block_.ops.size());
    block_.ops.push_back(op);
    reads_.push_back(reads);
    return op.out;
  }

  /// Computed now where all of it is constant.
  Operand pure(Code code, const Node& node, Operand out, const Operand& a, const Operand* b = nullptr,
               const Operand* c = nullptr) {
    out.at = &node;
    out.reads = a.reads | (b ? b->reads : 0) | (c ? c->reads : 0);
    out.lookback = std::max({a.lookback, b ? b->lookback : Micros{0}, c ? c->lookback : Micros{0}});
    out.is_unseen = a.is_unseen || (b && b->is_unseen) || (c && c->is_unseen);
    out.is_constant = a.is_constant && (!b || b->is_constant) && (!c || c->is_constant);
    out.time = Micros{-1};
    if (out.is_constant) {
      out.value = apply(code, a.value, b ? b->value : 0, c ? c->value : 0);
      if (std::isnan(out.value))
        return fail(node, fmt::format("'{}' is no number{}", tree_.written(node),
                                      code == Code::divide ? ": it divides by zero" : ""));
      return out;
    }
    Op op{code, 0, slot(a), 0, 0, 0};
    if (b) op.b = slot(*b);
    if (c) op.c = slot(*c);
    out.slot = emit(op, out.reads);
    return out;
  }

  Operand converted(const Operand& operand, const Conversion& conversion, const std::string& unit) {
    Operand out = operand;
    if (!conversion.is_none()) {
      const Operand scale = Operand::constant_of(conversion.scale), shift = Operand::constant_of(conversion.shift);
      out = pure(Code::scale, *operand.at, operand, operand, &scale, &shift);
    }
    out.unit = unit;
    return out;
  }

  // --- units ----------------------------------------------------------------------------------------------------

  /// Brings two numbers to one unit, the left one's unless that one alone is written down.
  bool align(Operand& left, Operand& right, Role role) {
    take_time(left, right);
    take_time(right, left);
    if (left.is_constant && !right.is_constant && role != Role::unclear) return bring(left, right, role);
    return bring(right, left, role);
  }
  /// 5m beside a time is five minutes, not metres.
  static void take_time(Operand& operand, const Operand& other) {
    if (operand.time < Micros{0} || !is_time(other.unit)) return;
    operand.value = static_cast<double>(operand.time.count()) * 1e-6;
    operand.unit = "s";
    operand.time = Micros{-1};
  }
  bool bring(Operand& operand, const Operand& to, Role role) {
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
  static std::string time_hint(const Operand& one, const Operand& other) {
    for (const auto& [first, second] : {std::pair(&one, &other), std::pair(&other, &one)}) {
      const auto rate = parse_rate_unit(first->unit);
      if (second->is_constant && second->unit == "m" && is_time(first->unit))
        return "; minutes are written min, or 5m without a space";
      if (second->is_constant && rate && !rate->unit.empty() && conversion(second->unit, rate->unit, true))
        return fmt::format("; in what time? Write it like {0}/min", second->unit);
    }
    return "";
  }
  static double exactly(double value, const std::string& from, const std::string& to, bool is_difference,
                        const Conversion& otherwise) {
    const auto direct = is_difference ? convert_difference(value, from, to) : convert(value, from, to);
    return direct ? *direct : rounded(otherwise(value));
  }
  /// What two numbers are that stand for the same: in a comparison, min, if.
  static Role joint(const Operand& left, const Operand& right) {
    if (left.role == Role::unclear || right.role == Role::unclear) return Role::unclear;
    if (left.role == Role::difference || right.role == Role::difference) return Role::difference;
    return left.role == Role::open && right.role == Role::open ? Role::open : Role::level;
  }

  // --- nodes ----------------------------------------------------------------------------------------------------

  Operand value(std::size_t at) {
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
        return name(node);
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
    }
    return {};
  }

  Operand number(const Node& node) {
    Operand out = Operand::constant_of(node.value);
    out.at = &node;
    out.unit = node.text;
    out.time = node.time;
    if (node.time >= Micros{0} && node.text != "m") take_duration(out);
    return out;
  }
  /// Of what is written like 5m or 1h30m only metres could be meant otherwise.
  static void take_duration(Operand& out) {
    out.value = static_cast<double>(out.time.count()) * 1e-6;
    out.unit = "s";
    out.time = Micros{-1};
  }

  Operand name(const Node& node) { return loaded(node, Code::load); }
  Operand loaded(const Node& node, Code code) {
    const bool is_member = node.reference_kind == Reference::Kind::pattern;
    const Input* input = inputs_[node.reference];
    Operand out;
    out.at = &node;
    out.reads = std::uint64_t{1} << node.reference;
    out.role = Role::level;
    out.is_unseen = input == nullptr;
    if (input != nullptr) {
      out.unit = input->info.unit;
      out.states = &input->states;
      out.is_counter = input->info.kind == SeriesKind::counter;
      if (input->info.kind == SeriesKind::boolean) out.type = Type::boolean;
      if (input->info.kind == SeriesKind::state) out.type = Type::state;
    }
    Op op{code, 0, 0, 0, 0, is_member ? kMember : static_cast<std::uint32_t>(node.reference)};
    out.slot = emit(op, out.reads);
    return out;
  }

  Operand operation(const Node& node) {
    switch (node.operation) {
      case Operator::otherwise:
      case Operator::also: {
        const Operand left = condition(node.arguments[0]), right = condition(node.arguments[1]);
        return pure(node.operation == Operator::also ? Code::both : Code::either, node, Operand::boolean(), left,
                    &right);
      }
      case Operator::negation:
        return pure(Code::invert, node, Operand::boolean(), condition(node.arguments[0]));
      case Operator::sign: {
        const Operand inner = numeric(node.arguments[0]);
        return pure(Code::negate, node, inner, inner);
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

  Operand condition(std::size_t at) {
    const Operand out = value(at);
    if (problem_ || out.type == Type::boolean || out.is_unseen) return out;
    return fail(*out.at, fmt::format("'{}' is {}, and here stands a condition: compare it, as in {}", written(out),
                                     out.type == Type::state ? "a state" : "a number",
                                     out.type == Type::state ? "door == \"open\"" : "value > 90"));
  }
  /// A number; a condition counts as 1 and 0 where `may_be_condition`.
  Operand numeric(std::size_t at, bool may_be_condition = false) {
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

  Operand sum(const Node& node) {
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
  static Role sum_role(Role left, Role right, bool is_minus) {
    if (left == Role::unclear || right == Role::unclear) return Role::unclear;
    if (left == Role::open && right == Role::open) return Role::open;
    if (!is_minus) return left == Role::level || right == Role::level ? Role::level : Role::difference;
    if (right == Role::level) return Role::difference;
    if (left == Role::level && right == Role::open) return Role::unclear;
    return left == Role::level ? Role::level : Role::difference;
  }

  Operand product_of(const Node& node) {
    Operand left = numeric(node.arguments[0]), right = numeric(node.arguments[1]);
    if (problem_) return left;
    Operand out = left.unit.empty() ? right : left;
    if (left.time >= Micros{0}) take_duration(left);
    if (right.time >= Micros{0}) take_duration(right);
    if (left.role == Role::open && right.role == Role::open) out.role = Role::open;
    if (node.operation == Operator::times) {
      out.unit = product(left.unit, right.unit);
      return pure(Code::multiply, node, out, left, &right);
    }
    const Scaled unit = quotient(left.unit, right.unit);
    out.unit = unit.unit;
    if (!right.unit.empty()) out.role = Role::difference;
    left = converted(left, {unit.scale, 0}, left.unit);
    return pure(Code::divide, node, out, left, &right);
  }

  // --- comparisons ----------------------------------------------------------------------------------------------

  Operand comparison(const Node& node) {
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
      return fail(*truth.at, fmt::format("'{0}' is a condition, and the other side a number: write {0} or not {0}",
                                         written(truth)));
    }
    if (left.type == Type::boolean && !is_equality)
      return fail(node, "conditions have no order: combine them with and, or, not");
    if (left.type == Type::number && !align(left, right, joint(left, right))) return left;
    return compared(node, left, right);
  }
  Operand compared(const Node& node, const Operand& left, const Operand& right) {
    const bool is_swapped = node.operation == Operator::greater || node.operation == Operator::at_least;
    Code code = Code::less;
    if (node.operation == Operator::at_most || node.operation == Operator::at_least) code = Code::at_most;
    if (node.operation == Operator::equal) code = Code::equal;
    if (node.operation == Operator::unequal) code = Code::unequal;
    return is_swapped ? pure(code, node, Operand::boolean(), right, &left)
                      : pure(code, node, Operand::boolean(), left, &right);
  }

  /// A state by its name, or a boolean series by "on", "off".
  Operand state(const Node& node, const Node& name, std::size_t other_at) {
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

  static bool is_age(const Node& node) { return node.kind == Node::Kind::call && node.function->fn == Fn::age; }

  /// Its truth changes at one moment, which a timer can be set to.
  Operand age(const Node& node, const Node& left, const Node& right) {
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
          constant(static_cast<double>(std::get<Micros>(time).count())),
          constant(looks_up == or_equal ? 1 : 0),
          series.reference_kind == Reference::Kind::pattern ? kMember : static_cast<std::uint32_t>(series.reference)};
    out.slot = emit(op, out.reads);
    return looks_up ? out : pure(Code::invert, node, out, out);
  }

  // --- functions ------------------------------------------------------------------------------------------------

  Operand call(const Node& node) {
    const Fn fn = node.function->fn;
    if (is_window(*node.function)) return window(node);
    if (is_aggregate(*node.function)) return aggregate(node);
    switch (fn) {
      case Fn::last:
        return loaded(tree_.argument(node, 0), Code::newest);
      case Fn::age:
        return fail(node, fmt::format("an age stands beside < or > and a time: {} > 5m", tree_.written(node)));
      case Fn::abs: {
        const Operand inner = numeric(node.arguments[0]);
        return pure(Code::absolute, node, inner, inner);
      }
      case Fn::least:
      case Fn::greatest:
      case Fn::coalesce:
        return several(node);
      case Fn::clamp: {
        const Operand low = pair(Code::greatest, node, numeric(node.arguments[0]), numeric(node.arguments[1]));
        return pair(Code::least, node, low, numeric(node.arguments[2]));
      }
      case Fn::round: {
        const Operand inner = numeric(node.arguments[0]);
        const Operand step = constant_in(node.arguments[1], inner, Role::difference);
        if (!problem_ && !(step.value > 0)) return fail(*step.at, "a step is above 0");
        return pure(Code::nearest_multiple, node, inner, inner, &step);
      }
      case Fn::choose:
        return choice(node);
      case Fn::unit: {
        Operand inner = numeric(node.arguments[0]);
        inner.unit = tree_.argument(node, 1).text;
        inner.role = Role::level;
        return inner;
      }
      case Fn::hour:
        return of_the_clock(node, Code::hour, Type::number);
      case Fn::weekday:
        return of_the_clock(node, Code::weekday, Type::number);
      case Fn::between:
        return of_the_clock(node, Code::between, Type::boolean);
      default:
        return in_time(node);
    }
  }

  /// What two values are of which one is taken: of the type that is known, in the unit that is written.
  static Operand either(const Operand& one, const Operand& other) {
    if (one.is_unseen != other.is_unseen) return one.is_unseen ? other : one;
    return one.unit.empty() ? other : one;
  }
  Operand pair(Code code, const Node& node, Operand left, Operand right) {
    if (problem_ || (left.type == Type::number && !align(left, right, joint(left, right)))) return left;
    Operand out = either(left, right);
    out.role = joint(left, right);
    return pure(code, node, out, left, &right);
  }
  Operand several(const Node& node) {
    const Code code = node.function->fn == Fn::least      ? Code::least
                      : node.function->fn == Fn::greatest ? Code::greatest
                                                          : Code::first_known;
    Operand out = code == Code::first_known ? value(node.arguments[0]) : numeric(node.arguments[0]);
    for (std::size_t i = 1; i < node.arguments.size() && !problem_; ++i) {
      const Operand next = code == Code::first_known ? value(node.arguments[i]) : numeric(node.arguments[i]);
      if (!same_type(out, next)) return out;
      const bool is_unseen = out.is_unseen && next.is_unseen;
      out = pair(code, node, out, next);
      if (code == Code::first_known) out.is_unseen = is_unseen;
    }
    return out;
  }
  bool same_type(const Operand& one, const Operand& other) {
    if (problem_) return false;
    if (one.is_unseen || other.is_unseen || (one.type == other.type && one.type != Type::state)) return true;
    fail(*other.at, fmt::format("'{}' and '{}' are not of one kind", written(one), written(other)));
    return false;
  }
  Operand choice(const Node& node) {
    const Operand when = condition(node.arguments[0]);
    Operand yes = value(node.arguments[1]), no = value(node.arguments[2]);
    if (!same_type(yes, no)) return yes;
    if (yes.type == Type::number && no.type == Type::number && !align(yes, no, joint(yes, no))) return yes;
    Operand out = either(yes, no);
    out.role = joint(yes, no);
    return pure(Code::choose, node, out, when, &yes, &no);
  }
  /// A constant argument, in the unit of another one.
  Operand constant_in(std::size_t at, const Operand& of, Role role) {
    Operand out = numeric(at);
    if (problem_) return out;
    if (!out.is_constant) return fail(*out.at, fmt::format("'{}' changes: here stands a number", written(out)));
    take_time(out, of);
    bring(out, of, of.role == Role::difference ? Role::difference : role);
    return out;
  }

  Operand of_the_clock(const Node& node, Code code, Type type) {
    Operand out;
    out.at = &node;
    out.type = type;
    Op op{code, 0, 0, 0, 0, 0};
    if (code == Code::between) {
      op.a = constant(static_cast<double>(tree_.argument(node, 0).time.count()));
      op.b = constant(static_cast<double>(tree_.argument(node, 1).time.count()));
    }
    out.slot = emit(op, 0);
    return out;
  }

  /// was, held, then: they keep the history of a condition.
  Operand in_time(const Node& node) {
    const bool is_then = node.function->fn == Fn::then;
    const Operand first = condition(node.arguments[0]);
    const Operand second = is_then ? condition(node.arguments[1]) : Operand{};
    if (problem_) return first;
    const Micros time = std::get<Micros>(duration(tree_, tree_.argument(node, node.arguments.size() - 1)));
    Operand out = Operand::boolean();
    out.at = &node;
    out.reads = first.reads | second.reads;
    out.is_unseen = first.is_unseen || second.is_unseen;
    out.lookback = std::max(first.lookback, second.lookback) + time;
    const std::uint16_t width = constant(static_cast<double>(time.count()));
    Op op{node.function->fn == Fn::was ? Code::was : Code::held, 0, slot(first), width, 0, block_.histories};
    if (is_then) op = {Code::then, 0, slot(first), slot(second), width, block_.histories};
    block_.histories += is_then ? 2 : 1;
    out.slot = emit(op, out.reads);
    return out;
  }

  // --- windows --------------------------------------------------------------------------------------------------

  Operand window(const Node& node) {
    const Fn fn = node.function->fn;
    const bool takes_all = fn == Fn::count || fn == Fn::changes;
    Operand inner = takes_all ? value(node.arguments[0]) : numeric(node.arguments[0], true);
    if (problem_) return inner;
    if (inner.reads == 0) return fail(*inner.at, "a window is over the samples of a series, and here is none");
    const bool follows_line = fn == Fn::slope || fn == Fn::forecast || fn == Fn::time_to || fn == Fn::fit;
    if (inner.is_counter && follows_line) {
      return fail(
          *inner.at,
          fmt::format("'{}' is a counter, which begins anew at times: use rate(...) or increase(...)", written(inner)));
    }
    WindowSpec spec;
    spec.fn = fn;
    spec.of_truths = fn == Fn::count && inner.type == Type::boolean;
    spec.unit = inner.unit;
    if (!window_arguments(node, inner, spec)) return inner;
    Operand out = window_result(inner, spec);
    out.at = &node;
    out.reads = inner.reads;
    out.lookback = inner.lookback + spec.lookback();
    const Op op{Code::window, 0, slot(inner), 0, 0, static_cast<std::uint32_t>(block_.windows.size())};
    block_.windows.push_back(spec);
    out.slot = emit(op, out.reads);
    return out;
  }

  bool window_arguments(const Node& node, const Operand& inner, WindowSpec& spec) {
    if (spec.fn == Fn::cusum) {
      spec.first = constant_in(node.arguments[1], inner, Role::level).value;
      spec.second = constant_in(node.arguments[2], inner, Role::difference).value;
      return !problem_;
    }
    for (std::size_t i = 1; i < node.arguments.size(); ++i) {
      const Node& argument = tree_.argument(node, i);
      switch (node.function->parameters[i]) {
        case 'w':
          spec.extent = std::get<Extent>(extent(tree_, argument));
          break;
        case 'd':
          spec.first = static_cast<double>(std::get<Micros>(duration(tree_, argument)).count()) * 1e-6;
          break;
        case 'q': {
          const Operand share = numeric(node.arguments[i]);
          if (problem_) return false;
          const auto plain = share.unit.empty() ? std::optional(Conversion{}) : conversion(share.unit, "%", true);
          spec.first = share.unit.empty() || !plain ? share.value : (*plain)(share.value) / 100;
          if (!share.is_constant || !plain || !(spec.first >= 0 && spec.first <= 1)) {
            fail(argument, "a share is a number from 0 to 1, or in %");
            return false;
          }
          break;
        }
        default:
          spec.first = constant_in(node.arguments[i], inner, Role::level).value;
      }
    }
    if (spec.fn == Fn::ewma && spec.extent.kind == Extent::Kind::since)
      fail(tree_.argument(node, 1), "ewma forgets by and by: write a time or a number of samples");
    return !problem_;
  }

  static Operand window_result(const Operand& inner, WindowSpec& spec) {
    Operand out;
    out.unit = inner.unit;
    out.is_unseen = inner.is_unseen && spec.fn != Fn::count;
    out.role = inner.role == Role::open ? Role::level : inner.role;
    switch (spec.fn) {
      case Fn::count:
      case Fn::changes:
      case Fn::resets:
      case Fn::fit:
      case Fn::zscore:
        out.unit.clear();
        break;
      case Fn::stddev:
      case Fn::range:
      case Fn::delta:
      case Fn::increase:
      case Fn::mad:
      case Fn::cusum:
        out.role = Role::difference;
        break;
      case Fn::rate:
      case Fn::slope:
        out.unit = per_second(inner.unit);
        out.role = Role::difference;
        break;
      case Fn::time_to:
        out.unit = "s";
        break;
      case Fn::integral: {
        const Scaled area = for_a_second(inner.unit);
        out.unit = area.unit;
        spec.first = area.scale;
        out.role = Role::difference;
        break;
      }
      default:
        break;
    }
    return out;
  }

  // --- aggregates -----------------------------------------------------------------------------------------------

  Operand aggregate(const Node& node) {
    Aggregate made;
    made.fn = node.function->fn;
    made.reference = pattern(node.arguments[0]);
    if (const Input* first = inputs_[made.reference]) made.unit = first->info.unit;
    Compiler inside(tree_, inputs_, compiled_, made.body);
    const Operand body = inside.run(node.arguments[0]);
    problem_ = std::move(inside.problem());
    if (problem_) return body;
    const bool is_condition = node.function->parameters == "c";
    if (!body.is_unseen && (body.type == Type::boolean) != is_condition &&
        !(body.type == Type::boolean && made.fn == Fn::avg_members)) {
      return fail(*body.at, fmt::format("'{}' is {}, and {} is of {}", written(body),
                                        body.type == Type::boolean ? "a condition"
                                        : body.type == Type::state ? "a state"
                                                                   : "a number",
                                        node.function->usage, is_condition ? "a condition" : "a number"));
    }
    Operand out = body;
    out.at = &node;
    out.is_unseen = false;
    out.is_constant = false;
    out.states = nullptr;
    out.is_counter = false;
    if (made.fn == Fn::all_members || made.fn == Fn::any_members) out = typed(out, Type::boolean);
    if (made.fn == Fn::count_members || body.type == Type::boolean) out.unit.clear();
    if (made.fn >= Fn::count_members) out = typed(out, Type::number);
    const Op op{Code::aggregate, 0, 0, 0, 0, static_cast<std::uint32_t>(compiled_.aggregates.size())};
    compiled_.aggregates.push_back(std::move(made));
    out.slot = emit(op, out.reads);
    return out;
  }
  static Operand typed(Operand operand, Type type) {
    operand.type = type;
    return operand;
  }
  /// The pattern in a body, which the parser has seen to be there.
  std::size_t pattern(std::size_t at) const {
    const Node& node = tree_.nodes[at];
    if (node.kind == Node::Kind::name && node.reference_kind == Reference::Kind::pattern) return node.reference;
    for (const std::size_t argument : node.arguments) {
      const std::size_t found = pattern(argument);
      if (found < tree_.references.size()) return found;
    }
    return tree_.references.size();
  }

  // --- plans ----------------------------------------------------------------------------------------------------

  void need(std::vector<bool>& needed, std::uint16_t slot) const {
    if (producers_[slot] >= 0) needed[static_cast<std::size_t>(producers_[slot])] = true;
  }
  void need_operands(std::vector<bool>& needed, const Op& op) const {
    need(needed, op.a);
    need(needed, op.b);
    need(needed, op.c);
  }
  static bool keeps_history(Code code) { return code == Code::was || code == Code::held || code == Code::then; }

  /// What the value needs, and every history; not what only windows take, which they get at their samples.
  void plan_main() {
    std::vector<bool> needed(block_.ops.size());
    need(needed, block_.result);
    for (std::size_t i = block_.ops.size(); i-- > 0;) {
      const Op& op = block_.ops[i];
      if (keeps_history(op.code)) needed[i] = true;
      if (needed[i] && op.code != Code::window) need_operands(needed, op);
    }
    for (std::uint32_t i = 0; i < block_.ops.size(); ++i) {
      if (needed[i]) block_.main.push_back(i);
    }
  }

  void plan_feeds() {
    block_.feeds.resize(tree_.references.size());
    for (std::size_t reference = 0; reference < tree_.references.size(); ++reference) {
      std::vector<bool> needed(block_.ops.size()), takes(block_.ops.size());
      for (std::size_t i = block_.ops.size(); i-- > 0;) {
        const Op& op = block_.ops[i];
        takes[i] = op.code == Code::window && (reads_[i] >> reference & 1) != 0;
        if (takes[i]) {
          need(needed, op.a);
        } else if (needed[i] && op.code != Code::window) {
          need_operands(needed, op);
        }
      }
      for (std::uint32_t i = 0; i < block_.ops.size(); ++i) {
        if (needed[i] || takes[i]) block_.feeds[reference].steps.push_back({i, takes[i], needed[i]});
      }
    }
  }

  const Tree& tree_;
  Inputs inputs_;
  Compiled& compiled_;
  Block& block_;
  std::vector<int> producers_;        ///< by slot: the operation that fills it, or -1
  std::vector<std::uint64_t> reads_;  ///< by operation: the references it depends on, a bit each
  std::optional<Problem> problem_;
};

}  // namespace

std::variant<Compiled, Problem> compile(const Tree& tree, Inputs inputs) {
  Compiled compiled;
  Compiler compiler(tree, inputs, compiled, compiled.block);
  const Operand out = compiler.run(tree.nodes.size() - 1);
  if (compiler.problem()) return std::move(*compiler.problem());
  compiled.type = out.type;
  compiled.unit = out.unit;
  return compiled;
}

}  // namespace tidegate::rules::expr
