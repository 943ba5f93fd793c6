#pragma once

#include <cstdint>
#include <filesystem>

namespace tidegate::journal {

/// How many commits of a write-ahead log nobody will see again, because it is damaged before them: SQLite reads it up
/// to the first frame whose checksum does not fit, and takes that for its end. 0 where the file is whole, torn at its
/// end as a power cut tears it, or cannot be read.
///
/// Only what was promised counts: a commit is synced before the next transaction writes its first frame, so one that
/// has a successor was whole once. How many the damage itself hides is not known.
///
/// For a file that nobody writes to. The format is SQLite's (https://www.sqlite.org/fileformat2.html#walformat).
std::uint64_t commits_behind_damage(const std::filesystem::path& wal);

}  // namespace tidegate::journal
