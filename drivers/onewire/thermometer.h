#pragma once

#include <string_view>

#include "gateway/core/result.h"

namespace tidegate::drivers::onewire {

/// The temperature (°C) in the text of a thermometer's w1_slave file, two lines: nine bytes of its scratchpad with
/// `crc=57 YES`, and the same with `t=23125`. Errc::corrupt: it was read wrongly, or has measured nothing.
Result<double> parse_thermometer(std::string_view text);

/// Of an id such as 28-0316a2791aff: is it a thermometer's that w1_therm knows?
bool is_thermometer(std::string_view id);

}  // namespace tidegate::drivers::onewire
