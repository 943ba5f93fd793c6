#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tidegate::drivers::can {

/// A signal of a message, in the numbering of DBC: bit 0 is the lowest of byte 0, bit 8 that of byte 1.
struct Signal {
  enum class Type : std::uint8_t { unsigned_integer, signed_integer, float32, float64 };
  enum class Role : std::uint8_t { plain, selector, selected };

  std::string name;
  unsigned start = 0;   ///< Intel: the lowest bit; Motorola: the highest
  unsigned length = 1;  ///< 1 to 64
  bool motorola = false;
  Type type = Type::unsigned_integer;
  double scale = 1, offset = 0;
  std::string unit;
  Role role = Role::plain;
  std::uint64_t selector = 0;  ///< of one that is selected: the selector's value with which it is there
  std::vector<std::pair<double, std::string>> words;  ///< by raw value
};

/// Whether all its bits lie in so many bytes.
bool fits(const Signal& signal, std::size_t bytes);
/// Its bits, the lowest first; nothing where they are not all in the data.
std::optional<std::uint64_t> raw_bits(const Signal& signal, std::span<const std::uint8_t> data);
/// What the bits mean, before scale and offset.
double raw_value(const Signal& signal, std::uint64_t bits);

/// J1939-71: the highest values of a parameter say that there is none.
enum class Availability : std::uint8_t { available, error, not_available };
Availability j1939_availability(const Signal& signal, std::uint64_t bits);

/// The parameter group number of a 29-bit identifier, without the destination of one that has one.
std::uint32_t pgn_of(std::uint32_t id);

}  // namespace tidegate::drivers::can
