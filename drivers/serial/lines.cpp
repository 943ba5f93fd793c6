#include "drivers/serial/lines.h"

#include <algorithm>

namespace tidegate::drivers::serial {

void LineCutter::reset(bool in_the_middle) {
  bytes_.clear();
  begin_ = scanned_ = 0;
  skipping_ = in_the_middle;
}

void LineCutter::feed(std::string_view bytes) {
  bytes_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  bytes_ += bytes;
}

std::size_t LineCutter::find_end(std::size_t from) const {
  return end_.empty() ? bytes_.find_first_of("\r\n", from) : bytes_.find(end_, from);
}

bool LineCutter::next(std::string_view& line) {
  const std::size_t width = std::max<std::size_t>(end_.size(), 1);
  while (true) {
    const std::size_t end = find_end(scanned_);
    if (end == std::string::npos) {
      scanned_ = std::max(begin_, bytes_.size() - std::min(bytes_.size(), width - 1));
      if (!skipping_ && scanned_ - begin_ > most_) {
        skipping_ = true;
        ++too_long_;
      }
      if (skipping_) begin_ = scanned_;
      return false;
    }
    const std::string_view found = std::string_view(bytes_).substr(begin_, end - begin_);
    begin_ = scanned_ = end + width;
    const bool whole = !skipping_;
    skipping_ = false;
    if (!whole || found.empty()) continue;
    if (found.size() > most_) {
      ++too_long_;
      continue;
    }
    line = found;
    return true;
  }
}

}  // namespace tidegate::drivers::serial
