#include "dashboard/selection.h"

#include <algorithm>
#include <set>

namespace tidegate::dashboard {

bool Selection::has(SeriesId series, const journal::Catalogue& catalogue) {
  if (patterns_.empty()) return true;
  const std::size_t at = index(series);
  if (known_.size() <= at) known_.resize(at + 1, Known::nothing);
  Known& known = known_[at];
  if (known == Known::nothing) {
    const std::string name = catalogue.entry(series).name;
    const bool in = std::ranges::any_of(patterns_, [&](const Pattern& pattern) { return pattern.matches(name); });
    known = in ? Known::in : Known::out;
  }
  return known == Known::in;
}

std::string key_of(const std::vector<Pattern>& patterns) {
  std::set<std::string_view> texts;
  for (const Pattern& pattern : patterns) texts.insert(pattern.text());
  std::string key;
  for (const std::string_view text : texts) {
    key += text;
    key += '\n';  // in no name of a series
  }
  return key;
}

}  // namespace tidegate::dashboard
