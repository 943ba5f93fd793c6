#include "rules/expr/measure.h"

#include <algorithm>
#include <utility>

#include "rules/units.h"

namespace tidegate::rules::expr {
namespace {

/// "°C·d" is °C for 86,400 seconds.
struct ForATime {
  std::string_view unit;
  double seconds;
};
std::optional<ForATime> parse_for_a_time(std::string_view text) {
  constexpr std::string_view kTimes = "·";
  const std::size_t dot = text.rfind(kTimes);
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  const auto seconds = convert_difference(1, text.substr(dot + kTimes.size()), "s");
  return seconds ? std::optional(ForATime{text.substr(0, dot), *seconds}) : std::nullopt;
}

/// W/m² is W, over "/m²".
std::pair<std::string_view, std::string_view> split_over(std::string_view unit) {
  const std::size_t slash = std::min(unit.find('/'), unit.size());
  return {unit.substr(0, slash), unit.substr(slash)};
}

/// Only by a factor: of what has a zero of its own it is not known how far it is from the other's.
std::optional<double> factor(std::string_view from, std::string_view to) {
  const auto way = conversion(from, to, false);
  return !way || way->shift != 0 || from.empty() || to.empty() ? std::nullopt : std::optional(way->scale);
}

std::optional<double> of_times(const ForATime& from, std::string_view to) {
  if (const auto other = parse_for_a_time(to)) {
    const auto scale = factor(from.unit, other->unit);
    return scale ? std::optional(*scale * from.seconds / other->seconds) : std::nullopt;
  }
  const auto [power, over] = split_over(from.unit);
  const auto [energy, also_over] = split_over(to);
  const auto watts = convert_difference(1, power, "W"), joules = convert_difference(1, energy, "J");
  if (power.empty() || energy.empty() || !watts || !joules || over != also_over) return std::nullopt;
  return *watts * from.seconds / *joules;
}

}  // namespace

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
  if (const auto time = parse_for_a_time(from)) {
    if (const auto scale = of_times(*time, to)) return Conversion{*scale, 0};
  } else if (const auto wanted = parse_for_a_time(to)) {
    if (const auto scale = of_times(*wanted, from)) return Conversion{1 / *scale, 0};
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
