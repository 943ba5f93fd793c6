// Rules that wait for late samples.

#include "rules/engine_impl.h"

namespace tidegate::rules {

/// False: it is too late.
bool Engine::Impl::hold(std::uint32_t i, const Lateness::Held& held, Output& out) {
  const bool is_taken = waiting.at(i).add(held);
  if (is_taken) release(i, held.arrived, out);
  return is_taken;
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
  if (!held.is_past) return false;
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

/// When something it holds has waited for long enough.
Timestamp Engine::Impl::wake(std::uint32_t i) const {
  return policies[instances[i].rule].lateness > Micros{0} ? waiting.at(i).wake() : kNever;
}

/// A sample of the past.
void Engine::Impl::recall_one(std::uint32_t i, const Sample& sample, Timestamp arrived) {
  Instance& instance = instances[i];
  const Policy& policy = policies[instance.rule];
  if (policy.judges) pass(i, arrived);  // one that came late finds it as it was then
  if (policy.lateness == Micros{0}) {
    instance.last = look(i, sample, arrived);
  } else if (Lateness& held = waiting.at(i); held.add({sample, arrived, true})) {
    for (auto next = held.next(Timestamp::min()); next; next = held.next(Timestamp::min()))
      instance.last = look(i, next->sample, next->arrived + policy.lateness);
  }
  arm(i);
}

}  // namespace tidegate::rules
