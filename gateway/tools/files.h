#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/journal/check.h"

namespace tidegate::tools {

/// A file of a store, and how it is checked.
struct StoreFile {
  std::filesystem::path path;
  std::function<Result<journal::Checked>(const journal::CheckReport&)> check;
};
/// journal.db first, though it may be missing, then days, then years, then state.db. Errc::not_found where there is
/// none of them.
Result<std::vector<StoreFile>> store_files(const std::filesystem::path& store);

/// "journal.db: batch 17: its checksum does not fit"; the path is shown as seen from `store`.
std::string in_words(const journal::Damage& damage, const std::filesystem::path& store);

/// Where root has worked for the gateway: this folder of its store, or the store, and everything in it belongs to whom
/// the store belongs to.
void hand_over(const std::filesystem::path& folder, const std::filesystem::path& store);

}  // namespace tidegate::tools
