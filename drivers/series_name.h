#pragma once

#include <string>
#include <string_view>

namespace tidegate::drivers {

/// A text from outside as part of a series' name: what may not stand there is written as in a URL; '/' too, with
/// `slash`, where it would make a level of its own.
std::string level_text(std::string_view text, bool slash);
/// Without the levels that are empty, because a place of the template had nothing to say.
std::string without_empty_levels(std::string_view name);
/// The unit that a metric of Prometheus' has by its name, by the convention of base units: "s" of
/// request_seconds_total. Empty where it has none.
std::string_view unit_of_metric(std::string_view name);

}  // namespace tidegate::drivers
