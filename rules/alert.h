#pragma once

#include <algorithm>
#include <string_view>

#include "gateway/core/event.h"
#include "gateway/core/types.h"
#include "rules/detector.h"

namespace tidegate::rules {

struct AlertPolicy {
  Micros raise_after{0};  ///< `for`: on-delay
  Micros clear_after{0};  ///< off-delay
  bool acknowledge_required = false;
  bool latch = false;  ///< raised until somebody has acknowledged it, though its condition be gone
  Severity severity = Severity::warning;
  bool levels = false;  ///< its findings say how severe it is, and `severity` is the lowest of their levels
};

/// An alert that was raised so often within so short a time chatters: it stays raised until its condition has been
/// gone for as long. ISA-18.2 counts an alarm as chattering from three times a minute on.
inline constexpr std::size_t kChatterRaises = 4;
inline constexpr Micros kChatterWithin = std::chrono::minutes(1);

/// The part of an alert that the state machine reads and writes. There is one for each instance: what is small stands
/// together.
struct AlertState {
  Timestamp since{};          ///< when the phase began
  Timestamp heading_since{};  ///< since when it has been as far as `heading`
  Phase phase = Phase::normal;
  bool acknowledged = true;  ///< nothing is left to acknowledge: false from the moment it is raised
  bool chattering = false;
  Severity severity = Severity::warning;  ///< while it is not normal
  Severity heading = Severity::warning;   ///< to which level it is on its way; `severity` where it stays
  friend constexpr bool operator==(const AlertState&, const AlertState&) = default;
};

/// The horn is on: the condition holds, or is not gone for long enough.
constexpr bool raised(Phase phase) { return phase == Phase::active || phase == Phase::clearing; }

namespace detail {
constexpr Micros off_delay(const AlertState& alert, const AlertPolicy& policy) {
  return alert.chattering ? std::max(policy.clear_after, kChatterWithin) : policy.clear_after;
}
constexpr bool latched(const AlertState& alert, const AlertPolicy& policy) {
  return policy.latch && !alert.acknowledged;
}

constexpr AlertState moved(AlertState alert, Phase phase, Timestamp now) {
  alert.phase = phase;
  alert.since = now;
  return alert;
}

constexpr AlertState raise(AlertState alert, Timestamp now) {
  alert.acknowledged = false;
  return moved(alert, Phase::active, now);
}

/// A condition that was not there a moment ago. An acknowledgement still owed (phase `returned`) stays owed.
constexpr AlertState begin(AlertState alert, Timestamp now, const AlertPolicy& policy, const Levels& levels) {
  alert.severity = alert.heading = std::clamp(policy.severity, levels.reached, levels.kept);
  alert.heading_since = {};
  return policy.raise_after > Micros{0} ? moved(alert, Phase::pending, now) : raise(alert, now);
}

/// Nothing is left of it but how severe it was.
constexpr AlertState normal(const AlertState& alert, Timestamp now) {
  AlertState gone{.since = now};
  gone.severity = gone.heading = alert.severity;
  return gone;
}

constexpr AlertState end(const AlertState& alert, Timestamp now, const AlertPolicy& policy) {
  AlertState gone = normal(alert, now);
  if (!policy.acknowledge_required || alert.acknowledged) return gone;
  gone.acknowledged = false;
  return moved(gone, Phase::returned, now);
}

constexpr AlertState move_phase(const AlertState& alert, Verdict verdict, Timestamp now, const AlertPolicy& policy,
                                const Levels& levels) {
  if (verdict == Verdict::hold) return alert;
  const bool breach = verdict == Verdict::breach;
  const Micros lasted = now - alert.since;
  switch (alert.phase) {
    case Phase::normal:
      return breach ? begin(alert, now, policy, levels) : alert;
    case Phase::pending:
      if (!breach) return end(alert, now, policy);
      return lasted >= policy.raise_after ? raise(alert, now) : alert;
    case Phase::active:
      if (breach) return alert;
      if (off_delay(alert, policy) > Micros{0} || latched(alert, policy)) return moved(alert, Phase::clearing, now);
      return end(alert, now, policy);
    case Phase::clearing:
      if (breach) return moved(alert, Phase::active, now);
      return lasted >= off_delay(alert, policy) && !latched(alert, policy) ? end(alert, now, policy) : alert;
    case Phase::returned:
      if (breach) return begin(alert, now, policy, levels);
      return policy.acknowledge_required ? alert : end(alert, now, policy);
  }
  return alert;
}

/// Of two levels on the same side of `from` the one that is nearer: so far it has been all the time.
constexpr Severity nearer(Severity from, Severity one, Severity other) {
  return one > from ? std::min(one, other) : std::max(one, other);
}

/// Where the levels lead, and when that has been so for long enough: up after `for`, down after `clear_after`. What is
/// not raised yet has no level to step down from.
constexpr AlertState move_level(AlertState alert, Timestamp now, const AlertPolicy& policy, const Levels& levels) {
  if (alert.phase == Phase::pending) alert.severity = std::min(alert.severity, levels.kept);
  const Severity target = std::clamp(alert.severity, levels.reached, levels.kept);
  const bool goes_on = alert.heading != alert.severity && target != alert.severity &&
                       (alert.heading > alert.severity) == (target > alert.severity);
  if (!goes_on) alert.heading_since = target == alert.severity ? Timestamp{} : now;
  alert.heading = goes_on ? nearer(alert.severity, alert.heading, target) : target;
  if (alert.heading == alert.severity || !raised(alert.phase)) return alert;
  const bool up = alert.heading > alert.severity;
  if (now - alert.heading_since < (up ? policy.raise_after : policy.clear_after)) return alert;
  alert.severity = alert.heading;
  alert.heading = target;
  alert.heading_since = target == alert.severity ? Timestamp{} : now;
  if (up) alert.acknowledged = false;
  return alert;
}
}  // namespace detail

/// The alert state machine (ISA-18.2): a pure function, so its tests run in the compiler. `hold` changes no phase: it
/// neither raises nor clears, and the delays go on counting from when their phase began. `levels` move the severity.
constexpr AlertState step(const AlertState& alert, Verdict verdict, Timestamp now, const AlertPolicy& policy,
                          const Levels& levels = {}) {
  const AlertState next = detail::move_phase(alert, verdict, now, policy, levels);
  const bool says_nothing = !policy.levels || levels == Levels{} || next.phase == Phase::normal;
  return says_nothing || next.phase == Phase::returned ? next : detail::move_level(next, now, policy, levels);
}

/// When time alone changes it, as long as the last finding holds.
constexpr Timestamp ends_at(const AlertState& alert, Verdict verdict, const AlertPolicy& policy,
                            const Levels& levels = {}) {
  Timestamp at = kNever;
  if (alert.phase == Phase::pending && verdict == Verdict::breach) at = alert.since + policy.raise_after;
  if (alert.phase == Phase::clearing && verdict == Verdict::clear && !detail::latched(alert, policy))
    at = alert.since + detail::off_delay(alert, policy);
  if (!raised(alert.phase) || alert.heading == alert.severity) return at;
  if (std::clamp(alert.severity, levels.reached, levels.kept) == alert.severity) return at;
  return std::min(at, alert.heading_since + (alert.heading > alert.severity ? policy.raise_after : policy.clear_after));
}

/// The operator's word: an active or returned alert becomes acknowledged; a returned one goes to normal. Its own time
/// stays that of the samples, of which an older one may still be on its way.
constexpr AlertState acknowledge(AlertState alert) {
  if (alert.acknowledged) return alert;
  if (alert.phase == Phase::returned) return detail::normal(alert, alert.since);
  alert.acknowledged = true;
  return alert;
}

/// What to call what step() did when the world is told of it; empty where it is a timer's business alone.
constexpr std::string_view cause_of(const AlertState& before, const AlertState& after) {
  if (raised(after.phase) && !raised(before.phase)) return "raised";
  if (raised(before.phase) && !raised(after.phase)) return after.phase == Phase::returned ? "returned" : "cleared";
  if (!raised(after.phase)) return !before.acknowledged && after.acknowledged ? "cleared" : "";
  if (before.severity == after.severity) return "";
  return after.severity > before.severity ? "escalated" : "eased";
}

}  // namespace tidegate::rules
