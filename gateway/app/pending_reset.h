#pragma once

#include <signal.h>

#include <filesystem>

#include "gateway/app/heartbeat.h"
#include "gateway/core/result.h"

namespace tidegate::app {

/// Where a factory reset of this storage folder was begun, ends it: before any of it is opened, and before anything of
/// the configuration is used but where that folder is. Waits for another process that is at it. `heart` beats
/// meanwhile. Errc::stopped: one of `signals`, which are blocked, came; the next start goes on with it. Main thread.
Status finish_pending_reset(const std::filesystem::path& store, const std::filesystem::path& configuration,
                            const sigset_t& signals, Heartbeat& heart);

}  // namespace tidegate::app
