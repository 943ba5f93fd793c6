#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal::history {

/// A damaged file is set aside as *.corrupt-<time> (the two newest are kept) and replaced by what can be read of it; of
/// a year's file nothing, since it is made again of the days that there are. The sentence says what was lost. Where it
/// fails the damaged file is in its place, to be repaired later.
Result<std::string> repair(const std::filesystem::path& file, const std::string& why, Timestamp now,
                           std::stop_token stop);

/// Reads all of a file: Errc::corrupt says what SQLite finds wrong with its pages, or that chunks are missing.
Status look_at(const std::filesystem::path& file);

/// The files that look_at() finds damaged, each with what it says.
std::vector<std::pair<std::filesystem::path, std::string>> find_damaged(const std::filesystem::path& directory);

}  // namespace tidegate::journal::history
