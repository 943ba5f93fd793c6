#include "rules/units.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace tidegate::rules {
namespace {

enum class Measure : unsigned char {
  temperature,
  pressure,
  fraction,
  power,
  apparent,
  reactive,
  energy,
  length,
  area,
  volume,
  mass,
  flow,
  time,
  speed,
  frequency,
  voltage,
  current,
  resistance,
  charge,
  bytes,
  byte_rate,
  bit_rate,
  light,
  mass_density,
  conductivity
};

/// base = value * factor + offset. Factors are exact by definition (SI, the international yard and pound) but for
/// those of mercury columns, which are conventional.
struct Unit {
  std::string_view name;
  Measure measure;
  double factor;
  double offset = 0;
};

constexpr std::array kUnits = {
    Unit{"°C", Measure::temperature, 1},
    Unit{"C", Measure::temperature, 1},
    Unit{"degC", Measure::temperature, 1},
    Unit{"℃", Measure::temperature, 1},
    Unit{"K", Measure::temperature, 1, -273.15},
    Unit{"°F", Measure::temperature, 5.0 / 9, -160.0 / 9},
    Unit{"F", Measure::temperature, 5.0 / 9, -160.0 / 9},
    Unit{"degF", Measure::temperature, 5.0 / 9, -160.0 / 9},
    Unit{"℉", Measure::temperature, 5.0 / 9, -160.0 / 9},
    Unit{"Pa", Measure::pressure, 1},
    Unit{"hPa", Measure::pressure, 100},
    Unit{"kPa", Measure::pressure, 1e3},
    Unit{"MPa", Measure::pressure, 1e6},
    Unit{"mbar", Measure::pressure, 100},
    Unit{"bar", Measure::pressure, 1e5},
    Unit{"psi", Measure::pressure, 6894.757293168361},
    Unit{"atm", Measure::pressure, 101325},
    Unit{"mmHg", Measure::pressure, 133.322387415},
    Unit{"inHg", Measure::pressure, 3386.389},
    Unit{"%", Measure::fraction, 1e-2},
    Unit{"%RH", Measure::fraction, 1e-2},
    Unit{"‰", Measure::fraction, 1e-3},
    Unit{"ppm", Measure::fraction, 1e-6},
    Unit{"ppb", Measure::fraction, 1e-9},
    Unit{"mW", Measure::power, 1e-3},
    Unit{"W", Measure::power, 1},
    Unit{"kW", Measure::power, 1e3},
    Unit{"MW", Measure::power, 1e6},
    Unit{"VA", Measure::apparent, 1},
    Unit{"kVA", Measure::apparent, 1e3},
    Unit{"var", Measure::reactive, 1},
    Unit{"kvar", Measure::reactive, 1e3},
    Unit{"J", Measure::energy, 1},
    Unit{"kJ", Measure::energy, 1e3},
    Unit{"MJ", Measure::energy, 1e6},
    Unit{"GJ", Measure::energy, 1e9},
    Unit{"Wh", Measure::energy, 3600},
    Unit{"kWh", Measure::energy, 3.6e6},
    Unit{"MWh", Measure::energy, 3.6e9},
    Unit{"µm", Measure::length, 1e-6},
    Unit{"um", Measure::length, 1e-6},
    Unit{"mm", Measure::length, 1e-3},
    Unit{"cm", Measure::length, 1e-2},
    Unit{"m", Measure::length, 1},
    Unit{"km", Measure::length, 1e3},
    Unit{"in", Measure::length, 0.0254},
    Unit{"ft", Measure::length, 0.3048},
    Unit{"cm²", Measure::area, 1e-4},
    Unit{"m²", Measure::area, 1},
    Unit{"m2", Measure::area, 1},
    Unit{"mL", Measure::volume, 1e-6},
    Unit{"ml", Measure::volume, 1e-6},
    Unit{"L", Measure::volume, 1e-3},
    Unit{"l", Measure::volume, 1e-3},
    Unit{"m³", Measure::volume, 1},
    Unit{"m3", Measure::volume, 1},
    Unit{"gal", Measure::volume, 0.003785411784},
    Unit{"mg", Measure::mass, 1e-6},
    Unit{"g", Measure::mass, 1e-3},
    Unit{"kg", Measure::mass, 1},
    Unit{"t", Measure::mass, 1e3},
    Unit{"lb", Measure::mass, 0.45359237},
    Unit{"L/s", Measure::flow, 1e-3},
    Unit{"l/s", Measure::flow, 1e-3},
    Unit{"L/min", Measure::flow, 1e-3 / 60},
    Unit{"l/min", Measure::flow, 1e-3 / 60},
    Unit{"L/h", Measure::flow, 1e-3 / 3600},
    Unit{"l/h", Measure::flow, 1e-3 / 3600},
    Unit{"m³/h", Measure::flow, 1.0 / 3600},
    Unit{"m3/h", Measure::flow, 1.0 / 3600},
    Unit{"m³/s", Measure::flow, 1},
    Unit{"gpm", Measure::flow, 0.003785411784 / 60},
    Unit{"µs", Measure::time, 1e-6},
    Unit{"us", Measure::time, 1e-6},
    Unit{"ms", Measure::time, 1e-3},
    Unit{"s", Measure::time, 1},
    Unit{"min", Measure::time, 60},
    Unit{"h", Measure::time, 3600},
    Unit{"d", Measure::time, 86400},
    Unit{"mm/s", Measure::speed, 1e-3},
    Unit{"m/s", Measure::speed, 1},
    Unit{"km/h", Measure::speed, 1 / 3.6},
    Unit{"mph", Measure::speed, 0.44704},
    Unit{"kn", Measure::speed, 1852.0 / 3600},
    Unit{"Hz", Measure::frequency, 1},
    Unit{"kHz", Measure::frequency, 1e3},
    Unit{"MHz", Measure::frequency, 1e6},
    Unit{"GHz", Measure::frequency, 1e9},
    Unit{"rpm", Measure::frequency, 1.0 / 60},
    Unit{"mV", Measure::voltage, 1e-3},
    Unit{"V", Measure::voltage, 1},
    Unit{"kV", Measure::voltage, 1e3},
    Unit{"µA", Measure::current, 1e-6},
    Unit{"mA", Measure::current, 1e-3},
    Unit{"A", Measure::current, 1},
    Unit{"kA", Measure::current, 1e3},
    Unit{"mΩ", Measure::resistance, 1e-3},
    Unit{"Ω", Measure::resistance, 1},
    Unit{"kΩ", Measure::resistance, 1e3},
    Unit{"MΩ", Measure::resistance, 1e6},
    Unit{"mAh", Measure::charge, 1e-3},
    Unit{"Ah", Measure::charge, 1},
    Unit{"B", Measure::bytes, 1},
    Unit{"bytes", Measure::bytes, 1},
    Unit{"bit", Measure::bytes, 0.125},
    Unit{"kbit", Measure::bytes, 125},
    Unit{"Mbit", Measure::bytes, 125e3},
    Unit{"Gbit", Measure::bytes, 125e6},
    Unit{"kB", Measure::bytes, 1e3},
    Unit{"MB", Measure::bytes, 1e6},
    Unit{"GB", Measure::bytes, 1e9},
    Unit{"TB", Measure::bytes, 1e12},
    Unit{"KiB", Measure::bytes, 1024},
    Unit{"MiB", Measure::bytes, 1048576},
    Unit{"GiB", Measure::bytes, 1073741824},
    Unit{"B/s", Measure::byte_rate, 1},
    Unit{"bytes/s", Measure::byte_rate, 1},
    Unit{"kB/s", Measure::byte_rate, 1e3},
    Unit{"MB/s", Measure::byte_rate, 1e6},
    Unit{"KiB/s", Measure::byte_rate, 1024},
    Unit{"MiB/s", Measure::byte_rate, 1048576},
    Unit{"bit/s", Measure::bit_rate, 1},
    Unit{"kbit/s", Measure::bit_rate, 1e3},
    Unit{"Mbit/s", Measure::bit_rate, 1e6},
    Unit{"lx", Measure::light, 1},
    Unit{"klx", Measure::light, 1e3},
    Unit{"µg/m³", Measure::mass_density, 1e-9},
    Unit{"ug/m3", Measure::mass_density, 1e-9},
    Unit{"mg/m³", Measure::mass_density, 1e-6},
    Unit{"µS/cm", Measure::conductivity, 1e-4},
    Unit{"mS/cm", Measure::conductivity, 1e-1},
    Unit{"S/m", Measure::conductivity, 1},
};

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

/// The micro sign has two code points; keyboards and devices use either.
std::string normalised(std::string_view text) {
  std::string out(text);
  for (std::size_t at; (at = out.find("μ")) != std::string::npos;) out.replace(at, 2, "µ");
  return out;
}

std::optional<double> convert(double value, std::string_view from, std::string_view to, bool difference) {
  if (from == to || from.empty() || to.empty()) return value;
  const std::string from_name = normalised(from), to_name = normalised(to);
  if (from_name == to_name) return value;
  const Unit* a = find_unit(from_name);
  const Unit* b = find_unit(to_name);
  if (a == nullptr || b == nullptr || a->measure != b->measure) return std::nullopt;
  if (a->factor == b->factor && a->offset == b->offset) return value;
  return rounded((value * a->factor + (difference ? 0 : a->offset - b->offset)) / b->factor);
}

}  // namespace

double rounded(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.12g", value);
  return std::strtod(text, nullptr);
}

std::optional<double> convert(double value, std::string_view from, std::string_view to) {
  return convert(value, from, to, false);
}

std::optional<double> convert_difference(double value, std::string_view from, std::string_view to) {
  return convert(value, from, to, true);
}

std::optional<RateUnit> parse_rate_unit(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view per = text.substr(slash + 1);
  for (const auto& [name, seconds] : {std::pair{"s", 1.0}, {"min", 60.0}, {"h", 3600.0}, {"d", 86400.0}}) {
    if (per == name) return RateUnit{std::string(text.substr(0, slash)), std::string(per), seconds};
  }
  return std::nullopt;
}

std::string capitals_hint(std::string_view one, std::string_view other) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  const bool alike = std::equal(one.begin(), one.end(), other.begin(), other.end(),
                                [&lower](char a, char b) { return lower(a) == lower(b); });
  return alike ? "; they differ in capitals alone, and mW is not MW" : "";
}

}  // namespace tidegate::rules
