#pragma once

#include <cstdint>

#include "gateway/core/result.h"
#include "gateway/tools/rows.h"
#include "gateway/tools/surroundings.h"

/// What alerts have kept of the samples around them.
namespace tidegate::tools {

struct SnapshotsOptions {
  Format format = Format::table;
};
/// A row each, the oldest first; of those whose samples made room too.
Result<int> list_snapshots(const SnapshotsOptions& options, const Surroundings& surroundings);

struct SnapshotOptions {
  std::int64_t id = 0;
  Format format = Format::table;
};
/// Its samples, as `query` has them.
Result<int> show_snapshot(const SnapshotOptions& options, const Surroundings& surroundings);

}  // namespace tidegate::tools
