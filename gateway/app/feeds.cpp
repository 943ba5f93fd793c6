#include "gateway/app/feeds.h"

#include <algorithm>

namespace tidegate::app {

Feeds::Feeder Feeds::join(const std::string& source) {
  const std::lock_guard lock(mutex_);
  sources_.emplace(next_, Source{source, std::chrono::steady_clock::now()});
  return next_++;
}

void Feeds::leave(Feeder feeder) {
  const std::lock_guard lock(mutex_);
  if (sources_.erase(feeder) == 0) return;
  std::erase_if(fed_by_, [feeder](const auto& one) { return one.second == feeder; });
}

std::string Feeds::claim(SeriesId series, Feeder feeder) {
  const std::lock_guard lock(mutex_);
  const auto self = sources_.find(feeder);
  if (self == sources_.end()) return {};
  const auto [fed, is_new] = fed_by_.try_emplace(static_cast<std::uint32_t>(series), feeder);
  if (const std::string& other = sources_.at(fed->second).name; other != self->second.name) return other;
  fed->second = feeder;
  return {};
}

bool Feeds::waits_for(SeriesId series, std::string_view source) const {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (fed_by_.contains(static_cast<std::uint32_t>(series))) return false;
  return std::any_of(sources_.begin(), sources_.end(),
                     [&](const auto& one) { return one.second.name == source && now - one.second.since < turn_; });
}

}  // namespace tidegate::app
