#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace tidegate::journal {

/// SQLite's own file system, which writes down all that is done to its files: while one lives it is the default. From
/// the record the files can be made as a power cut at any moment may have left them: what was synced is there; of what
/// was not, each write is there, is not, or is there in part, in whatever order. A journal that is being recorded must
/// not outlive it.
class PowerCutVfs {
 public:
  PowerCutVfs();
  ~PowerCutVfs();
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;

  /// The n-th sync from now on fails, once. As Linux does it: what was written since the last one may never reach the
  /// disk, not with later syncs either, though it goes on being read back until the power goes.
  void fail_sync(std::size_t nth);
  /// The moment after it; none where there were not so many.
  std::optional<std::size_t> failed_at() const;
  /// How much has happened.
  std::size_t moment() const;
  /// Nothing more is written down, and SQLite's own file system is the default again.
  void end();

  enum class Unsynced { kept, dropped, either };
  /// Writes the files as they may be after a power cut at that moment, under the names that they had.
  void leave(std::size_t moment, Unsynced what, std::mt19937& random) const;
};

}  // namespace tidegate::journal
