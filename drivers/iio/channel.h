#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/result.h"

namespace tidegate::drivers::iio {

/// An input of a device, as its files are named: in_voltage0_raw, in_accel_x_raw, in_temp_input.
struct Channel {
  std::string name;       ///< voltage0, accel_x, voltage0-voltage1, temp
  bool processed;         ///< ..._input: the kernel has converted it
  std::string_view unit;  ///< of value_of(); "" where it has none, or it is not known
  double factor;          ///< from the kernel's unit to this one
};

/// Nothing where a file is no input.
std::optional<Channel> channel_of(std::string_view file);
/// (raw + offset) * scale, in the channel's unit; the files lie in `device`.
Result<double> value_of(const Channel& channel, const std::filesystem::path& device);

}  // namespace tidegate::drivers::iio
