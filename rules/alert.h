#pragma once

#include "gateway/core/event.h"
#include "gateway/core/types.h"
#include "rules/detector.h"

namespace tidegate::rules {

struct AlertPolicy {
  Micros raise_after{0};  ///< `for`: on-delay
  Micros clear_after{0};  ///< off-delay
  bool acknowledge_required = false;
};

/// The part of an alert that the state machine reads and writes.
struct AlertState {
  Phase phase = Phase::normal;
  Timestamp since{};         ///< when the phase began
  bool acknowledged = true;  ///< nothing is left to acknowledge: false from the moment it is raised
  friend constexpr bool operator==(const AlertState&, const AlertState&) = default;
};

/// The horn is on: the condition holds, or is not gone for long enough.
constexpr bool raised(Phase phase) { return phase == Phase::active || phase == Phase::clearing; }

namespace detail {
constexpr AlertState raise(Timestamp now) { return {Phase::active, now, false}; }

/// A condition that was not there a moment ago. An acknowledgement still owed (phase `returned`) stays owed.
constexpr AlertState begin(const AlertState& alert, Timestamp now, const AlertPolicy& policy) {
  if (policy.raise_after > Micros{0}) return {Phase::pending, now, alert.acknowledged};
  return raise(now);
}

constexpr AlertState end(const AlertState& alert, Timestamp now, const AlertPolicy& policy) {
  if (policy.acknowledge_required && !alert.acknowledged) return {Phase::returned, now, false};
  return {Phase::normal, now, true};
}
}  // namespace detail

/// The alert state machine (ISA-18.2): a pure function, so its tests run in the compiler. `hold` changes nothing: it
/// neither raises nor clears, and the delays go on counting from when their phase began.
constexpr AlertState step(AlertState alert, Verdict verdict, Timestamp now, const AlertPolicy& policy) {
  if (verdict == Verdict::hold) return alert;
  const bool breach = verdict == Verdict::breach;
  const Micros lasted = now - alert.since;
  switch (alert.phase) {
    case Phase::normal:
      return breach ? detail::begin(alert, now, policy) : alert;
    case Phase::pending:
      if (!breach) return detail::end(alert, now, policy);
      return lasted >= policy.raise_after ? detail::raise(now) : alert;
    case Phase::active:
      if (breach) return alert;
      if (policy.clear_after > Micros{0}) return {Phase::clearing, now, alert.acknowledged};
      return detail::end(alert, now, policy);
    case Phase::clearing:
      if (breach) return {Phase::active, now, alert.acknowledged};
      return lasted >= policy.clear_after ? detail::end(alert, now, policy) : alert;
    case Phase::returned:
      if (breach) return detail::begin(alert, now, policy);
      return policy.acknowledge_required ? alert : detail::end(alert, now, policy);
  }
  return alert;
}

/// The operator's word: an active or returned alert becomes acknowledged; a returned one goes to normal.
constexpr AlertState acknowledge(AlertState alert, Timestamp now) {
  if (alert.acknowledged) return alert;
  if (alert.phase == Phase::returned) return {Phase::normal, now, true};
  alert.acknowledged = true;
  return alert;
}

/// Is this change one to tell the world, rather than a timer's business?
constexpr bool announced(const AlertState& before, const AlertState& after) {
  return raised(before.phase) != raised(after.phase) || (!before.acknowledged && after.acknowledged);
}

}  // namespace tidegate::rules
