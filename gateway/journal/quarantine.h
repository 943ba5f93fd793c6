#pragma once

#include <filesystem>
#include <string_view>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

/// A damaged journal.db is set aside under another name and a new one, written beside it as journal.db.new, takes its
/// place; a process that ends anywhere in between leaves what the next start can finish.
namespace tidegate::journal {

/// FILE.corrupt-<time>, a name that is free.
std::filesystem::path aside_name(const std::filesystem::path& file, Timestamp now);
/// Of the files set aside in a directory whose names begin so, the two newest stay.
void forget_old_quarantines(const std::filesystem::path& directory, std::string_view beginning);
/// The names in a directory are on disk when it returns, as far as the file system knows such a thing.
void sync_directory(const std::filesystem::path& directory);
/// "20260301T120000Z": no colons, since archive tools and other systems dislike them in names.
std::string time_for_name(Timestamp now);
/// journal.db.new
std::filesystem::path successor_of(const std::filesystem::path& file);
/// Removes an unfinished one.
void forget_successor(const std::filesystem::path& file);

/// Renames the file and its WAL to `aside` and its successor, closed and whole, to the file's name. Nobody may have
/// the file open for writing. Keeps at most the two newest files set aside.
Status swap_in_successor(const std::filesystem::path& file, const std::filesystem::path& aside);

/// At the start, before the file is opened: does what a crash left undone.
Status finish_swap(const std::filesystem::path& file);

}  // namespace tidegate::journal
