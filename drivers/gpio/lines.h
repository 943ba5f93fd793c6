#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::gpio {

enum class Bias : std::uint8_t { as_is, off, pull_up, pull_down };

struct LineOptions {
  std::string chip;  ///< gpiochip0, its label, or its number; empty: whichever has a line of that name
  std::string line;  ///< its name, or with a chip its number
  bool active_low = false;
  Bias bias = Bias::as_is;
  std::optional<bool> output{};  ///< it is driven, and whether it is active at first; nothing: it is read
  bool as_is = false;            ///< an output that is only looked at: nothing of it is changed
};

/// A line that became active, or no longer is: so long ago.
struct Edge {
  std::size_t line;
  bool active;
  Micros ago;
};

/// Lines, by their place among those that were opened. One call at a time, but for wait(), beside which active() and
/// set() may be called.
class Lines {
 public:
  virtual ~Lines() = default;
  /// Asks for all of them; those of before are let go. The error names the line: missing, or held by another program.
  virtual Status open(const std::vector<LineOptions>& lines) = 0;
  /// Of an output too, and of one that is only looked at: what the pin says.
  virtual Result<bool> active(std::size_t line) = 0;
  virtual Status set(std::size_t output, bool active) = 0;
  /// The edges of inputs since the last call, in order; waits for the first of them for at most so long.
  virtual Result<std::vector<Edge>> wait(Micros at_most) = 0;
};

/// Those of this machine, by libgpiod.
std::unique_ptr<Lines> system_lines();

}  // namespace tidegate::drivers::gpio
