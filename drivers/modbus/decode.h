#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "drivers/modbus/registers.h"
#include "drivers/reading.h"
#include "gateway/core/result.h"

/// Pure; any thread.
namespace tidegate::drivers::modbus {

/// What width(format) registers say; of a bit, one that is 0 or 1. Bits that are no number (a NaN, a digit above 9) are
/// a Reading::Type::not_a_number, a text of nothing but blanks a null. A text stays in `text`, where what is no UTF-8
/// or no print is \xNN. Integers beyond 2^53 lose their last digits: a sample is a double.
Reading decode(std::span<const std::uint16_t> registers, const Format& format, std::string& text);

/// The inverse, for writing: a number or a boolean, rounded to the whole numbers that an integer takes. Errc::invalid
/// with the bounds where it does not fit; of a text or of a field of bits.
Result<std::vector<std::uint16_t>> encode(const Reading& reading, const Format& format);

/// What a register of powers of ten says (SunSpec's "scale factor"); nothing where it says that there is none.
std::optional<double> power_of_ten(std::uint16_t exponent, Order order);

}  // namespace tidegate::drivers::modbus
