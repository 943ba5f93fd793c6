#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/node.h"

namespace tidegate::config {

/// The text of one file, made fit for the parser (no byte order mark, line ends as '\n'), and its places in the
/// columns that an editor shows.
class SourceText {
 public:
  SourceText(std::string_view text, const std::string& file_name);

  /// False after adding problems: too large, not UTF-8, control characters, tabs as indentation.
  bool readable(Problems& problems) const;

  const std::string& text() const { return text_; }
  Mark start() const { return {file_, 1, 1}; }
  /// From the parser's line and column, which count bytes from 0; below 0 where it knows none.
  Mark place(int line, int column);

 private:
  bool report_tabs(Problems& problems) const;
  std::string_view line_at(std::size_t line) const;

  std::shared_ptr<const std::string> file_;
  std::string text_;
  std::vector<std::size_t> line_starts_;
  // The last place asked for: the parser goes forward, so a long line is not counted from its start each time.
  int last_line_ = -1;
  std::size_t last_byte_ = 0;
  int last_column_ = 0;
};

}  // namespace tidegate::config
