#include "drivers/onewire/thermometer.h"

#include <algorithm>
#include <array>

#include "gateway/core/text.h"

namespace tidegate::drivers::onewire {
namespace {

// After power-on the scratchpad holds 85 °C, and 0x0C in the byte that a conversion sets to 0x10 (data sheet DS18B20,
// memory map; the kernel's w1_therm looks at the same).
bool has_not_measured(std::string_view scratchpad) {
  constexpr std::size_t kReserved = 6 * 3, kByte = 2;
  return scratchpad.starts_with("50 05 ") && scratchpad.size() >= kReserved + kByte &&
         scratchpad.substr(kReserved, kByte) == "0c";
}

}  // namespace

Result<double> parse_thermometer(std::string_view text) {
  constexpr double kMilli = 1000, kLowest = -55, kHighest = 125;
  const auto first = text.substr(0, text.find('\n'));
  if (trim(text).empty()) return fail(Errc::io, "the thermometer did not answer");
  if (first.find(" NO") != std::string_view::npos) {
    return fail(Errc::corrupt, "the checksum is wrong: look at the cable, its length and its resistor");
  }
  const std::size_t at = text.find("t=");
  double value = 0;
  if (first.find(" YES") == std::string_view::npos || at == std::string_view::npos ||
      !parse_number(trim(text.substr(at + 2)), value)) {
    return fail(Errc::corrupt, "what the kernel says is no temperature: '{}'", printable(trim(text), 96));
  }
  if (has_not_measured(first)) {
    return fail(Errc::corrupt, "it says 85 °C as after power-on and has not measured: look at its supply");
  }
  value /= kMilli;
  if (value < kLowest || value > kHighest) {
    return fail(Errc::corrupt, "{} °C is beyond what the thermometer can measure", short_number(value));
  }
  return value;
}

bool is_thermometer(std::string_view id) {
  // DS18S20, DS1822, DS18B20, DS1825, DS28EA00.
  constexpr std::array<std::string_view, 5> kFamilies = {"10-", "22-", "28-", "3b-", "42-"};
  return std::any_of(kFamilies.begin(), kFamilies.end(), [&](std::string_view f) { return id.starts_with(f); });
}

}  // namespace tidegate::drivers::onewire
