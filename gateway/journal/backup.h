#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::journal {

/// What a backup's backup.json says of it.
struct Backup {
  struct File {
    std::string name;  ///< "journal.db", "history/2026-03-01.db"
    std::uint64_t bytes = 0;
    std::uint32_t crc = 0;  ///< CRC-32C of all of it
  };
  Timestamp made{};
  std::string epoch;
  Seq last{}, compacted{};  ///< the log's last batch; what history has of it
  Timestamp committed{};    ///< of the last batch
  std::vector<File> files;
  std::vector<std::string> damaged;  ///< names of files that were copied as they are

  std::uint64_t bytes() const;
};

/// How far a copy is; `file` is that being copied.
struct CopyReport {
  std::function<void(const std::string& file, std::uint64_t done, std::uint64_t of)> progress;
  std::stop_token stop;
};

/// Copies a store to a folder that is not there yet, whether its gateway runs or not. The log first, in one snapshot;
/// what history has got of a later log by the time that it is copied is taken out of the copy again, so a backup is a
/// store of one moment, which everything that reads stores reads. The writer waits for nothing; readers' patience
/// suffices for a day's file that is being written. On disk when it returns; cut off, or failed, it leaves nothing
/// under the folder's name.
Result<Backup> back_up(const std::filesystem::path& store, const std::filesystem::path& folder, Timestamp now,
                       const CopyReport& report);

/// Errc::not_found where the folder is no backup.
Result<Backup> read_backup(const std::filesystem::path& folder);

/// Errc::full with both figures where `directory` has no room for so much.
Status look_for_room(const std::filesystem::path& directory, std::uint64_t bytes);

}  // namespace tidegate::journal
