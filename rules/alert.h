#pragma once

#include "gateway/core/event.h"
#include "gateway/core/types.h"
#include "rules/detector.h"

namespace tidegate::rules {

struct AlertPolicy {
  Micros raise_after{0};          ///< `for`: on-delay
  Micros clear_after{0};          ///< off-delay
  bool acknowledge_required = false;
};

/// The part of an alert that the state machine reads and writes.
struct AlertState {
  Phase phase = Phase::normal;
  Timestamp since{};       ///< when the phase began
  bool acknowledged = false;
  friend constexpr bool operator==(const AlertState&, const AlertState&) = default;
};

/// The alert state machine (ISA-18.2): a pure function, so its tests run in the compiler. `hold` changes nothing.
constexpr AlertState step(AlertState alert, Verdict verdict, Timestamp now, const AlertPolicy& policy);
/// The operator's word: an active or returned alert becomes acknowledged; a returned one goes to normal.
constexpr AlertState acknowledge(AlertState alert, Timestamp now);
/// Is this change one to tell the world, rather than a timer's business?
constexpr bool announced(const AlertState& before, const AlertState& after);

}  // namespace tidegate::rules
