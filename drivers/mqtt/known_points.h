#pragma once

#include <map>
#include <optional>
#include <string>

#include "gateway/core/types.h"

namespace tidegate::drivers::mqtt {

/// What a bridge says of a value of one of its devices, before and beside the value.
struct KnownPoint {
  std::optional<SeriesKind> kind;  ///< of a text; nothing: what the value looks like
  std::string unit;
  std::string description;  ///< in words, for people; empty: none
  std::string on, off;      ///< the texts that say yes and no, where the value is such a text

  friend bool operator==(const KnownPoint&, const KnownPoint&) = default;
};

/// By the leaf's path ("temperature", "color/x").
using KnownPoints = std::map<std::string, KnownPoint, std::less<>>;
/// All devices that a bridge has, by name.
using KnownDevices = std::map<std::string, KnownPoints, std::less<>>;

}  // namespace tidegate::drivers::mqtt
