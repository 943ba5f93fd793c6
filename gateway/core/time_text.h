#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/types.h"

namespace tidegate {

/// "2026-03-01T12:00:00.250Z"; the fraction is left out where it is zero, else 3 or 6 digits.
std::string rfc3339(Timestamp time);
/// "2026-03-01T12:00:00Z": the fraction is cut off.
std::string rfc3339_seconds(Timestamp time);
/// "2026-03-01T12:00:00.250000Z": always six digits, so that such texts sort as their times do.
std::string rfc3339_micros(Timestamp time);
/// RFC 3339 with any offset and up to 9 fraction digits (cut to microseconds); nothing else.
std::optional<Timestamp> parse_rfc3339(std::string_view text);
/// As people write a time: "now"; "-1h30m" and "+5m", which are from `now`; a date, "2026-03-01", and with " 12:30" or
/// "T12:30:15.25" after it. UTC where no offset ("Z", "+01:00") follows.
std::optional<Timestamp> parse_time(std::string_view text, Timestamp now);

/// "250ms", "5s", "1m30s", "2h", "7d", "4w"; units µs us ms s m h d w, whole or decimal numbers, largest unit first.
std::optional<Micros> parse_duration(std::string_view text);
/// The shortest such text: "90s" is "1m30s".
std::string duration_text(Micros duration);
/// For people, one or two units: "3 s", "2 min 10 s", "5 h".
std::string age_text(Micros age);

}  // namespace tidegate
