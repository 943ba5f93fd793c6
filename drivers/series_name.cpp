#include "drivers/series_name.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "gateway/core/text.h"

namespace tidegate::drivers {

std::string level_text(std::string_view text, bool slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool kept = byte >= 0x20 && byte != 0x7f && c != '+' && c != '#' && c != '{' && c != '}';
    if (kept && !(slash && c == '/')) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string without_empty_levels(std::string_view name) {
  std::string out;
  for (const auto level : split(name, '/')) {
    if (level.empty()) continue;
    if (!out.empty()) out += '/';
    out += level;
  }
  return out;
}

std::string_view unit_of_metric(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kUnits = {{{"_seconds", "s"},
                                                                                            {"_bytes", "B"},
                                                                                            {"_celsius", "°C"},
                                                                                            {"_meters", "m"},
                                                                                            {"_volts", "V"},
                                                                                            {"_amperes", "A"},
                                                                                            {"_watts", "W"},
                                                                                            {"_joules", "J"},
                                                                                            {"_grams", "g"},
                                                                                            {"_hertz", "Hz"}}};
  if (name.ends_with("_total")) name.remove_suffix(6);
  for (const auto& [suffix, unit] : kUnits) {
    if (name.ends_with(suffix)) return unit;
  }
  return {};
}

}  // namespace tidegate::drivers
