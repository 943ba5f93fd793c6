#include "drivers/push/documents.h"

#include <algorithm>

#include "drivers/series_name.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::push {
namespace {

constexpr std::size_t kMostOwners = 10'000;  // beyond it the table starts afresh
constexpr char kFieldPlace = '\x01';         // no text of a series' name has it
constexpr PayloadLimits kLimits{1u << 20, 16, FieldPoints::kMostPaths};

std::string text_of(const Leaf& leaf) {
  if (leaf.type == Leaf::Type::text) return level_text(leaf.text, true);
  return leaf.type == Leaf::Type::number ? number_text(leaf.number) : std::string();
}

}  // namespace

Documents::Documents(const DocumentRule& rule, std::string source)
    : rule_(rule), source_(std::move(source)), decoder_(kLimits) {}

Result<std::string> Documents::owner_of(std::span<const Leaf> leaves) const {
  std::string missing;
  std::string owner = rule_.series.render([&](std::string_view place) -> std::optional<std::string> {
    if (place == "source") return source_;
    if (place == "field") return std::string(1, kFieldPlace);
    const std::string path = *path_of_pointer(place);
    const auto found = std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& leaf) { return leaf.path == path; });
    std::string text = found == leaves.end() ? "" : text_of(*found);
    if (text.empty()) missing = place;
    return text;
  });
  if (!missing.empty())
    return fail(Errc::invalid, "there is no text at '{}', which the source's `series` names", missing);
  return owner;
}

FieldPoints& Documents::points_of(const std::string& owner) {
  if (const auto found = points_.find(owner); found != points_.end()) return *found->second;
  if (points_.size() >= kMostOwners) points_.clear();
  const auto name = [owner](std::string_view field) {
    std::string series;
    for (const char c : owner) {
      if (c == kFieldPlace) {
        series += field;
      } else {
        series += c;
      }
    }
    return without_empty_levels(series);
  };
  return *points_.emplace(owner, std::make_unique<FieldPoints>(rule_.fields, name, Micros{0})).first->second;
}

Result<std::string> Documents::take(Sink& sink, std::string_view body, Timestamp now, std::vector<Sample>& samples) {
  const auto leaves = decoder_.decode(body, Format::json);
  if (!leaves) return fail(leaves.error());
  if (const std::string lack = lack_of_named(rule_.fields, *leaves); !lack.empty())
    return fail(Errc::invalid, "{}", lack);
  const auto owner = owner_of(*leaves);
  if (!owner) return fail(owner.error());
  return points_of(*owner).take(sink, {*leaves, now, false}, samples);
}

}  // namespace tidegate::drivers::push
