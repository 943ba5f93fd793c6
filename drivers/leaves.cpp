#include "drivers/leaves.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace tidegate::drivers {

void Leaves::clear() {
  leaves_.clear();
  places_.clear();
  copied_.clear();
  paths_.clear();
  texts_.clear();
  path_.clear();
  problem_.clear();
}

std::size_t Leaves::descend(std::string_view key) {
  const std::size_t mark = path_.size();
  if (mark > 0) path_ += '/';
  path_ += key;
  return mark;
}

std::size_t Leaves::descend(std::size_t position) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), position).ptr;
  return descend(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

bool Leaves::nest(std::size_t depth) {
  return depth < limits_.max_depth || broken(fmt::format("nested deeper than {} levels", limits_.max_depth));
}

bool Leaves::add(Leaf leaf) {
  if (leaves_.size() >= limits_.max_values)
    return broken(fmt::format("more than {} values in one message", limits_.max_values));
  if (path_.size() > kMaxPathBytes) return broken(fmt::format("a value's name is longer than {} bytes", kMaxPathBytes));
  places_.push_back({paths_.size(), path_.size()});
  paths_ += path_;
  leaves_.push_back(leaf);
  return true;
}

bool Leaves::add_copied(std::string_view text, Timestamp time) {
  if (!add({{Reading::Type::text}, {}, time})) return false;
  copied_.push_back({{texts_.size(), text.size()}, leaves_.size() - 1});
  texts_ += text;
  return true;
}

bool Leaves::broken(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
  return false;
}

std::span<const Leaf> Leaves::finish() {
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    leaves_[i].path = std::string_view(paths_).substr(places_[i].begin, places_[i].size);
  }
  for (const Text& text : copied_) leaves_[text.leaf].text = std::string_view(texts_).substr(text.begin, text.size);
  return leaves_;
}

}  // namespace tidegate::drivers
