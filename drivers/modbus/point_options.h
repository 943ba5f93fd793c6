#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/modbus/options.h"

namespace tidegate::drivers::modbus {

std::vector<std::string> type_names();
std::vector<std::string> baud_names();
/// "52", "0x0034".
std::optional<std::uint16_t> parse_address(std::string_view text);
/// "4-7": the first and how many; at most 32 of them.
std::optional<std::pair<std::uint8_t, std::uint8_t>> parse_bits(std::string_view text);

/// What a device and its profile say of all their points.
struct Settings {
  Micros every{};
  Order order = Order::abcd;
  int addresses_from = 0;
  int base = 0;
  Limits limits;

  /// Takes over what is written.
  void overlay(const config::Node& node);
};

/// Of a sound node; what makes no sense goes to `problems`.
PointOptions read_point(const config::Node& node, const std::string& device, const Settings& settings,
                        config::Problems& problems);

/// What the registers of a point that is writable are to hold for what people wish ("21.5", "on", "running").
/// Errc::invalid: the point does not take it, or they can hold nothing but its neighbours. A value is never rounded to
/// one of those: what was wished, what keeps the limits and what is told is what reaches the device.
Result<std::vector<std::uint16_t>> registers_for(const PointOptions& point, std::string_view wished);

}  // namespace tidegate::drivers::modbus
