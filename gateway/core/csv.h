#pragma once

#include <string>
#include <string_view>

namespace tidegate {

/// Appends a text as a field of CSV (RFC 4180), in quotes where it needs them. One with which a spreadsheet would begin
/// to calculate (=, +, -, @, a tab, a line's end) has a ' before it, and is a text there too; a negative number is one.
void append_csv_text(std::string& out, std::string_view text);

}  // namespace tidegate
