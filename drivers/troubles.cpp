#include "drivers/troubles.h"

#include <fmt/format.h>

namespace tidegate::drivers {

void Troubles::add(const std::string& text) {
  if (text.empty() || text_.find(text) != std::string::npos) return;
  if (++count_ <= kMostTold) text_ += (text_.empty() ? "" : "; ") + text;
}

std::string Troubles::text() const {
  return count_ > kMostTold ? fmt::format("{}; and {} more", text_, count_ - kMostTold) : text_;
}

}  // namespace tidegate::drivers
