#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "gateway/core/clock.h"
#include "gateway/core/event.h"
#include "gateway/core/result.h"
#include "gateway/journal/log_ends.h"

namespace tidegate::journal {

/// What could not be read. `exact`: where both ends of the log were known; else there may be more.
struct Losses {
  std::uint64_t batches = 0, samples = 0, events = 0;
  std::uint64_t names = 0;  ///< series and labels that now have a stand-in for a name
  std::uint64_t states =
      0;  ///< alert states, cursors, dead letters: damaged ones; which are gone altogether nobody knows
  bool exact = true;
};

struct Salvaged {
  std::filesystem::path aside;  ///< where the damaged file is to go
  Losses lost;
  std::string gone;  ///< the batches that are lost, as Seen::text() has them; the successor knows them too
  Batch report;      ///< the successor's newest batch: a Notice in words
};

/// Reads whatever can be read of a damaged file, batch by batch, into its successor: names under the same ids, alert
/// states, cursors, events, dead letters, batches under the same numbers. It ends with a batch that reports the
/// losses, and from which the numbers count on. The epoch stays where the last number is certain; where the log's end
/// was lost, a number might be given twice, and so a new epoch begins. `step` is called between bounded pieces.
/// Fails only where the successor cannot be written; then nothing has changed.
Result<Salvaged> salvage(const std::filesystem::path& file, const Error& why, const std::optional<Known>& known,
                         const Moment& now, const std::function<void()>& step);

/// Of a file that no journal has open: and puts the successor in its place.
Result<Salvaged> salvage_in_place(const std::filesystem::path& file, const Error& why, const Moment& now,
                                  const std::function<void()>& step);

}  // namespace tidegate::journal
