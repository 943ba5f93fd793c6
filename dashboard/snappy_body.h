#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::dashboard {

/// What was compressed with snappy, as one block; nothing where it is none, or is larger than `most` bytes.
std::optional<std::string> unsnapped(std::string_view block, std::size_t most);

}  // namespace tidegate::dashboard
