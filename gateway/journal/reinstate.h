#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "gateway/core/clock.h"
#include "gateway/journal/backup.h"
#include "gateway/journal/lock.h"

namespace tidegate::journal {

struct Reinstated {
  Backup backup;
  std::filesystem::path aside;  ///< where what was there before is now; empty: nothing was
  std::string lost;             ///< in words, where the log was damaged when it was backed up
  bool by_gateway = false;      ///< one was running, and has taken it
};

/// A backup on its way into a gateway's storage folder. A process that ends anywhere in between leaves the folder as
/// it was, or what the gateway that runs or starts next finishes.
class Restore {
 public:
  /// Copies it beside what is there (Errc::conflict where that is data and `force` does not say to set it aside). Every
  /// byte is checked. The log goes on in a new epoch, since the numbers that follow may have been given before, with a
  /// notice of where it comes from. Of a log that was damaged when it was backed up what can be read goes on. A gateway
  /// that runs there goes on working meanwhile; where none does, none can start.
  static Result<Restore> prepare(const std::filesystem::path& folder, const std::filesystem::path& store, bool force,
                                 const Moment& now, const CopyReport& report);
  /// The copy, which the gateway's user must be able to take.
  std::filesystem::path folder() const;
  /// The copy takes the place of what is there. That is for a gateway to do that runs, which looks for it each second:
  /// `wait` is called again and again until it has, and says when to give up.
  Result<Reinstated> finish(const std::function<Status()>& wait);

 private:
  Restore(std::filesystem::path store, DirectoryLock alone, Reinstated done)
      : store_(std::move(store)), alone_(std::move(alone)), done_(std::move(done)) {}

  std::filesystem::path store_;
  DirectoryLock alone_;                ///< among restores
  std::optional<DirectoryLock> lock_;  ///< where no gateway runs
  Reinstated done_;                    ///< as it will be
};

/// Is there a restore that is ready to take its place?
bool restore_waits(const std::filesystem::path& store);
/// At the start, before any file is opened: puts in place what a restore has made ready.
Status finish_restore(const std::filesystem::path& store, DirectoryLock& lock, Timestamp now);

}  // namespace tidegate::journal
