#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/modbus/line.h"
#include "drivers/modbus/plan.h"
#include "drivers/writable.h"

namespace tidegate::drivers::modbus {

struct PointOptions {
  std::string series;  ///< the whole name
  Span span;
  Format format;
  std::optional<std::uint16_t> exponent;  ///< the register of the same table that holds its power of ten
  Micros every{};
  ValueOptions value;
  std::optional<Writable> writable;
  bool writes_multiple = false;  ///< by the function for several registers or coils, also where it is one
};

struct DeviceOptions {
  std::string name;
  int unit = 1;
  Limits limits;
  std::vector<PointOptions> points;
};

struct Options {
  LineOptions line;
  std::vector<DeviceOptions> devices;
};

config::Shape options_shape();
/// Of a checked section; reads the profiles that it names, whose problems have their places in their own files.
Options read_options(const config::Node& section, config::Problems& problems);
/// What a profile's file may be.
config::Shape profile_shape();
/// "192.168.1.20", "plc:1502", "[fe80::1]:502"; nothing where it is none. The port is 502 where it is missing.
std::optional<std::pair<std::string, int>> parse_host(std::string_view text);

}  // namespace tidegate::drivers::modbus
