#include "rules/flood.h"

#include <algorithm>

#include "rules/alert.h"

namespace tidegate::rules {

bool calls_somebody(const AlertTransition& transition) {
  const bool is_new =
      transition.cause == "raised" || transition.cause == "unshelved" || transition.cause == "unsuppressed";
  return is_new && raised(transition.alert.phase) && !silenced(transition.alert);
}

void FloodWatch::raised(Timestamp at, const std::string& alert, std::vector<Event>& out) {
  const auto later = [](Timestamp time, const Raise& raise) { return time < raise.at; };
  raises_.insert(std::upper_bound(raises_.begin(), raises_.end(), at, later), Raise{at, alert});
  while (raises_.size() > kFloodFrom || raises_.front().at + kFloodWithin <= raises_.back().at) raises_.pop_front();
  if (flood_) {
    ++flood_->count;
    return;
  }
  if (raises_.size() < kFloodFrom) return;
  flood_ = Flood{true, raises_.front().at, raises_.front().alert, static_cast<std::uint32_t>(raises_.size())};
  out.push_back({raises_.back().at, *flood_});
}

void FloodWatch::pass(Timestamp now, std::vector<Event>& out) {
  if (flood_) {
    const bool few = raises_.size() < kFloodBelow;
    const Timestamp ends = few ? now : (raises_.end() - kFloodBelow)->at + kFloodWithin;
    if (ends <= now) {
      flood_->on = false;
      out.push_back({ends, *flood_});
      flood_.reset();
    }
  }
  while (!raises_.empty() && raises_.front().at + kFloodWithin <= now) raises_.pop_front();
}

void FloodWatch::told(const Flood& flood) {
  const std::uint32_t counted = flood_ ? flood_->count : 0;
  flood_.reset();
  if (!flood.on) return;
  flood_ = flood;
  flood_->count = std::max(flood.count, counted);
}

}  // namespace tidegate::rules
