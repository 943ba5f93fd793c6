#include "gateway/tools/event_reader.h"

namespace tidegate::tools {

bool EventReader::feed(std::string_view bytes) {
  unread_ += bytes;
  std::size_t from = 0;
  bool wanted = true;
  for (std::size_t end = 0; wanted && (end = unread_.find('\n', from)) != std::string::npos; from = end + 1) {
    wanted = line(std::string_view(unread_).substr(from, end - from));
  }
  unread_.erase(0, from);
  return wanted;
}

bool EventReader::line(std::string_view text) {
  constexpr std::string_view kName = "event: ", kData = "data: ";
  if (text.starts_with(kName)) {
    name_ = text.substr(kName.size());
  } else if (text.starts_with(kData)) {
    data_ = text.substr(kData.size());
  } else if (text.empty() && !name_.empty()) {
    const bool wanted = take_(name_, data_);
    name_.clear();
    data_.clear();
    return wanted;
  }
  return true;  // ids, retry times and comments are for who comes back
}

}  // namespace tidegate::tools
