#include "dashboard/snappy_body.h"

#include <snappy.h>

namespace tidegate::dashboard {

std::optional<std::string> unsnapped(std::string_view block, std::size_t most) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size) || size > most) return std::nullopt;
  std::string out;
  if (!snappy::Uncompress(block.data(), block.size(), &out)) return std::nullopt;
  return out;
}

}  // namespace tidegate::dashboard
