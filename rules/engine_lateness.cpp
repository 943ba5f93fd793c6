// Rules that wait for late samples.

#include "rules/engine_impl.h"

namespace tidegate::rules {

/// False: it is too late. What is the newest of its own series is not, though those of others be far ahead: it is
/// looked at where it is.
bool Engine::Impl::hold(std::uint32_t i, const Lateness::Held& held, bool is_newest, Output& out) {
  if (waiting.at(i).add(held)) {
    release(i, held.arrived, out);
  } else if (is_newest) {
    evaluate(i, held.sample, held.arrived, true, out);
  } else {
    return false;
  }
  return true;
}

/// What nothing older can come before any more.
void Engine::Impl::release(std::uint32_t i, Timestamp now, Output& out) {
  Lateness& held = waiting.at(i);
  bool has_begun = held.has_begun();
  for (auto next = held.next(now); next; next = held.next(now)) {
    release_one(i, *next, has_begun, now, out);
    has_begun = true;
  }
  arm(i);
}

/// It was looked at before a restart, and what that changed is stored.
bool Engine::Impl::is_seen(std::uint32_t i, const Lateness::Held& held) const {
  constexpr Micros kBeat = std::chrono::seconds(1);  // the time between two ticks, and to the commit behind them
  if (held.origin == Lateness::Held::Origin::now) return false;
  if (held.origin == Lateness::Held::Origin::remembered) return true;
  const Timestamp left = held.arrived + policies[instances[i].rule].lateness;
  return held.sample.time < instances[i].state.since || left + kBeat < told_until;
}

void Engine::Impl::release_one(std::uint32_t i, const Lateness::Held& held, bool has_begun, Timestamp now,
                               Output& out) {
  Instance& instance = instances[i];
  if (is_seen(i, held)) {
    instance.last = look(i, held.sample, now);
  } else {
    evaluate(i, held.sample, now, has_begun, out);
  }
  if (held.arrived > unsure_until) return;
  instance.last.verdict = Verdict::hold;  // much may have happened since
  arm(i);
}

/// By the gateway's clock it is `at`: what has waited for long enough, and all that is before a timer that ends.
void Engine::Impl::settle(std::uint32_t i, Timestamp at, Output& out) {
  release(i, at, out);
  Lateness& held = waiting.at(i);
  while (instances[i].ends <= at) {
    const bool has_begun = held.has_begun();
    const auto next = held.next_until(instances[i].due);
    if (!next) return;
    release_one(i, *next, has_begun, at, out);
    arm(i);
  }
}

/// What says whether an alert is suppressed, until the time of a sample that may raise it.
void Engine::Impl::judge_before(std::uint32_t companion, Timestamp time, Timestamp now, Output& out) {
  if (policies[instances[companion].rule].lateness > Micros{0}) {
    Lateness& held = waiting.at(companion);
    for (auto next = held.next_until(time); next; next = held.next_until(time))
      release_one(companion, *next, true, now, out);
  }
  if (instances[companion].due < time) run_timers(companion, time - Micros{1}, out);
}

/// When something it holds has waited for long enough.
Timestamp Engine::Impl::wake(std::uint32_t i) const {
  return policies[instances[i].rule].lateness > Micros{0} ? waiting.at(i).wake() : kNever;
}

/// A sample of the past.
void Engine::Impl::recall_one(std::uint32_t i, const Sample& sample, bool is_newest, Timestamp arrived, Origin origin) {
  Instance& instance = instances[i];
  const Policy& policy = policies[instance.rule];
  if (policy.judges) pass(i, arrived);  // one that came late finds it as it was then
  if (policy.lateness == Micros{0}) {
    instance.last = look(i, sample, arrived);
  } else if (Lateness& held = waiting.at(i); held.add({sample, arrived, origin})) {
    for (auto next = held.next(Timestamp::min()); next; next = held.next(Timestamp::min()))
      instance.last = look(i, next->sample, next->arrived + policy.lateness);
  } else if (is_newest) {
    instance.last = look(i, sample, arrived);
  }
  arm(i);
}

}  // namespace tidegate::rules
