#pragma once

#include <cstdint>
#include <string>

namespace tidegate::rules {

/// A series that a rule reads, beside or in the place of the one that it watches.
struct Reads {
  enum class Kind : std::uint8_t {
    own,      ///< `value`: the watched series
    sibling,  ///< `pressure`: the one beside it, the last level of whose name is this
    path,     ///< `{device}/pressure`: a whole name, perhaps with captures in it
    pattern   ///< `room/+/temperature`: any number of series, perhaps with captures in it
  } kind = Kind::own;
  std::string name;
};

}  // namespace tidegate::rules
