#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/types.h"

namespace tidegate {

/// "2026-03-01T12:00:00.250Z"; the fraction is left out where it is zero, else 3 or 6 digits.
std::string rfc3339(Timestamp time);
/// RFC 3339 with any offset and up to 9 fraction digits (cut to microseconds); nothing else.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

/// "250ms", "5s", "1m30s", "2h", "7d", "4w"; units µs us ms s m h d w, whole or decimal numbers, largest unit first.
std::optional<Micros> parse_duration(std::string_view text);
/// The shortest such text: "90s" is "1m30s".
std::string duration_text(Micros duration);
/// For people, one or two units: "3 s", "2 min 10 s", "5 h".
std::string age_text(Micros age);

}  // namespace tidegate
