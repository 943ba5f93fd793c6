#include "gateway/config/source_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/config/load.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

std::string normalised(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  }
  return out;
}

/// The parser takes some of these as its own signs: \x04 would silently end the file.
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

bool is_continuation_byte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// True for "key: |", "- >2-" and the like: the deeper lines that follow are free text.
bool opens_block_text(std::string_view line) {
  line = line.substr(0, line.find(" #"));
  const std::size_t end = line.find_last_not_of(" \t");
  if (end == std::string_view::npos) return false;
  const std::size_t sign = line.find_last_not_of("+-0123456789", end);
  return sign != std::string_view::npos && (line[sign] == '|' || line[sign] == '>') &&
         (sign == 0 || line[sign - 1] == ' ');
}

}  // namespace

SourceText::SourceText(std::string_view text, const std::string& file_name)
    : file_(std::make_shared<const std::string>(file_name)),
      text_(normalised(text.substr(0, kMaxFileBytes + 1))),
      line_starts_{0} {
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

bool SourceText::readable(Problems& problems) const {
  if (text_.size() > kMaxFileBytes) {
    problems.add({file_, 0, 0}, fmt::format("the file is larger than {} bytes", kMaxFileBytes));
    return false;
  }
  if (!valid_utf8(text_)) {
    problems.add({file_, 0, 0}, "the file is not UTF-8 text; save it as UTF-8");
    return false;
  }
  const auto control = std::find_if(text_.begin(), text_.end(), is_control);
  if (control != text_.end()) {
    const auto offset = static_cast<std::size_t>(control - text_.begin());
    const auto line = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) - line_starts_.begin();
    problems.add({file_, static_cast<int>(line), 1},
                 fmt::format("the line has a control character, {}; remove it", printable({&*control, 1})));
    return false;
  }
  return !report_tabs(problems);
}

bool SourceText::report_tabs(Problems& problems) const {
  bool found = false;
  std::size_t block_indent = std::string_view::npos;  // of the line that opened the block text that we are in
  for (std::size_t i = 0; i < line_starts_.size(); ++i) {
    const std::string_view line = line_at(i);
    const std::size_t content = line.find_first_not_of(" \t");
    if (content == std::string_view::npos || line[content] == '#') continue;
    const std::size_t spaces = line.find_first_not_of(' ');
    if (block_indent != std::string_view::npos && spaces > block_indent) continue;
    block_indent = opens_block_text(line) ? spaces : std::string_view::npos;
    if (spaces == content) continue;
    problems.add({file_, static_cast<int>(i + 1), static_cast<int>(spaces + 1)},
                 "a tab as indentation; YAML takes spaces only");
    found = true;
  }
  return found;
}

std::string_view SourceText::line_at(std::size_t line) const {
  const std::size_t begin = line_starts_[line];
  const std::size_t end = line + 1 < line_starts_.size() ? line_starts_[line + 1] - 1 : text_.size();
  return std::string_view(text_).substr(begin, end - begin);
}

Mark SourceText::place(int line, int column) {
  if (line < 0 || static_cast<std::size_t>(line) >= line_starts_.size()) return start();
  const std::string_view content = line_at(static_cast<std::size_t>(line));
  const std::size_t byte = std::min(content.size(), static_cast<std::size_t>(std::max(column, 0)));
  if (line != last_line_ || byte < last_byte_) {
    last_line_ = line;
    last_byte_ = 0;
    last_column_ = 0;
  }
  for (; last_byte_ < byte; ++last_byte_) {
    if (!is_continuation_byte(content[last_byte_])) ++last_column_;
  }
  return {file_, line + 1, last_column_ + 1};
}

}  // namespace tidegate::config
