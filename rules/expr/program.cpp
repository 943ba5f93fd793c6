#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "rules/expr/frame.h"

namespace tidegate::rules::expr {
/// Of a rule over thousands of series each has one: what they share stands in `compiled`.
struct Program::Impl {
  Impl(std::shared_ptr<const Compiled> made, std::span<const Input* const> given)
      : compiled(std::move(made)), main(compiled->block) {
    if (given.size() > 1) others = std::make_unique<Live[]>(given.size() - 1);
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (given[i]) live(i).fit(*given[i]);
      if (!is_pattern(i) || patterns) continue;
      patterns = std::make_unique<Patterns>();
      patterns->of.resize(given.size());
    }
    if (patterns) patterns->groups.resize(compiled->aggregates.size());
  }

  // --- series that come and change ------------------------------------------------------------------------------

  const Reference& reference(std::size_t i) const { return compiled->expression.references()[i]; }
  bool is_pattern(std::size_t i) const { return reference(i).kind == Reads::Kind::pattern; }
  std::size_t references() const { return compiled->of.size(); }
  bool is_member(std::size_t input) const { return input >= references(); }
  Member& member(std::size_t input) { return patterns->members[input - references()]; }
  const Live& live(std::size_t reference) const { return reference == 0 ? first_live : others[reference - 1]; }
  Live& live(std::size_t reference) { return reference == 0 ? first_live : others[reference - 1]; }

  /// What a pattern's members are together: of the first one's kind, and the unit of the first that has one, with the
  /// states of all.
  std::optional<Values> together(std::size_t pattern) const {
    const auto& members = patterns->of[pattern];
    if (members.empty()) return std::nullopt;
    Values all = patterns->members[members.front()].values;
    for (const std::size_t member : members) {
      if (all.unit.empty()) all.unit = patterns->members[member].values.unit;
      all.is_difference = all.is_difference && patterns->members[member].values.is_difference;
      for (const std::string& state : patterns->members[member].values.states) {
        if (std::find(all.states.begin(), all.states.end(), state) == all.states.end()) all.states.push_back(state);
      }
    }
    return all;
  }

  /// For what a reference is now; of a pattern, what its members are.
  std::optional<Problem> compile_again(std::size_t changed, std::optional<Values> values) {
    auto of = compiled->of;
    of[changed] = std::move(values);
    auto made = compile(compiled->expression, compiled->zone, std::move(of));
    if (auto* problem = std::get_if<Problem>(&made)) return std::move(*problem);
    const auto old = std::exchange(compiled, std::move(std::get<0>(made)));
    main = std::move(main).moved_to(old->block, compiled->block);
    if (patterns) move_members(*old);
    is_dirty = true;
    return std::nullopt;
  }

  void move_members(const Compiled& old) {
    for (Member& member : patterns->members) member.fit(*compiled->of[member.reference]);
    for (std::size_t i = 0; i < patterns->groups.size(); ++i) {
      auto& [frames, tree] = patterns->groups[i];
      const Aggregate& over = compiled->aggregates[i];
      for (Frame& frame : frames) frame = std::move(frame).moved_to(old.aggregates[i].body, over.body);
      while (frames.size() < patterns->of[over.reference].size()) frames.emplace_back(over.body);
      tree.begin(frames.size());
    }
  }

  /// `place`: its own among the members.
  std::optional<Problem> unlike_the_others(std::size_t pattern, const Values& values, std::size_t place) const {
    const auto& members = patterns->of[pattern];
    const Reference& named = reference(pattern);
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i == place) continue;
      const Values& other = patterns->members[members[i]].values;
      if (type_of(other.kind) != type_of(values.kind)) {
        return Problem{named.at, fmt::format("it is a series of {}s, and the others of '{}' are of {}s",
                                             name(values.kind), named.name, name(other.kind))};
      }
      if (!conversion(values.unit, other.unit, false) || !conversion(other.unit, values.unit, false)) {
        return Problem{named.at, fmt::format("its unit is {}, which does not convert to that of the others of '{}', {}",
                                             values.unit, named.name, other.unit)};
      }
      if (!other.unit.empty()) break;  // what converts to one converts to all; without a unit it is taken in theirs
    }
    return std::nullopt;
  }

  std::variant<std::size_t, Problem> add_member(std::size_t pattern, const Input& input) {
    const Span at = reference(pattern).at;
    if (!is_pattern(pattern)) return Problem{at, "only a pattern has members"};
    auto& of_it = patterns->of[pattern];
    if (of_it.size() >= kMaxMembers)
      return Problem{at, fmt::format("a pattern may have {} members, and this is one more", kMaxMembers)};
    if (auto problem = unlike_the_others(pattern, input.values, of_it.size())) return std::move(*problem);
    Member& added = patterns->members.emplace_back();
    added.reference = pattern;
    added.place = of_it.size();
    added.values = input.values;
    added.live.fit(input);
    of_it.push_back(patterns->members.size() - 1);
    patterns->fresh.reserve(patterns->members.size());
    if (auto problem = compile_again(pattern, together(pattern))) {
      of_it.pop_back();
      patterns->members.pop_back();
      return std::move(*problem);
    }
    return references() + patterns->members.size() - 1;
  }

  std::optional<Problem> set(std::size_t input, const Input& changed) {
    if (is_member(input)) return set_member(member(input), changed);
    const std::optional<Values> before = compiled->of[input];
    if (auto problem = compile_again(input, changed.values)) return problem;
    live(input).fit(changed);
    if (before) live(input).convert(before->unit, changed.values.unit);
    return std::nullopt;
  }
  std::optional<Problem> set_member(Member& member, const Input& changed) {
    if (auto problem = unlike_the_others(member.reference, changed.values, member.place)) return problem;
    const Values before = std::exchange(member.values, changed.values);
    if (auto problem = compile_again(member.reference, together(member.reference))) {
      member.values = before;
      return problem;
    }
    member.live.fit(changed);
    member.live.convert(before.unit, changed.values.unit);
    return std::nullopt;
  }

  // --- samples and time -----------------------------------------------------------------------------------------

  void wake_at(Timestamp time) {
    if (time < wake) wake = time;
  }

  const Live& live(const Op& op, const Work& work) { return op.index == kMember ? work.member->live : live(op.index); }

  /// And else wakes when it will be.
  bool is_stale(const Live& live) {
    if (live.stale_after <= Micros{0}) return false;
    const Timestamp stale = live.as_old_as(live.stale_after);
    if (now < stale) wake_at(stale);
    return now >= stale;
  }

  double load(const Op& op, const Work& work) {
    const Live& live = this->live(op, work);
    if (op.code == Code::load && (!live.usable || is_stale(live))) return kUnknown;
    return op.index == kMember ? work.member->as_the_first(live.newest) : live.newest;
  }
  static Micros micros(double slot) { return Micros{static_cast<std::int64_t>(slot)}; }

  double older(const Op& op, const Work& work) {
    const Live& live = this->live(op, work);
    if (std::isnan(live.newest)) return kUnknown;
    const bool or_as_old = work.slots[op.c] != 0;
    const Timestamp at = live.as_old_as(micros(work.slots[op.b])) + (or_as_old ? Micros{0} : Micros{1});
    if (now >= at) return 1;
    wake_at(at);
    return 0;
  }

  double in_time(const Op& op, Work& work) {
    History& first = work.frame.history(op.index);
    first.see(work.slots[op.a], now);
    if (op.code == Code::then) {
      History& second = work.frame.history(op.index + 1);
      const double holds = work.slots[op.b];
      second.see(holds, now);
      const bool begins = holds == 1 && second.known_before() != 1;
      if (begins) second.latched = first.was_before(true, micros(work.slots[op.c]), now);
      return holds == 1 ? second.latched : holds;
    }
    if (op.code == Code::missed) {
      const double begins = work.slots[op.a] == 1 ? 1 - first.known_before() : 0;
      first.awaited.see(begins, work.slots[op.b], now);
      const Timestamp due = first.awaited.due(micros(work.slots[op.c]));
      if (due > now && due != kNever) wake_at(due);
      return first.awaited.missed(due, now);
    }
    const Micros width = micros(work.slots[op.b]);
    wake_at(first.change(width, now));
    return op.code == Code::was ? first.was(true, width, now) : 1 - first.was(false, width, now);
  }

  double of_the_clock(const Op& op, const Work& work) {
    using std::chrono::days, std::chrono::hours;
    const Timestamp local = now + compiled->zone(now);
    const auto day = std::chrono::floor<days>(local);
    // Zones change their offset at full hours of their own.
    wake_at(now + (std::chrono::floor<hours>(local) + hours(1) - local));
    if (op.code == Code::hour) return static_cast<double>(std::chrono::floor<hours>(local - day).count());
    if (op.code == Code::weekday) return std::chrono::weekday(day).iso_encoding();
    const Micros from = micros(work.slots[op.a]), to = micros(work.slots[op.b]), here = local - day;
    for (const Micros edge : {from, to}) {
      if (edge > here) wake_at(now + (edge - here));
    }
    return truth(from < to ? from <= here && here < to : here >= from || here < to);
  }

  /// A member of which no sample came is asked again when one leaves its windows, and not before.
  double aggregate(const Op& op) {
    const Aggregate& over = compiled->aggregates[op.index];
    Patterns::Group& group = patterns->groups[op.index];
    const auto& members = patterns->of[over.reference];
    if (over.looks_back) group.tree.touch_all();
    const FoldTree::Node all = group.tree.read(now, [&](std::size_t i) {
      const Timestamp of_others = std::exchange(wake, kNever);
      Work work(over.body, group.frames[i], &patterns->members[members[i]]);
      work.is_paced = !over.looks_back;
      const double value = run(work);
      return FoldTree::Node{Fold(value), std::exchange(wake, of_others), work.fades};
    });
    wake_at(all.wake);
    wake_at(std::max(now + over.pace, all.fades));
    return all.fold.read(over.fn);
  }

  double compute(const Op& op, Work& work) {
    const auto& slots = work.slots;
    if (op.code < Code::pure) return apply(op.code, slots[op.a], slots[op.b], slots[op.c]);
    switch (op.code) {
      case Code::load:
      case Code::newest:
        return load(op, work);
      case Code::older:
        return older(op, work);
      case Code::fresh:
        return is_stale(live(op, work)) ? kUnknown : 0;
      case Code::window: {
        const WindowSpec& spec = work.block.windows[op.index];
        Window& window = work.frame.window(op.index);
        const double value = window.read(spec, now, compiled->zone);
        if (work.is_paced) {
          work.fades = std::min(work.fades, window.fades(spec));
        } else {
          wake_at(window.wake(spec, now, compiled->zone));
        }
        return finite(value);
      }
      case Code::aggregate:
        return aggregate(op);
      case Code::hour:
      case Code::weekday:
      case Code::between:
        return of_the_clock(op, work);
      default:
        return in_time(op, work);
    }
  }

  double run(Work& work) {
    for (const std::uint32_t i : work.block.main) {
      const Op& op = work.block.ops[i];
      work.slots[op.out] = compute(op, work);
    }
    return work.slots[work.block.result];
  }

  double run() {
    wake = kNever;
    is_dirty = false;
    Work work(compiled->block, main);
    return run(work);
  }

  /// At a sample of a reference. `fresh`: those that have one of this moment, a bit each. A window takes at the last of
  /// them that its argument reads.
  void feed(const Block& block, Frame& frame, std::size_t reference, std::uint64_t fresh, Timestamp time,
            const Member* member = nullptr) {
    const auto& steps = block.feeds[reference].steps;
    if (steps.empty()) return;
    Work work(block, frame, member);
    for (const Feed::Step& step : steps) {
      const Op& op = block.ops[step.op];
      if (step.takes && (step.of & fresh) >> reference == 1) {
        const double value = work.slots[op.a];
        if (!std::isnan(value)) frame.window(op.index).add(block.windows[op.index], time, value, compiled->zone);
      }
      if (step.reads) work.slots[op.out] = compute(op, work);
    }
  }
  /// Each aggregate that reads the input, and of its members those for which that makes a difference, from and to.
  template <class Take>
  void each_group(std::size_t input, const Take& take) {
    const std::size_t reference = is_member(input) ? member(input).reference : input;
    for (std::size_t i = 0; i < patterns->groups.size(); ++i) {
      const Aggregate& over = compiled->aggregates[i];
      if (over.reference == reference) {
        take(over, patterns->groups[i], member(input).place, member(input).place + 1);
      } else if ((over.reads >> reference & 1) != 0) {
        take(over, patterns->groups[i], std::size_t{0}, patterns->groups[i].frames.size());
      }
    }
  }
  void touch(std::size_t input) {
    each_group(input, [](const Aggregate&, Patterns::Group& group, std::size_t i, std::size_t last) {
      for (; i < last; ++i) group.tree.touch(i);
    });
  }
  /// A pattern is not fresh for those of its members that are not.
  void feed_members(std::size_t input, std::uint64_t fresh, Timestamp time) {
    const std::size_t reference = is_member(input) ? member(input).reference : input;
    each_group(input, [&](const Aggregate& over, Patterns::Group& group, std::size_t i, std::size_t last) {
      for (; i < last; ++i) {
        const Member& one = patterns->members[patterns->of[over.reference][i]];
        const std::uint64_t not_its = one.live.is_fresh ? 0 : bit(over.reference);
        feed(over.body, group.frames[i], reference, fresh & ~not_its, time, &one);
      }
    });
  }

  static std::uint64_t bit(std::size_t reference) { return std::uint64_t{1} << reference; }

  /// Windows take what a moment came to, and not what stood between two of its samples. They do so when it is asked
  /// for, or over.
  void settle() {
    if (!std::exchange(is_fresh, false)) return;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < references(); ++i) {
      if (std::exchange(live(i).is_fresh, false)) all |= bit(i);
    }
    if (patterns) all |= settle_members(all);
    for (std::uint64_t left = all; left != 0; left &= left - 1)
      feed(compiled->block, main, static_cast<std::size_t>(std::countr_zero(left)), all, now);
  }
  /// Gives the patterns of which members are fresh.
  std::uint64_t settle_members(std::uint64_t others_fresh) {
    std::uint64_t of_members = 0;
    for (const std::size_t input : patterns->fresh) of_members |= bit(member(input).reference);
    const std::uint64_t all = others_fresh | of_members;
    for (std::uint64_t left = all; left != 0; left &= left - 1) {
      const auto reference = static_cast<std::size_t>(std::countr_zero(left));
      if (!is_pattern(reference)) {
        feed_members(reference, all, now);
        continue;
      }
      for (const std::size_t input : patterns->fresh) {
        if (member(input).reference == reference) feed_members(input, all, now);
      }
    }
    for (const std::size_t input : patterns->fresh) member(input).live.is_fresh = false;
    patterns->fresh.clear();
    return of_members;
  }
  /// Of one series alone a window takes each sample at once, and so it does what came too late for its moment.
  void give(std::size_t input, Live& of, Timestamp time) {
    const std::size_t reference = is_member(input) ? member(input).reference : input;
    if (time == now && (patterns || others)) {
      of.is_fresh = is_fresh = true;
      if (is_member(input)) patterns->fresh.push_back(input);
      return;
    }
    if (patterns) {
      of.is_fresh = true;
      feed_members(input, bit(reference), time);
      of.is_fresh = false;
    }
    feed(compiled->block, main, reference, bit(reference), time);
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
    if (!is_member(input) && (is_pattern(input) || !compiled->of[input])) return;
    Live& live = is_member(input) ? member(input).live : this->live(input);
    if (live.is_fresh || sample.time != now) settle();
    if (!has_begun || sample.time > now) {
      if (has_begun) pass(sample.time);
      has_begun = true;
      now = sample.time;
    }
    is_dirty = true;
    if (patterns) touch(input);
    live.usable = sample.quality != Quality::bad && sample.value - sample.value == 0;
    if (!live.usable) return;
    live.take(sample);
    give(input, live, sample.time);
  }

  void unwatched(Timestamp from, Timestamp to) {
    for (std::size_t i = 0; i < references(); ++i) live(i).leave_out(from, to);
    const auto leave_out = [&](const Block& block, Frame& frame) {
      for (const Op& op : block.ops) {
        if (op.code != Code::missed) continue;
        Awaited& awaited = frame.history(op.index).awaited;
        if (awaited.due(micros(block.slots[op.c])) > from) awaited.leave_out(from, to);
      }
    };
    leave_out(compiled->block, main);
    is_dirty = true;
    if (!patterns) return;
    for (Member& member : patterns->members) member.live.leave_out(from, to);
    for (std::size_t i = 0; i < patterns->groups.size(); ++i) {
      for (Frame& frame : patterns->groups[i].frames) leave_out(compiled->aggregates[i].body, frame);
      patterns->groups[i].tree.touch_all();
    }
  }

  /// Of a window of so many samples it goes by the longest interval, and as if each third of them failed.
  Micros lookback() const {
    constexpr Micros kMost = std::chrono::days(90);
    std::uint64_t samples = 0;
    const auto count = [&](const Block& block) {
      for (const WindowSpec& spec : block.windows) samples = std::max(samples, spec.samples());
    };
    count(compiled->block);
    for (const Aggregate& over : compiled->aggregates) count(over.body);
    Micros interval{0};
    for (std::size_t i = 0; i < references(); ++i) interval = std::max(interval, live(i).interval);
    if (patterns) {
      for (const Member& member : patterns->members) interval = std::max(interval, member.live.interval);
    }
    const Micros taken = std::min(kMost, interval * static_cast<std::int64_t>(samples + samples / 2 + 1));
    const bool is_more = samples > 0 && taken > WindowSpec::kLeastOfSamples;
    return compiled->block.lookback + (is_more ? taken - WindowSpec::kLeastOfSamples : Micros{0});
  }

  Value evaluate(Timestamp time) {
    if (!has_begun) {
      has_begun = true;
      now = time;
    }
    settle();
    double value = run();  // of one moment twice is no other than once
    if (wake <= time) {
      pass(std::min(time, kNever - Micros{1}) + Micros{1});
      value = run();
    }
    return known(value);
  }

  /// Computed once more, because nothing of it is kept: they are asked for when an alert changes.
  std::vector<Comparison> comparisons() {
    Work work(compiled->block, main);
    if (has_begun) run(work);
    std::vector<Comparison> all;
    for (const ComparisonSpec& spec : compiled->block.comparisons) {
      const Op& op = compiled->block.ops[spec.op];
      const Value a = known(work.slots[op.a]), b = known(work.slots[op.b]);
      all.push_back({spec.left, spec.right, spec.unit, spec.is_swapped ? b : a, spec.is_swapped ? a : b});
    }
    return all;
  }
  static Value known(double slot) { return std::isnan(slot) ? Value{} : Value{true, slot}; }

  std::shared_ptr<const Compiled> compiled;
  Live first_live;                 ///< of the first reference, which is the only one of most expressions...
  std::unique_ptr<Live[]> others;  ///< ...and of those behind it
  Frame main;
  std::unique_ptr<Patterns> patterns;  ///< where it has any
  Timestamp now{};
  Timestamp wake = kNever;
  bool has_begun = false, is_dirty = true;
  bool is_fresh = false;  ///< some input is
};

std::variant<Program, Problem> Program::bind(const Expression& expression, std::span<const Input* const> inputs,
                                             Zone zone) {
  std::vector<std::optional<Values>> of;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool is_pattern = expression.references()[i].kind == Reads::Kind::pattern;
    of.push_back(inputs[i] && !is_pattern ? std::optional(inputs[i]->values) : std::nullopt);
  }
  auto made = compile(expression, zone, std::move(of));
  if (auto* problem = std::get_if<Problem>(&made)) return std::move(*problem);
  return Program(std::make_unique<Impl>(std::move(std::get<0>(made)), inputs));
}

Program::Program(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

Type Program::type() const { return impl_->compiled->type; }
const std::string& Program::unit() const { return impl_->compiled->unit; }
bool Program::is_difference() const { return impl_->compiled->is_difference; }
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
Micros Program::lookback() const { return impl_->lookback(); }

}  // namespace tidegate::rules::expr
