#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/expr/expression.h"

namespace tidegate::rules::expr {

/// What a number with a unit is. It matters where the scales of two units begin elsewhere: 5 °C are 41 °F, but a
/// difference of 5 °C is one of 9 °F.
enum class Role : std::uint8_t {
  open,        ///< written down: takes the role of what it meets
  level,       ///< measured
  difference,  ///< of two levels, a range, a slope
  unclear      ///< a level less a written number: 20 °C colder, or the distance to 20 °C
};

/// value * scale + shift
struct Conversion {
  double scale = 1, shift = 0;
  bool is_none() const { return scale == 1 && shift == 0; }
  double operator()(double value) const { return value * scale + shift; }
};

/// Beside those of rules/units.h: rates by one another (°C/s, °C/min), energy in a time by power (kWh/h, kW), what is
/// times a time by one another (°C·s, °C·d), and power times a time by energy, each over something too (W/m²·s,
/// kWh/m²).
std::optional<Conversion> conversion(std::string_view from, std::string_view to, bool is_difference);

bool is_time(std::string_view unit);
/// "°C" -> "°C/s"
std::string per_second(std::string_view unit);
std::string product(std::string_view one, std::string_view other);

/// What is left of a unit, with a factor for the number: L/min for a second is 1/60 L, kW is 1/3600 kWh, A 1/3600 Ah.
struct Scaled {
  std::string unit;
  double scale = 1;
};
/// `unit` for a second.
Scaled for_a_second(std::string_view unit);
/// One unit divided by another.
Scaled quotient(std::string_view dividend, std::string_view divisor);

}  // namespace tidegate::rules::expr
