#include <fmt/format.h>

#include <algorithm>

#include "rules/expr/apply.h"
#include "rules/expr/fold.h"
#include "rules/expr/frame.h"

namespace tidegate::rules::expr {
struct Program::Impl {
  Impl(Expression parsed, std::span<const Input* const> given, Zone local)
      : expression(std::move(parsed)), zone(local), members(given.size()) {
    for (std::size_t i = 0; i < given.size(); ++i) {
      inputs.push_back(given[i] ? std::optional(*given[i]) : std::nullopt);
      lives.push_back({});
      lives.back().reference = i;
      if (given[i]) lives.back().fit(type_of(given[i]->info.kind), given[i]->stale_after);
    }
  }

  // --- series that come and change ------------------------------------------------------------------------------

  bool is_pattern(std::size_t reference) const {
    return expression.references()[reference].kind == Reference::Kind::pattern;
  }

  /// What a pattern's members are together: of the first one's kind and unit, with the states of all.
  std::optional<Input> together(std::size_t reference) const {
    if (members[reference].empty()) return std::nullopt;
    Input all = *inputs[members[reference].front()];
    for (const std::size_t member : members[reference]) {
      for (const std::string& state : inputs[member]->states) {
        if (std::find(all.states.begin(), all.states.end(), state) == all.states.end()) all.states.push_back(state);
      }
    }
    return all;
  }

  std::optional<Problem> compile_again() {
    std::vector<std::optional<Input>> known(expression.references().size());
    std::vector<const Input*> pointers;
    for (std::size_t i = 0; i < known.size(); ++i) {
      known[i] = is_pattern(i) ? together(i) : inputs[i];
      pointers.push_back(known[i] ? &*known[i] : nullptr);
    }
    auto made = compile(expression.tree(), pointers);
    if (auto* problem = std::get_if<Problem>(&made)) return std::move(*problem);
    take(std::move(std::get<0>(made)), known);
    return std::nullopt;
  }

  void take(std::shared_ptr<const Compiled> made, const std::vector<std::optional<Input>>& known) {
    if (main.empty()) {
      main.emplace_back(made->block);
    } else {
      main.front() = std::move(main.front()).moved_to(compiled->block, made->block);
    }
    frames.resize(made->aggregates.size());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      for (Frame& frame : frames[i])
        frame = std::move(frame).moved_to(compiled->aggregates[i].body, made->aggregates[i].body);
      const auto& of_pattern = members[made->aggregates[i].reference];
      while (frames[i].size() < of_pattern.size()) {
        frames[i].emplace_back(made->aggregates[i].body);
        frames[i].back().member = of_pattern[frames[i].size() - 1];
      }
      for (Frame& frame : frames[i]) fit(frame, *known[made->aggregates[i].reference]);
    }
    compiled = std::move(made);
    is_dirty = true;
  }
  void fit(Frame& frame, const Input& pattern) const {
    const Input& member = *inputs[frame.member];
    if (const auto way = conversion(member.info.unit, pattern.info.unit, false)) frame.conversion = *way;
    frame.is_state = member.info.kind == SeriesKind::state;
    frame.codes.clear();
    for (const std::string& state : member.states) {
      const auto found = std::find(pattern.states.begin(), pattern.states.end(), state);
      frame.codes.push_back(static_cast<double>(found - pattern.states.begin()));
    }
  }

  std::optional<Problem> unlike_the_others(std::size_t reference, const Input& input) const {
    if (members[reference].empty()) return std::nullopt;
    const Input& first = *inputs[members[reference].front()];
    const Span at = expression.references()[reference].at;
    if (type_of(first.info.kind) != type_of(input.info.kind)) {
      return Problem{at, fmt::format("it is a series of {}s, and the others of '{}' are of {}s", name(input.info.kind),
                                     expression.references()[reference].text, name(first.info.kind))};
    }
    if (!conversion(input.info.unit, first.info.unit, false)) {
      return Problem{at, fmt::format("its unit is {}, which does not convert to that of the others of '{}', {}",
                                     input.info.unit, expression.references()[reference].text, first.info.unit)};
    }
    return std::nullopt;
  }

  std::variant<std::size_t, Problem> add_member(std::size_t reference, const Input& input) {
    const Span at = expression.references()[reference].at;
    if (!is_pattern(reference)) return Problem{at, "only a pattern has members"};
    if (members[reference].size() >= kMaxMembers)
      return Problem{at, fmt::format("a pattern may have {} members, and this is one more", kMaxMembers)};
    if (auto problem = unlike_the_others(reference, input)) return std::move(*problem);
    const std::size_t added = inputs.size();
    members[reference].push_back(added);
    inputs.push_back(input);
    lives.push_back({});
    lives.back().reference = reference;
    lives.back().member = members[reference].size() - 1;
    lives.back().fit(type_of(input.info.kind), input.stale_after);
    if (auto problem = compile_again()) {
      members[reference].pop_back();
      inputs.pop_back();
      lives.pop_back();
      return std::move(*problem);
    }
    return added;
  }

  std::optional<Problem> set(std::size_t input, const Input& changed) {
    const std::size_t reference = lives[input].reference;
    const bool is_further_member = is_pattern(reference) && lives[input].member > 0;
    if (auto problem = is_further_member ? unlike_the_others(reference, changed) : std::nullopt) return problem;
    std::optional<Input> before = changed;
    before.swap(inputs[input]);
    if (auto problem = compile_again()) {
      inputs[input] = std::move(before);
      return problem;
    }
    lives[input].fit(type_of(changed.info.kind), changed.stale_after);
    return std::nullopt;
  }

  // --- samples and time -----------------------------------------------------------------------------------------

  void wake_at(Timestamp time) {
    if (time < wake) wake = time;
  }

  double load(const Op& op, const Frame& frame) {
    const Live& live = lives[op.index == kMember ? frame.member : op.index];
    if (op.code == Code::load) {
      if (!live.usable) return kUnknown;
      if (live.stale_after > Micros{0}) {
        const Timestamp stale = live.as_old_as(live.stale_after);
        if (now >= stale) return kUnknown;
        wake_at(stale);
      }
    }
    return op.index == kMember ? as_the_first(live.newest, frame) : live.newest;
  }
  static double as_the_first(double value, const Frame& frame) {
    if (!frame.is_state) return frame.conversion(value);
    return value >= 0 && value < static_cast<double>(frame.codes.size()) ? frame.codes[static_cast<std::size_t>(value)]
                                                                         : kUnknown;
  }

  static Micros micros(double slot) { return Micros{static_cast<std::int64_t>(slot)}; }

  double older(const Op& op, const Frame& frame) {
    const Live& live = lives[op.index == kMember ? frame.member : op.index];
    if (std::isnan(live.newest)) return kUnknown;
    const bool or_as_old = frame.slots[op.c] != 0;
    const Timestamp at = live.as_old_as(micros(frame.slots[op.b])) + (or_as_old ? Micros{0} : Micros{1});
    if (now >= at) return 1;
    wake_at(at);
    return 0;
  }

  double in_time(const Op& op, Frame& frame) {
    History& first = frame.histories[op.index];
    first.see(frame.slots[op.a], now);
    if (op.code == Code::then) {
      History& second = frame.histories[op.index + 1];
      const double holds = frame.slots[op.b];
      second.see(holds, now);
      const bool begins = holds == 1 && second.known_before() != 1;
      if (begins) second.latched = first.was_before(true, micros(frame.slots[op.c]), now);
      return holds == 1 ? second.latched : holds;
    }
    if (op.code == Code::missed) {
      const double begins = frame.slots[op.a] == 1 ? 1 - first.known_before() : 0;
      first.awaited.see(begins, frame.slots[op.b], now);
      const Timestamp due = first.awaited.due(micros(frame.slots[op.c]));
      if (due > now && due != kNever) wake_at(due);
      return first.awaited.missed(due, now);
    }
    const Micros width = micros(frame.slots[op.b]);
    wake_at(first.change(width, now));
    return op.code == Code::was ? first.was(true, width, now) : 1 - first.was(false, width, now);
  }

  double of_the_clock(const Op& op, const Frame& frame) {
    using std::chrono::days, std::chrono::hours;
    const Timestamp local = now + zone(now);
    const auto day = std::chrono::floor<days>(local);
    // Zones change their offset at full hours of their own.
    wake_at(now + (std::chrono::floor<hours>(local) + hours(1) - local));
    if (op.code == Code::hour) return static_cast<double>(std::chrono::floor<hours>(local - day).count());
    if (op.code == Code::weekday) return std::chrono::weekday(day).iso_encoding();
    const Micros from = micros(frame.slots[op.a]), to = micros(frame.slots[op.b]), here = local - day;
    for (const Micros edge : {from, to}) {
      if (edge > here) wake_at(now + (edge - here));
    }
    return truth(from < to ? from <= here && here < to : here >= from || here < to);
  }

  double aggregate(const Op& op) {
    const Aggregate& over = compiled->aggregates[op.index];
    Fold fold;
    for (Frame& frame : frames[op.index]) fold.add(run(over.body, frame));
    return fold.read(over.fn);
  }

  double compute(const Op& op, const Block& block, Frame& frame) {
    const std::vector<double>& slots = frame.slots;
    if (op.code < Code::pure) return apply(op.code, slots[op.a], slots[op.b], slots[op.c]);
    switch (op.code) {
      case Code::load:
      case Code::newest:
        return load(op, frame);
      case Code::older:
        return older(op, frame);
      case Code::window: {
        const WindowSpec& spec = block.windows[op.index];
        Window& window = frame.windows[op.index];
        const double value = window.read(spec, now, zone);
        wake_at(window.wake(spec, now, zone));
        return finite(value);
      }
      case Code::aggregate:
        return aggregate(op);
      case Code::hour:
      case Code::weekday:
      case Code::between:
        return of_the_clock(op, frame);
      default:
        return in_time(op, frame);
    }
  }

  double run(const Block& block, Frame& frame) {
    for (const std::uint32_t i : block.main) {
      const Op& op = block.ops[i];
      frame.slots[op.out] = compute(op, block, frame);
    }
    return frame.slots[block.result];
  }

  void run() {
    wake = kNever;
    is_dirty = false;
    result = run(compiled->block, main.front());
  }

  void feed(const Block& block, Frame& frame, std::size_t reference, Timestamp time) {
    for (const Feed::Step& step : block.feeds[reference].steps) {
      const Op& op = block.ops[step.op];
      if (step.takes) {
        const double value = frame.slots[op.a];
        if (!std::isnan(value)) frame.windows[op.index].add(block.windows[op.index], time, value, zone);
      }
      if (step.reads) frame.slots[op.out] = compute(op, block, frame);
    }
  }

  /// All that time alone brings about before `until`. After ages without a call what lies between is passed over.
  void pass(Timestamp until) {
    constexpr int kMostSteps = 100'000;
    if (is_dirty && now < until) run();
    for (int step = 0; wake < until && step < kMostSteps; ++step) {
      now = wake;
      run();
    }
    if (wake < until) {
      now = until - Micros{1};
      run();
    }
  }

  void observe(std::size_t input, const Sample& sample) {
    if (!inputs[input]) return;
    if (!has_begun || sample.time > now) {
      if (has_begun) pass(sample.time);
      has_begun = true;
      now = sample.time;
    }
    Live& live = lives[input];
    is_dirty = true;
    live.usable = sample.quality != Quality::bad && sample.value - sample.value == 0;
    if (!live.usable) return;
    live.newest = live.type == Type::boolean ? truth(sample.value != 0) : sample.value;
    live.time = sample.time;
    live.gaps.clear();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const Aggregate& over = compiled->aggregates[i];
      if (over.reference == live.reference) {
        feed(over.body, frames[i][live.member], live.reference, sample.time);
      } else {
        for (Frame& frame : frames[i]) feed(over.body, frame, live.reference, sample.time);
      }
    }
    feed(compiled->block, main.front(), live.reference, sample.time);
  }

  void unwatched(Timestamp from, Timestamp to) {
    for (Live& live : lives) live.leave_out(from, to);
    const auto leave_out = [&](const Block& block, Frame& frame) {
      for (const Op& op : block.ops) {
        if (op.code != Code::missed) continue;
        Awaited& awaited = frame.histories[op.index].awaited;
        if (awaited.due(micros(frame.slots[op.c])) > from) awaited.leave_out(from, to);
      }
    };
    leave_out(compiled->block, main.front());
    for (std::size_t i = 0; i < frames.size(); ++i) {
      for (Frame& frame : frames[i]) leave_out(compiled->aggregates[i].body, frame);
    }
    is_dirty = true;
  }

  Value evaluate(Timestamp time) {
    if (!has_begun) {
      has_begun = true;
      now = time;
    }
    if (is_dirty) run();
    if (wake <= time) pass(std::min(time, kNever - Micros{1}) + Micros{1});
    return known(result);
  }

  std::vector<Comparison> comparisons() const {
    std::vector<Comparison> all;
    for (const ComparisonSpec& spec : compiled->block.comparisons) {
      const Op& op = compiled->block.ops[spec.op];
      const std::vector<double>& slots = main.front().slots;
      const Value a = known(slots[op.a]), b = known(slots[op.b]);
      all.push_back({spec.left, spec.right, spec.unit, spec.is_swapped ? b : a, spec.is_swapped ? a : b});
    }
    return all;
  }
  static Value known(double slot) { return std::isnan(slot) ? Value{} : Value{true, slot}; }

  Expression expression;
  Zone zone;
  std::vector<std::optional<Input>> inputs;       ///< by reference, then the members
  std::vector<Live> lives;                        ///< likewise
  std::vector<std::vector<std::size_t>> members;  ///< by reference: inputs
  std::shared_ptr<const Compiled> compiled;
  std::vector<Frame> main;                 ///< one, once it is compiled
  std::vector<std::vector<Frame>> frames;  ///< by aggregate, by member
  Timestamp now{};
  Timestamp wake = kNever;
  double result = kUnknown;
  bool has_begun = false, is_dirty = true;
};

std::variant<Program, Problem> Program::bind(const Expression& expression, std::span<const Input* const> inputs,
                                             Zone zone) {
  auto impl = std::make_unique<Impl>(expression, inputs, zone);
  if (auto problem = impl->compile_again()) return std::move(*problem);
  return Program(std::move(impl));
}

Program::Program(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Type Program::type() const { return impl_->compiled->type; }
const std::string& Program::unit() const { return impl_->compiled->unit; }
std::variant<std::size_t, Problem> Program::add_member(std::size_t reference, const Input& input) {
  return impl_->add_member(reference, input);
}
std::optional<Problem> Program::set(std::size_t input, const Input& input_now) { return impl_->set(input, input_now); }
void Program::observe(std::size_t input, const Sample& sample) { impl_->observe(input, sample); }
void Program::unwatched(Timestamp from, Timestamp to) { impl_->unwatched(from, to); }
Value Program::evaluate(Timestamp now) { return impl_->evaluate(now); }
std::vector<Comparison> Program::comparisons() const { return impl_->comparisons(); }
Timestamp Program::wake() const {
  if (!impl_->has_begun) return kNever;
  return impl_->is_dirty ? impl_->now : impl_->wake;
}
Micros Program::lookback() const { return impl_->compiled->block.lookback; }

}  // namespace tidegate::rules::expr
