#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate::dashboard {

/// What was compressed; nothing where it is no gzip, is cut short, or is larger than `most` bytes.
std::optional<std::string> unzipped(std::string_view gzip, std::size_t most);

}  // namespace tidegate::dashboard
