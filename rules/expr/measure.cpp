#include "rules/expr/measure.h"

#include <array>

#include "rules/units.h"

namespace tidegate::rules::expr {

std::optional<Conversion> conversion(std::string_view from, std::string_view to, bool is_difference) {
  if (from == to || from.empty() || to.empty()) return Conversion{};
  if (const auto scale = convert_difference(1, from, to)) {
    // Not from 1, whose digits are cut: 9 °F are 5 °C, exactly.
    const double exact = is_difference || *convert(0, from, to) == 0 ? 0 : *convert(0, from, to);
    return Conversion{*scale, exact};
  }
  const auto one = parse_rate_unit(from), other = parse_rate_unit(to);
  if (one && other) {
    if (const auto scale = convert_difference(1, one->unit, other->unit))
      return Conversion{rounded(*scale * other->seconds / one->seconds), 0};
  }
  const auto power = [](const std::optional<RateUnit>& rate) -> std::optional<double> {
    if (!rate || rate->unit.empty()) return std::nullopt;
    const auto joules = convert_difference(1, rate->unit, "J");
    return joules ? std::optional(*joules / rate->seconds) : std::nullopt;
  };
  if (const auto watts = power(one)) {
    if (const auto scale = convert_difference(1, "W", to)) return Conversion{rounded(*watts * *scale), 0};
  }
  if (const auto watts = power(other)) {
    if (const auto scale = convert_difference(1, from, "W")) return Conversion{rounded(*scale / *watts), 0};
  }
  return std::nullopt;
}

bool is_time(std::string_view unit) { return !unit.empty() && convert_difference(1, unit, "s").has_value(); }

std::string per_second(std::string_view unit) { return std::string(unit) + "/s"; }

std::string product(std::string_view one, std::string_view other) {
  if (one.empty() || other.empty()) return std::string(one) + std::string(other);
  return std::string(one) + "·" + std::string(other);
}

Scaled for_a_second(std::string_view unit) {
  for (const std::string_view per_hour : {"mW", "W", "kW", "MW", "VA", "kVA", "var", "kvar", "mA", "A"}) {
    if (unit == per_hour) return {std::string(unit) + 'h', 1.0 / 3600};
  }
  if (const auto rate = parse_rate_unit(unit)) return {rate->unit, 1 / rate->seconds};
  return {unit.empty() ? "s" : product(unit, "s"), 1};
}

Scaled quotient(std::string_view dividend, std::string_view divisor) {
  if (divisor.empty()) return {std::string(dividend), 1};
  if (!dividend.empty()) {
    if (const auto same = conversion(dividend, divisor, true)) return {"", same->scale};
  }
  return {std::string(dividend) + '/' + std::string(divisor), 1};
}

}  // namespace tidegate::rules::expr
