#pragma once

#include <cmath>

#include "rules/expr/apply.h"
#include "rules/expr/functions.h"

namespace tidegate::rules::expr {

/// What the values of a pattern's members come to. What one known member decides, the others may leave unknown.
class Fold {
 public:
  void add(double value) {
    if (std::isnan(value)) {
      ++unknown_;
      return;
    }
    ++known_;
    sum_ += value;
    least_ = std::fmin(least_, value);
    most_ = std::fmax(most_, value);
  }
  double read(Fn fn) const {
    if (fn == Fn::all_members && least_ == 0) return 0;
    if (fn == Fn::any_members && most_ == 1) return 1;
    if (known_ == 0) return kUnknown;
    switch (fn) {
      case Fn::all_members:
        return unknown_ > 0 ? kUnknown : 1;
      case Fn::any_members:
        return unknown_ > 0 ? kUnknown : 0;
      case Fn::avg_members:
        return finite(sum_ / known_);
      case Fn::min_members:
        return least_;
      case Fn::max_members:
        return most_;
      default:
        return finite(sum_);
    }
  }

 private:
  double known_ = 0, unknown_ = 0, sum_ = 0, least_ = kUnknown, most_ = kUnknown;
};

}  // namespace tidegate::rules::expr
