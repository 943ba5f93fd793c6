#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/can/signal.h"
#include "gateway/core/result.h"

namespace tidegate::drivers::can {

struct Message {
  std::uint32_t id = 0;  ///< without flags
  bool extended = false;
  std::string name;
  std::size_t bytes = 0;
  std::vector<Signal> signals;
};

struct Dbc {
  std::vector<Message> messages;
};

/// The messages, signals and value tables of a DBC file; the rest of it is passed over. The text is somebody's: errors
/// name the line. A signal that does not fit into its message is an error.
Result<Dbc> parse_dbc(std::string_view text);

}  // namespace tidegate::drivers::can
