#pragma once

#include <filesystem>
#include <string_view>

#include "gateway/core/result.h"
#include "gateway/reset/wiper.h"

/// What of a box stands beside its storage folder. `file` is tidegate.yaml.
namespace tidegate::reset {

/// What the package installs as tidegate.yaml.
std::string_view packaged_configuration();

/// A marker beside `file`, on disk: from here on it is to be reset, whatever comes between.
Status begin_configuration(const std::filesystem::path& file);
bool configuration_begun(const std::filesystem::path& file);
/// Gives `file`, where it is there, the packaged text, with the owner and the mode that it has; wipes conf.d/*.yaml and
/// secrets.yaml beside it, and the marker last. What cannot be wiped is the wiper's to tell.
Status finish_configuration(const std::filesystem::path& file, Wiper& wiper);

}  // namespace tidegate::reset
