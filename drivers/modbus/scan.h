#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "drivers/modbus/line.h"

/// What is on a line, for somebody who sets it up: `tidegate modbus scan`. It only reads.
namespace tidegate::drivers::modbus {

struct FoundUnit {
  int unit = 0;
  std::string answer;    ///< what it said to being asked for holding register 0, in words
  std::string identity;  ///< what it says that it is (function 17); "" where it does not
};

struct Watch {
  std::function<void(const FoundUnit&)> found;
  std::function<void(int unit)> asking = [](int) {};  ///< before each: a line full of missing units takes its time
};
/// Asks every unit from `first` to `last`; one that refuses is there too. Fails where the line cannot be opened, and
/// with Errc::stopped.
Status find_units(Line& line, int first, int last, const std::stop_token& stop, const Watch& watch);

/// The registers or bits from `first` to `last`, nothing for those that the unit refuses. Fails as Line::read does;
/// with Errc::not_found where it has none of that table, and with Errc::stopped.
Result<std::vector<std::optional<std::uint16_t>>> dump(Line& line, int unit, Table table, std::uint16_t first,
                                                       std::uint16_t last, const std::stop_token& stop);

}  // namespace tidegate::drivers::modbus
