#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::drivers::mqtt {

/// Names and texts of profiles/*.yaml, as they were built in.
const std::vector<std::pair<std::string_view, std::string_view>>& profile_texts();

}  // namespace tidegate::drivers::mqtt
