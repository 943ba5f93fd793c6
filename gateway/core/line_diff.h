#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

/// How one text becomes another, line by line. A line end that is missing at the end of a text counts as there.
struct DiffLine {
  enum class Kind : std::uint8_t { both, removed, added };
  Kind kind;
  std::string_view text;      ///< without its line end; of the texts compared
  int before = 0, after = 0;  ///< its number in either text, from 1 on; 0 where it is not there
};

/// The fewest lines that differ (Myers 1986), as long as they are few; of texts that differ in more than some thousand
/// lines the whole middle.
std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after);

/// As `diff -u` writes it, three lines around each change; empty where nothing differs.
std::string unified(const std::vector<DiffLine>& lines, std::string_view before_name, std::string_view after_name);

}  // namespace tidegate
