#include "rules/version.h"

#include <fmt/format.h>

#include <cstdint>

namespace tidegate::rules {

std::string version_of(const config::Node& rule) {
  std::uint32_t hash = 2'166'136'261u;
  for (const char c : rule.written()) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return fmt::format("{:08x}", hash);
}

}  // namespace tidegate::rules
