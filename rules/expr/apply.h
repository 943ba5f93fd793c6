#pragma once

#include <algorithm>
#include <cmath>

#include "rules/expr/block.h"

namespace tidegate::rules::expr {
/// Infinity is as unknown as NaN.
inline double finite(double value) { return value - value == 0 ? value : kUnknown; }
inline double truth(bool value) { return value ? 1 : 0; }
inline bool unknown(double a, double b) { return std::isnan(a) || std::isnan(b); }

/// What an operation of the first kind makes of known and unknown values. Kleene's logic: what one operand decides,
/// the other may leave unknown.
inline double apply(Code code, double a, double b, double c) {
  switch (code) {
    case Code::negate:
      return -a;
    case Code::invert:
      return 1 - a;
    case Code::both:
      return a == 0 || b == 0 ? 0 : unknown(a, b) ? kUnknown : 1;
    case Code::either:
      return a == 1 || b == 1 ? 1 : unknown(a, b) ? kUnknown : 0;
    case Code::add:
      return finite(a + b);
    case Code::subtract:
      return finite(a - b);
    case Code::multiply:
      return finite(a * b);
    case Code::divide:
      return finite(a / b);
    case Code::less:
      return unknown(a, b) ? kUnknown : truth(a < b);
    case Code::at_most:
      return unknown(a, b) ? kUnknown : truth(a <= b);
    case Code::equal:
      return unknown(a, b) ? kUnknown : truth(a == b);
    case Code::unequal:
      return unknown(a, b) ? kUnknown : truth(a != b);
    case Code::least:
      return unknown(a, b) ? kUnknown : std::min(a, b);
    case Code::greatest:
      return unknown(a, b) ? kUnknown : std::max(a, b);
    case Code::absolute:
      return std::abs(a);
    case Code::nearest_multiple:
      return finite(std::round(a / b) * b);
    case Code::choose:
      return std::isnan(a) ? kUnknown : a != 0 ? b : c;
    case Code::first_known:
      return std::isnan(a) ? b : a;
    case Code::scale:
      return finite(a * b + c);
    default:
      return kUnknown;
  }
}

}  // namespace tidegate::rules::expr
