#include "drivers/modbus/decode.h"

#include <array>
#include <bit>
#include <cmath>

#include "gateway/core/text.h"

namespace tidegate::drivers::modbus {
namespace {

constexpr int kMostPower = 18;

constexpr std::uint16_t swapped(std::uint16_t word) { return static_cast<std::uint16_t>(word << 8 | word >> 8); }
constexpr bool swaps_bytes(Order order) { return order == Order::badc || order == Order::dcba; }
constexpr bool turns_words(Order order) { return order == Order::cdab || order == Order::dcba; }

std::uint64_t raw_value(std::span<const std::uint16_t> registers, Order order) {
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const std::uint16_t word = registers[turns_words(order) ? registers.size() - 1 - i : i];
    raw = raw << 16 | (swaps_bytes(order) ? swapped(word) : word);
  }
  return raw;
}

std::vector<std::uint16_t> raw_registers(std::uint64_t raw, const Format& format) {
  std::vector<std::uint16_t> registers(width(format));
  for (std::size_t i = 0; i < registers.size(); ++i) {
    const auto word = static_cast<std::uint16_t>(raw >> 16 * (registers.size() - 1 - i));
    registers[turns_words(format.order) ? registers.size() - 1 - i : i] =
        swaps_bytes(format.order) ? swapped(word) : word;
  }
  return registers;
}

Reading number(double value) {
  return std::isfinite(value) ? Reading{Reading::Type::number, value} : Reading{Reading::Type::not_a_number};
}

Reading decimal_digits(std::uint64_t raw, int digits) {
  double value = 0;
  for (int digit = digits - 1; digit >= 0; --digit) {
    const std::uint64_t next = raw >> 4 * digit & 0xf;
    if (next > 9) return {Reading::Type::not_a_number};
    value = value * 10 + static_cast<double>(next);
  }
  return {Reading::Type::number, value};
}

std::uint64_t as_decimal_digits(std::uint64_t value) {
  std::uint64_t raw = 0;
  for (int digit = 0; value != 0; ++digit, value /= 10) raw |= value % 10 << 4 * digit;
  return raw;
}

Reading string(std::span<const std::uint16_t> registers, Order order, std::string& text) {
  text.clear();
  for (const std::uint16_t wire : registers) {
    const std::uint16_t word = swaps_bytes(order) ? swapped(wire) : wire;
    text += static_cast<char>(word >> 8);
    text += static_cast<char>(word & 0xff);
  }
  text.resize(std::min(text.find('\0'), text.size()));
  text = printable(trim(text), 255);
  if (text.empty()) return {Reading::Type::null};
  return {Reading::Type::text, 0, text};
}

/// The least and the most of an integer type, as doubles that it can hold.
std::array<double, 2> bounds(Type type) {
  constexpr double kLargest64 = 9223372036854774784.0;         // the last double below 2^63
  constexpr double kLargestUnsigned = 18446744073709549568.0;  // and below 2^64
  switch (type) {
    case Type::int16:
      return {-32768, 32767};
    case Type::int32:
      return {-2147483648.0, 2147483647.0};
    case Type::int64:
      return {-9223372036854775808.0, kLargest64};
    case Type::uint16:
      return {0, 65535};
    case Type::uint32:
      return {0, 4294967295.0};
    case Type::bcd16:
      return {0, 9999};
    case Type::bcd32:
      return {0, 99'999'999};
    default:
      return {0, kLargestUnsigned};
  }
}

Result<std::vector<std::uint16_t>> encode_integer(double value, const Format& format) {
  const auto [least, most] = bounds(format.type);
  const double whole = std::nearbyint(value);
  if (!(whole >= least && whole <= most)) {
    return fail(Errc::invalid, "{} does not fit into the register, which takes {} to {}", number_text(value),
                number_text(least), number_text(most));
  }
  const auto raw =
      whole < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) : static_cast<std::uint64_t>(whole);
  const bool bcd = format.type == Type::bcd16 || format.type == Type::bcd32;
  return raw_registers(bcd ? as_decimal_digits(raw) : raw, format);
}

}  // namespace

Reading decode(std::span<const std::uint16_t> registers, const Format& format, std::string& text) {
  if (format.type == Type::string) return string(registers, format.order, text);
  if (format.type == Type::bit) return {Reading::Type::boolean, registers[0] != 0 ? 1.0 : 0.0};
  std::uint64_t raw = raw_value(registers, format.order);
  if (format.bits != 0) {
    raw = raw >> format.first_bit & ((std::uint64_t{1} << format.bits) - 1);
    return {format.bits == 1 ? Reading::Type::boolean : Reading::Type::number, static_cast<double>(raw)};
  }
  switch (format.type) {
    case Type::int16:
      return number(static_cast<std::int16_t>(raw));
    case Type::int32:
      return number(static_cast<std::int32_t>(raw));
    case Type::int64:
      return number(static_cast<double>(static_cast<std::int64_t>(raw)));
    case Type::float32:
      return number(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(raw))));
    case Type::float64:
      return number(std::bit_cast<double>(raw));
    case Type::bcd16:
      return decimal_digits(raw, 4);
    case Type::bcd32:
      return decimal_digits(raw, 8);
    default:
      return number(static_cast<double>(raw));
  }
}

Result<std::vector<std::uint16_t>> encode(const Reading& reading, const Format& format) {
  const bool number = reading.type == Reading::Type::number || reading.type == Reading::Type::boolean;
  if (!number || !std::isfinite(reading.number)) return fail(Errc::invalid, "only a number, on or off can be written");
  if (format.type == Type::string) return fail(Errc::invalid, "a text cannot be written");
  if (format.bits != 0) {
    return fail(Errc::invalid, "some bits of a register cannot be written: the device may change the others meanwhile");
  }
  const double value = reading.number;
  switch (format.type) {
    case Type::bit:
      if (value != 0 && value != 1) return fail(Errc::invalid, "{} is neither 0 nor 1", number_text(value));
      return std::vector{static_cast<std::uint16_t>(value)};
    case Type::float32:
      if (!std::isfinite(static_cast<float>(value))) {
        return fail(Errc::invalid, "{} does not fit into a float32", number_text(value));
      }
      return raw_registers(std::bit_cast<std::uint32_t>(static_cast<float>(value)), format);
    case Type::float64:
      return raw_registers(std::bit_cast<std::uint64_t>(value), format);
    default:
      return encode_integer(value, format);
  }
}

std::optional<double> power_of_ten(std::uint16_t exponent, Order order) {
  const int power = static_cast<std::int16_t>(swaps_bytes(order) ? swapped(exponent) : exponent);
  if (power < -kMostPower || power > kMostPower) return std::nullopt;
  return std::pow(10.0, power);
}

}  // namespace tidegate::drivers::modbus
