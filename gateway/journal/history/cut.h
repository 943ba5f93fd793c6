#pragma once

#include <filesystem>

#include "gateway/core/result.h"
#include "gateway/journal/history/day_file.h"

namespace tidegate::journal::history {

/// Takes the rounds that a reader may not see out of a day's file, with minutes that were made of them too: of a copy
/// that is to go with a log which still has their samples. A file that would be empty is removed. True where anything
/// was taken out: the day's rollups in its year's file are then not to be trusted.
Result<bool> cut_back(const std::filesystem::path& file, const Visible& visible);

}  // namespace tidegate::journal::history
