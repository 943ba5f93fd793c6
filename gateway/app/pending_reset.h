#pragma once

#include <filesystem>

#include "gateway/app/heartbeat.h"
#include "gateway/core/result.h"

namespace tidegate::app {

/// Where a factory reset of this storage folder was begun, ends it: before any of it is opened, and before the
/// configuration is read. Waits for another process that is at it. `heart` beats meanwhile. Main thread.
Status finish_pending_reset(const std::filesystem::path& store, const std::filesystem::path& configuration,
                            Heartbeat& heart);

}  // namespace tidegate::app
