#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "gateway/core/types.h"
#include "rules/expr/window.h"

namespace tidegate::rules::expr {

/// What should follow, and has not yet. What it is at one moment may be said more than once: an answer counts though
/// it did not last, a beginning that did not last is none.
class Awaited {
 public:
  /// Whether something began at `now`, and whether what should follow holds; each may be unknown.
  void see(double begins, double answer, Timestamp now) {
    if (now > at_) {
      before_ = state_;
      at_ = now;
      is_answered_ = false;
    }
    is_answered_ = is_answered_ || answer == 1;
    if (is_answered_) {
      state_ = {kNever, false, false};
    } else {
      state_ = before_;
      if (begins != 0 && (state_.since == kNever || state_.is_unsure)) {
        const bool may_be_older = state_.may_be_older || state_.since != kNever;
        state_ = {now, may_be_older, false};
      }
      if ((std::isnan(answer) || std::isnan(begins)) && state_.since != kNever) state_.is_unsure = true;
    }
  }
  Timestamp due(Micros patience) const { return state_.since == kNever ? kNever : state_.since + patience; }
  /// Unknown where it may have followed, or may have begun before anybody looked.
  double missed(Timestamp due, Timestamp now) const {
    if (state_.since == kNever || now < due) return state_.may_be_older ? kUnknown : 0;
    return state_.is_unsure ? kUnknown : 1;
  }
  /// In a time in which nobody looked it may have followed; it gets as much longer.
  void leave_out(Timestamp from, Timestamp to) {
    for (State* state : {&state_, &before_}) {
      if (state->since < to) state->since += to - std::max(from, state->since);
    }
  }

 private:
  struct State {
    Timestamp since = kNever;  ///< when it began that has not been followed; the first time, where it was several times
    bool may_be_older = true;  ///< something that began before that may not have been followed
    bool is_unsure = false;    ///< it may have been followed, or have been so before anybody looked
  };
  State state_, before_;
  Timestamp at_ = Timestamp::min();
  bool is_answered_ = false;  ///< at this moment
};

/// Of a condition that is constant from one moment at which it is looked at to the next: until when each of its three
/// values lasted. What it is at one moment may be said more than once; the last word counts, and what did not last does
/// not show.
class History {
 public:
  void see(double value, Timestamp now) {
    if (now > at_) {
      ended_[place(value_)] = now;
      if (!std::isnan(value_)) before_ = value_;
      at_ = now;
      before_now_ = before_;
    }
    value_ = value;
  }

  /// Was it so at a moment of `now - width < t <= now`? Unknown before it was looked at first.
  double was(bool wanted, Micros width, Timestamp now) const {
    if (value_ == wanted_value(wanted)) return 1;
    return was_before(wanted, width, now, std::isnan(value_));
  }
  /// The same without `now` itself.
  double was_before(bool wanted, Micros width, Timestamp now, bool may_be = false) const {
    if (ended_[wanted ? 1 : 0] > now - width) return 1;
    return may_be || ended_[2] > now - width ? kUnknown : 0;
  }
  /// When was() may change, if the condition stays as it is.
  Timestamp change(Micros width, Timestamp now) const {
    Timestamp soonest = kNever;
    for (std::size_t i = 0; i < ended_.size(); ++i) {
      if (i != place(value_) && ended_[i] > now - width) soonest = std::min(soonest, ended_[i] + width);
    }
    return soonest;
  }
  /// Of the two known values the one that it had last, before this moment.
  double known_before() const { return before_now_; }

  double latched = kUnknown;  ///< what was found when it began to hold
  Awaited awaited;            ///< what should follow it

 private:
  static double wanted_value(bool wanted) { return wanted ? 1 : 0; }
  static std::size_t place(double value) { return std::isnan(value) ? 2 : value != 0 ? 1 : 0; }

  static constexpr Timestamp kLongAgo = Timestamp(-std::chrono::years(20'000));
  std::array<Timestamp, 3> ended_{kLongAgo, kLongAgo, kLongAgo};  ///< false, true, unknown
  double value_ = kUnknown, before_ = kUnknown, before_now_ = kUnknown;
  Timestamp at_ = kLongAgo;
};

}  // namespace tidegate::rules::expr
