#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"

namespace tidegate::drivers::snmp {

/// An object identifier: 1.3.6.1.2.1.1.3.0. Immutable once made.
class Oid {
 public:
  static constexpr std::size_t kMostNumbers = 128;  ///< RFC 2578, 3.5

  Oid() = default;
  explicit Oid(std::vector<std::uint32_t> numbers) : numbers_(std::move(numbers)) {}
  /// Numbers with dots (one may lead), or a name of names.h with or without numbers behind it: ifDescr.2.
  static Result<Oid> parse(std::string_view text);

  const std::vector<std::uint32_t>& numbers() const { return numbers_; }
  bool empty() const { return numbers_.empty(); }
  bool begins_with(const Oid& column) const;
  /// What stands behind `column`, with which it begins: the row of a table.
  Oid behind(const Oid& column) const;
  std::string text() const;

  friend auto operator<=>(const Oid&, const Oid&) = default;  ///< in the order in which an agent is walked

 private:
  std::vector<std::uint32_t> numbers_;
};

}  // namespace tidegate::drivers::snmp
