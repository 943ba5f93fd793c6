#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"

/// What drivers that read /proc and /sys have in common. Any thread.
namespace tidegate::drivers {

/// A whole file of /proc or /sys, at most 1 MiB of it. Errc::not_found where there is none, else Errc::io.
Result<std::string> read_file(const std::filesystem::path& file);
/// A file that holds one number, as most of /sys do; the error names it and shows what it holds.
Result<double> read_number(const std::filesystem::path& file);
/// A file's text without the blanks around it; "" where it cannot be read.
std::string text_of(const std::filesystem::path& file);
/// The entries of a folder by name; none where there is no such folder.
std::vector<std::filesystem::path> entries(const std::filesystem::path& folder);
/// `text` as one level of a series name: lower case, blanks and what may not stand there as '_'.
std::string as_level(std::string_view text);

}  // namespace tidegate::drivers
