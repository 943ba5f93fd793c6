#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/event.h"
#include "gateway/core/result.h"

namespace tidegate::journal {

/// An event and an alert record as JSON for their tables, and back. Unknown fields are ignored, so that an older
/// program reads a newer journal as far as it knows it. Errc::corrupt for what is not such JSON.
std::string to_json(const Event& event);
Result<Event> event_from_json(std::string_view text);
std::string to_json(const AlertRecord& alert);
Result<AlertRecord> alert_from_json(std::string_view text);

/// The alert records of one batch, as a list.
std::string to_json(std::span<const AlertRecord> alerts);
Result<std::vector<AlertRecord>> alerts_from_json(std::string_view text);
/// A series' labels likewise, for the series table.
std::string to_json(const Labels& labels);
Result<Labels> labels_from_json(std::string_view text);

}  // namespace tidegate::journal
