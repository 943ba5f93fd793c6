#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::tools {

/// Where a running gateway listens, in its storage folder.
inline constexpr const char* kSocketName = "tidegate.sock";

/// The storage folder of a gateway, by its configuration.
using FindStore = std::function<Result<std::filesystem::path>(const std::filesystem::path& configuration)>;

/// What every command works with.
struct Surroundings {
  std::filesystem::path store;          ///< the gateway's storage folder
  Timestamp now;                        ///< what "-1h" is from
  std::stop_token stop;                 ///< Ctrl-C
  std::filesystem::path configuration;  ///< need not be there
};

// Exit codes, as of sysexits.h where it has one.
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUnwell = 2;   ///< a part of the gateway is not well
constexpr int kCalling = 3;  ///< all of it is, and an alert calls for somebody
constexpr int kUsage = 64;
constexpr int kDamaged = 65;  ///< what was asked for is done as far as damage lets it
constexpr int kConfigurationWrong = 78;
constexpr int kInterrupted = 130;

}  // namespace tidegate::tools
