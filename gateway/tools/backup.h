#pragma once

#include <filesystem>

#include "gateway/core/result.h"
#include "gateway/tools/surroundings.h"

namespace tidegate::tools {

struct BackupOptions {
  std::filesystem::path folder;
};
Result<int> backup(const BackupOptions& options, const Surroundings& surroundings);

struct RestoreOptions {
  std::filesystem::path folder;
  bool force = false;
};
Result<int> restore(const RestoreOptions& options, const Surroundings& surroundings);

}  // namespace tidegate::tools
