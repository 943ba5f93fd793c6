#include "drivers/iio/channel.h"

#include <array>
#include <vector>

#include "drivers/files.h"

namespace tidegate::drivers::iio {
namespace {

/// Documentation/ABI/testing/sysfs-bus-iio of the kernel: what is measured, and in what.
struct Quantity {
  std::string_view name, unit;
  double factor = 1;
};
constexpr std::array<Quantity, 20> kQuantities = {{{"voltage", "V", 1e-3},
                                                   {"current", "A", 1e-3},
                                                   {"power", "W", 1e-3},
                                                   {"temp", "\u00b0C", 1e-3},
                                                   {"humidityrelative", "%", 1e-3},
                                                   {"pressure", "kPa"},
                                                   {"illuminance", "lx"},
                                                   {"accel", "m/s\u00b2"},
                                                   {"anglvel", "rad/s"},
                                                   {"magn", "G"},
                                                   {"distance", "m"},
                                                   {"resistance", "\u03a9"},
                                                   {"capacitance", "nF"},
                                                   {"energy", "J"},
                                                   {"concentration", "%"},
                                                   {"massconcentration", "\u00b5g/m\u00b3"},
                                                   {"electricalconductivity", "S/m"},
                                                   {"incli", "\u00b0"},
                                                   {"angl", "rad"},
                                                   {"velocity", "m/s"}}};

const Quantity& quantity_of(std::string_view channel) {
  static const Quantity kOther{"", ""};
  const std::string_view type = channel.substr(0, channel.find_first_of("0123456789_-"));
  for (const Quantity& quantity : kQuantities) {
    if (quantity.name == type) return quantity;
  }
  return kOther;
}

// Whose files a channel may share, from its own to those of all of its kind: accel_x, accel; voltage0, voltage;
// voltage0-voltage1, voltage-voltage.
std::vector<std::string> sharers(const std::string& name) {
  std::vector<std::string> all = {name};
  std::string without_digits;
  for (const char c : name) {
    if (c < '0' || c > '9') without_digits += c;
  }
  all.push_back(without_digits);
  all.push_back(without_digits.substr(0, without_digits.find_first_of("_-")));
  return all;
}

// The first of the files that is there; `missing` where none is.
Result<double> number_of(const std::string& name, std::string_view what, double missing,
                         const std::filesystem::path& device) {
  for (const std::string& sharer : sharers(name)) {
    auto value = read_number(device / ("in_" + sharer + std::string(what)));
    if (value || value.error().code != Errc::not_found) return value;
  }
  return missing;
}

}  // namespace

std::optional<Channel> channel_of(std::string_view file) {
  constexpr std::string_view kIn = "in_", kRaw = "_raw", kInput = "_input";
  if (!file.starts_with(kIn)) return std::nullopt;
  const bool raw = file.ends_with(kRaw), input = file.ends_with(kInput);
  if (!raw && !input) return std::nullopt;
  const std::size_t tail = raw ? kRaw.size() : kInput.size();
  if (file.size() <= kIn.size() + tail) return std::nullopt;
  const std::string_view name = file.substr(kIn.size(), file.size() - kIn.size() - tail);
  const Quantity& quantity = quantity_of(name);
  return Channel{std::string(name), input, quantity.unit, quantity.factor};
}

Result<double> value_of(const Channel& channel, const std::filesystem::path& device) {
  const auto read = read_number(device / ("in_" + channel.name + (channel.processed ? "_input" : "_raw")));
  if (!read) return fail(read.error());
  if (channel.processed) return *read * channel.factor;
  const auto offset = number_of(channel.name, "_offset", 0, device);
  if (!offset) return fail(offset.error());
  const auto scale = number_of(channel.name, "_scale", 1, device);
  if (!scale) return fail(scale.error());
  return (*read + *offset) * *scale * channel.factor;
}

}  // namespace tidegate::drivers::iio
