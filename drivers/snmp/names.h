#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::drivers::snmp {

/// What is known of an object that many devices have: what a MIB file would say.
struct Name {
  std::string_view name, oid;
  SeriesKind kind = SeriesKind::number;
  std::string_view unit{};
  double scale = 1;
  std::vector<std::pair<double, std::string>> words{};  ///< of its codes
};

/// The objects of RFC 3418 (SNMPv2-MIB), 2863 (IF-MIB), 1628 (UPS-MIB) and 2790 (HOST-RESOURCES-MIB) that are measured.
std::span<const Name> names();
/// nullptr where it is not among them.
const Name* find_name(std::string_view name);
/// The name of an object by its numbers, of a scalar with its .0; nullptr where it is not among them.
const Name* name_of(std::string_view oid);
const std::vector<std::string>& known_names();

}  // namespace tidegate::drivers::snmp
