#pragma once

#include <string>
#include <vector>

#include "rules/expr/measure.h"
#include "rules/expr/tree.h"
#include "rules/units.h"

namespace tidegate::rules::expr {

/// What the compiler knows of a value.
struct Operand {
  Type type = Type::number;
  std::string unit;
  Role role = Role::open;
  bool is_unseen = false;   ///< of a series that was not seen yet: its type and unit may be any
  bool is_counter = false;  ///< the series itself
  bool is_constant = false;
  double value = 0;         ///< of a constant
  Micros time{-1};          ///< of one like 5m, which may be five metres
  std::uint16_t slot = 0;   ///< of all others
  std::uint64_t reads = 0;  ///< the references that it depends on, a bit each
  Micros lookback{0};
  const std::vector<std::string>* states = nullptr;
  const Node* at = nullptr;

  static Operand constant_of(double value, Type type = Type::number) {
    Operand out;
    out.type = type;
    out.is_constant = true;
    out.value = value;
    return out;
  }
  static Operand boolean() {
    Operand out;
    out.type = Type::boolean;
    return out;
  }
};

}  // namespace tidegate::rules::expr
