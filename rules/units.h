#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::rules {

/// 20 °C is 68 °F. The same text, or no unit on one side, converts as it is; nothing where the two do not measure the
/// same thing or are not in the table. Rounded, so that 90 °C is 194 °F and not a hair more.
std::optional<double> convert(double value, std::string_view from, std::string_view to);
/// The same for a difference (a hysteresis, a slope): 10 °C are 18 °F.
std::optional<double> convert_difference(double value, std::string_view from, std::string_view to);

/// What to say of two units that do not convert, should they differ in capitals alone; else "".
std::string capitals_hint(std::string_view one, std::string_view other);

/// To 12 significant digits: without what binary fractions leave behind, so that 0.3 less 0.1 is 0.2.
double rounded(double value);

/// "°C/min" -> {"°C", "min", 60}; "/h" -> {"", "h", 3600}. The time is s, min, h or d.
struct RateUnit {
  std::string unit;
  std::string per;
  double seconds;
};
std::optional<RateUnit> parse_rate_unit(std::string_view text);

}  // namespace tidegate::rules
