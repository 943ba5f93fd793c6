// Functions: of the moment, of conditions in time, over windows, over the members of a pattern.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "rules/expr/compiler.h"

namespace tidegate::rules::expr {
namespace {

/// What two values are of which one is taken: of the type that is known, in the unit that is written.
Operand either(const Operand& one, const Operand& other) {
  if (one.is_unseen != other.is_unseen) return one.is_unseen ? other : one;
  return one.unit.empty() ? other : one;
}

Operand window_result(const Operand& inner, WindowSpec& spec) {
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
    case Fn::sum:
      return no_level(out);
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

/// At which windows lose samples, where that is all that time does to what they are for; else nothing.
std::optional<Micros> pace_of(const Block& body) {
  if (body.histories > 0) return std::nullopt;
  std::optional<Micros> pace;
  for (const WindowSpec& window : body.windows) {
    if (!window.only_fades() || pace.value_or(window.pace()) != window.pace()) return std::nullopt;
    pace = window.pace();
  }
  return pace.value_or(Micros{0});
}

Operand typed(Operand operand, Type type) {
  operand.type = type;
  return operand;
}

}  // namespace

Operand Compiler::call(const Node& node) {
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
      return pure(Code::absolute, node, no_level(inner), inner);
    }
    case Fn::least:
    case Fn::greatest:
    case Fn::coalesce:
      return several(node);
    case Fn::clamp: {
      const Operand inner = numeric(node.arguments[0]), low = numeric(node.arguments[1]);
      return pair(Code::least, node, pair(Code::greatest, node, inner, low), numeric(node.arguments[2]));
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

Operand Compiler::pair(Code code, const Node& node, Operand left, Operand right) {
  if (problem_ || (left.type == Type::number && !align(left, right, joint(left, right)))) return left;
  Operand out = either(left, right);
  out.role = joint(left, right);
  return pure(code, node, out, left, &right);
}

Operand Compiler::several(const Node& node) {
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

bool Compiler::same_type(const Operand& one, const Operand& other) {
  if (problem_) return false;
  if (one.is_unseen || other.is_unseen || (one.type == other.type && one.type != Type::state)) return true;
  fail(*other.at, fmt::format("'{}' and '{}' are not of one kind", written(one), written(other)));
  return false;
}

Operand Compiler::choice(const Node& node) {
  const Operand when = condition(node.arguments[0]);
  Operand yes = value(node.arguments[1]), no = value(node.arguments[2]);
  if (!same_type(yes, no)) return yes;
  if (yes.type == Type::number && no.type == Type::number && !align(yes, no, joint(yes, no))) return yes;
  Operand out = either(yes, no);
  out.role = joint(yes, no);
  return pure(Code::choose, node, out, when, &yes, &no);
}

Operand Compiler::constant_in(std::size_t at, const Operand& of, Role role) {
  Operand out = numeric(at);
  if (problem_) return out;
  if (!out.is_constant) return fail(*out.at, fmt::format("'{}' changes: here stands a number", written(out)));
  take_time(out, of);
  bring(out, of, role == Role::difference ? role : joint(of, out));
  return out;
}

Operand Compiler::of_the_clock(const Node& node, Code code, Type type) {
  Operand out;
  out.at = &node;
  out.type = type;
  Op op{code, 0, 0, 0, 0, 0};
  if (code == Code::between) {
    op.a = emitter_.constant(static_cast<double>(tree_.argument(node, 0).time.count()));
    op.b = emitter_.constant(static_cast<double>(tree_.argument(node, 1).time.count()));
  }
  out.slot = emitter_.emit(op, 0);
  return out;
}

Operand Compiler::in_time(const Node& node) {
  const Fn fn = node.function->fn;
  const bool is_pair = fn == Fn::then || fn == Fn::missed;
  const Operand first = condition(node.arguments[0]);
  const Operand second = is_pair ? condition(node.arguments[1]) : Operand{};
  if (problem_) return first;
  const Micros time = std::get<Micros>(duration(tree_, tree_.argument(node, node.arguments.size() - 1)));
  Operand out = Operand::boolean();
  out.at = &node;
  out.reads = first.reads | second.reads;
  out.is_unseen = first.is_unseen || second.is_unseen;
  out.lookback = std::max(first.lookback, second.lookback) + time;
  const std::uint16_t width = emitter_.constant(static_cast<double>(time.count()));
  Op op{fn == Fn::was ? Code::was : Code::held, 0, emitter_.slot(first), width, 0, emitter_.block().histories};
  if (is_pair) {
    op = {fn == Fn::then ? Code::then : Code::missed,
          0,
          emitter_.slot(first),
          emitter_.slot(second),
          width,
          emitter_.block().histories};
  }
  emitter_.block().histories += fn == Fn::then ? 2 : 1;
  out.slot = emitter_.emit(op, out.reads);
  return out;
}

Operand Compiler::window(const Node& node) {
  const Fn fn = node.function->fn;
  const bool takes_all = fn == Fn::count || fn == Fn::changes;
  Operand inner = takes_all ? value(node.arguments[0]) : numeric(node.arguments[0], true);
  if (problem_) return inner;
  if (inner.reads == 0) return fail(*inner.at, "a window is over the samples of a series, and here is none");
  const bool follows_line = fn == Fn::slope || fn == Fn::forecast || fn == Fn::time_to || fn == Fn::fit;
  if (inner.is_counter && (follows_line || fn == Fn::season)) {
    return fail(*inner.at, fmt::format("'{}' is a counter, which begins anew at times: use rate(...) or increase(...)",
                                       written(inner)));
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
  const Op op{Code::window, 0, emitter_.slot(inner), 0, 0, static_cast<std::uint32_t>(emitter_.block().windows.size())};
  emitter_.block().windows.push_back(spec);
  out.slot = emitter_.emit(op, out.reads);
  if (spec.is_timeless()) out.slot = while_fresh(out, op.a);
  return out;
}

/// What a window gives, or unknown while a series that it reads is stale; of an aggregate, while that is unknown.
std::uint16_t Compiler::while_fresh(const Operand& window, std::uint16_t argument) {
  const bool is_of_a_member = &emitter_.block() != &compiled_.block;
  std::uint16_t slot = window.slot;
  for (std::uint32_t reference = 0; reference < compiled_.of.size(); ++reference) {
    if ((window.reads >> reference & 1) == 0) continue;
    const bool is_pattern = compiled_.expression.references()[reference].kind == Reads::Kind::pattern;
    Op nothing{Code::fresh, 0, 0, 0, 0, is_pattern ? kMember : reference};
    if (is_pattern && !is_of_a_member) nothing = {Code::multiply, 0, argument, emitter_.constant(0), 0, 0};
    const std::uint16_t fresh = emitter_.emit(nothing, window.reads);
    slot = emitter_.emit({Code::add, 0, slot, fresh, 0, 0}, window.reads);
  }
  return slot;
}

bool Compiler::window_arguments(const Node& node, const Operand& inner, WindowSpec& spec) {
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
      case 'p':
        spec.extent.width = std::get<Micros>(period(tree_, argument));
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
  if (spec.fn == Fn::ewma && is_window_only(tree_.argument(node, 1)))
    fail(tree_.argument(node, 1), "ewma forgets by and by: write a time or a number of samples");
  return !problem_;
}

Operand Compiler::aggregate(const Node& node) {
  Aggregate made;
  made.fn = node.function->fn;
  made.reference = pattern(node.arguments[0]);
  Compiler inside(compiled_, made.body);
  const Operand body = inside.run(node.arguments[0]);
  problem_ = inside.problem();
  if (problem_) return body;
  const auto pace = pace_of(made.body);
  made.looks_back = !pace.has_value();
  made.pace = pace.value_or(Micros{0});
  for (const Op& op : made.body.ops) {
    const bool is_of_series =
        op.code == Code::load || op.code == Code::newest || op.code == Code::older || op.code == Code::fresh;
    if (is_of_series && op.index != kMember) made.reads |= std::uint64_t{1} << op.index;
  }
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
  if (made.fn == Fn::sum_members) out = no_level(out);
  if (made.fn == Fn::count_members || body.type == Type::boolean) out.unit.clear();
  if (made.fn >= Fn::count_members) out = typed(out, Type::number);
  const Op op{Code::aggregate, 0, 0, 0, 0, static_cast<std::uint32_t>(compiled_.aggregates.size())};
  compiled_.aggregates.push_back(std::move(made));
  out.slot = emitter_.emit(op, out.reads);
  return out;
}

std::size_t Compiler::pattern(std::size_t at) const {
  const Node& node = tree_.nodes[at];
  if (node.kind == Node::Kind::name && node.reference_kind == Reads::Kind::pattern) return node.reference;
  for (const std::size_t argument : node.arguments) {
    const std::size_t found = pattern(argument);
    if (found < tree_.references.size()) return found;
  }
  return tree_.references.size();
}

}  // namespace tidegate::rules::expr
