#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/core/types.h"

/// The words of Modbus that all files of this driver share.
namespace tidegate::drivers::modbus {

/// The four tables of a unit. Coils and discrete inputs are bits; the others are registers of 16 bits.
enum class Table : std::uint8_t { coil, discrete, holding, input };

constexpr bool is_bits(Table table) { return table == Table::coil || table == Table::discrete; }
std::string_view name(Table table);

/// Some of one table. `first` is the address on the wire, from 0.
struct Span {
  Table table = Table::holding;
  std::uint16_t first = 0;
  std::uint16_t count = 1;

  constexpr std::uint32_t end() const { return std::uint32_t{first} + count; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// "holding 100-101", as in health reports.
std::string text(const Span& span);

enum class Type : std::uint8_t {
  bit,  ///< of a table of bits
  int16,
  int32,
  int64,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  bcd16,
  bcd32,
  string
};

/// Where the most significant byte is: of four bytes a (most) to d (least), how they come over the wire. The
/// specification's own order is abcd. Of 16 bits, badc and dcba swap the bytes; of 64 bits all four words turn round.
enum class Order : std::uint8_t { abcd, badc, cdab, dcba };

/// How registers become a value.
struct Format {
  Type type = Type::uint16;
  Order order = Order::abcd;
  std::uint8_t length = 0;     ///< of a string, in registers
  std::uint8_t first_bit = 0;  ///< of a field of bits in an unsigned integer; 0 is the least significant
  std::uint8_t bits = 0;       ///< how many; 0: no field, the whole
  bool boolean() const { return type == Type::bit || bits == 1; }
};

/// So many registers, or 1 for a bit.
std::uint16_t width(const Format& format);
/// What a point of it is unless its options say.
SeriesKind natural_kind(const Format& format);
constexpr bool is_integer(Type type) {
  return type != Type::float32 && type != Type::float64 && type != Type::string && type != Type::bit;
}

}  // namespace tidegate::drivers::modbus
