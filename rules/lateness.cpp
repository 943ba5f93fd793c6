#include "rules/lateness.h"

#include <algorithm>

namespace tidegate::rules {

bool Lateness::add(const Held& held) {
  const Sample& sample = held.sample;
  const bool is_behind = last_ && sample.time < last_->sample.time;
  if (is_behind || (newest_ != Timestamp::min() && sample.time < newest_ - allowed_)) return false;
  std::size_t place = held_.size();
  while (place > 0 && held_[place - 1].sample.time > sample.time) --place;
  if (came_already(sample, place)) return true;
  newest_ = std::max(newest_, sample.time);
  held_.push_back({});
  for (std::size_t i = held_.size() - 1; i > place; --i) held_[i] = held_[i - 1];
  static_cast<Held&>(held_[place]) = held;
  const bool is_newest = place + 1 == held_.size();
  held_[place].first_arrived = is_newest ? held.arrived : std::min(held.arrived, held_[place + 1].first_arrived);
  while (place-- > 0 && held_[place].first_arrived > held.arrived) held_[place].first_arrived = held.arrived;
  return true;
}

/// `place` is behind those of its time.
bool Lateness::came_already(const Sample& sample, std::size_t place) const {
  while (place-- > 0 && held_[place].sample.time == sample.time) {
    if (held_[place].sample == sample) return true;
  }
  return last_ && last_->sample == sample;
}

std::optional<Lateness::Held> Lateness::take() {
  last_ = held_.front();
  held_.pop_front();
  return last_;
}

std::optional<Lateness::Held> Lateness::next(Timestamp now) {
  if (held_.empty()) return std::nullopt;
  const bool is_due = held_.front().sample.time <= newest_ - allowed_ || held_.size() > kMost || wake() <= now;
  return is_due ? take() : std::nullopt;
}

std::optional<Lateness::Held> Lateness::next_until(Timestamp until) {
  return held_.empty() || held_.front().sample.time > until ? std::nullopt : take();
}

Timestamp Lateness::wake() const { return held_.empty() ? kNever : held_.front().first_arrived + allowed_; }

}  // namespace tidegate::rules
