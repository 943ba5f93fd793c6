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

/// Of what is written like 5m or 1h30m only metres could be meant otherwise.
inline void take_duration(Operand& out) {
  out.value = static_cast<double>(out.time.count()) * 1e-6;
  out.unit = "s";
  out.time = Micros{-1};
}

/// 5m beside a time is five minutes, not metres.
inline void take_time(Operand& operand, const Operand& other) {
  if (operand.time < Micros{0} || !is_time(other.unit)) return;
  operand.value = static_cast<double>(operand.time.count()) * 1e-6;
  operand.unit = "s";
  operand.time = Micros{-1};
}

/// Less itself, or without its sign, or many times over a temperature is none any more.
inline Operand no_level(Operand operand) {
  if (operand.role == Role::level) operand.role = Role::unclear;
  return operand;
}

/// What two numbers are that stand for the same: in a comparison, min, if.
inline Role joint(const Operand& left, const Operand& right) {
  if (left.role == Role::unclear || right.role == Role::unclear) return Role::unclear;
  if (left.role == Role::difference || right.role == Role::difference) return Role::difference;
  return left.role == Role::open && right.role == Role::open ? Role::open : Role::level;
}

}  // namespace tidegate::rules::expr
