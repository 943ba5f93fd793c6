#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal::history {

/// A damaged file is set aside as *.corrupt-<time> (the two newest are kept) and replaced by what can be read of it; of
/// a year's file nothing, since it is made again of the days that there are. The sentence says what was lost.
Result<std::string> repair(const std::filesystem::path& file, const std::string& why, Timestamp now,
                           std::stop_token stop);

/// The files whose pages SQLite finds damaged, each with what it says. Reads all of them.
std::vector<std::pair<std::filesystem::path, std::string>> find_damaged(const std::filesystem::path& directory);

}  // namespace tidegate::journal::history
