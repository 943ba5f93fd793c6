#pragma once

#include <filesystem>

#include "gateway/core/clock.h"
#include "gateway/journal/backup.h"
#include "gateway/journal/lock.h"

namespace tidegate::journal {

struct Reinstated {
  Backup backup;
  std::filesystem::path aside;  ///< where what was there before is now; empty: nothing was
  std::string lost;             ///< in words, where the log was damaged when it was backed up
};

/// Puts a backup into the storage folder of a gateway that does not run (Errc::conflict where one does, or where there
/// is data already and `force` does not say to set it aside). Every byte is checked before anything is changed. The
/// log goes on in a new epoch, since the numbers that follow may have been given before, with a notice of where it
/// comes from. Of a log that was damaged when it was backed up what can be read goes on. A process that ends anywhere
/// in between leaves the folder as it was, or what the next start finishes.
Result<Reinstated> reinstate(const std::filesystem::path& folder, const std::filesystem::path& store, bool force,
                             const Moment& now, const CopyReport& report);

/// At the start, before any file is opened: puts in place what a restore has made ready. Where it put what was there
/// before, or nothing.
Result<std::filesystem::path> finish_restore(const std::filesystem::path& store, DirectoryLock& lock, Timestamp now);

}  // namespace tidegate::journal
