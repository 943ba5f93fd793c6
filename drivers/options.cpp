#include "drivers/options.h"

namespace tidegate::drivers {
namespace {

constexpr std::size_t kMost = 1000;

std::string pattern_problem(std::string_view text) {
  const auto pattern = Pattern::parse(text);
  return pattern ? "" : pattern.error().text;
}

}  // namespace

config::Shape pattern_shape() { return config::Shape::text_where("a topic pattern", pattern_problem); }
config::Shape patterns_shape() { return config::Shape::list(pattern_shape(), kMost); }

Pattern read_pattern(const config::Node& text) { return *Pattern::parse(text.string()); }  // checked by its shape

std::vector<Pattern> read_patterns(const config::Node& list) {
  std::vector<Pattern> out;
  for (const auto& item : list.items) out.push_back(read_pattern(item));
  return out;
}

config::Shape units_shape() { return config::Shape::map(config::Shape::text(), kMost); }

Units read_units(const config::Node& map, config::Problems& problems) {
  Units units;
  for (const auto& entry : map.entries) {
    if (auto parsed = Pattern::parse(entry.key)) {
      units.emplace_back(std::move(*parsed), entry.value.string());
    } else {
      problems.add(entry.at, parsed.error().text);
    }
  }
  return units;
}

std::string_view unit_of(const Units& units, std::string_view name) {
  std::string_view unit;
  for (const auto& [pattern, its] : units) {
    if (pattern.matches(name)) unit = its;
  }
  return unit;
}

}  // namespace tidegate::drivers
