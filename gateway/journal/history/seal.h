#pragma once

#include <filesystem>
#include <span>
#include <stop_token>

#include "gateway/core/result.h"
#include "gateway/journal/history/files.h"

namespace tidegate::journal::history {

/// Is the day (all its parts) over, and was it quiet for an hour?
Result<bool> ready_to_seal(std::span<const DayFileName> parts, Timestamp now);

/// Rolls up a day: each part's minutes into the part, where they are not yet, all parts' hours and the day into the
/// year's file, where the day is complete then.
Status seal_day(const std::filesystem::path& directory, std::span<const DayFileName> parts, std::stop_token stop);

}  // namespace tidegate::journal::history
