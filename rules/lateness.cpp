#include "rules/lateness.h"

#include <algorithm>

namespace tidegate::rules {

bool Lateness::add(const Held& held) {
  const Sample& sample = held.sample;
  const auto is_same = [&](const Held& other) { return other.sample == sample; };
  const bool is_behind = last_ && sample.time < last_->sample.time;
  if (is_behind || (newest_ != Timestamp::min() && sample.time < newest_ - allowed_)) return false;
  if ((last_ && is_same(*last_)) || std::any_of(held_.begin(), held_.end(), is_same)) return true;  // it came twice
  newest_ = std::max(newest_, sample.time);
  const auto older = [](const Held& one, const Held& other) { return one.sample.time > other.sample.time; };
  held_.insert(std::lower_bound(held_.begin(), held_.end(), held, older), held);
  return true;
}

std::optional<Lateness::Held> Lateness::take() {
  last_ = held_.back();
  held_.pop_back();
  return last_;
}

std::optional<Lateness::Held> Lateness::next(Timestamp now) {
  if (held_.empty()) return std::nullopt;
  const bool is_due = held_.back().sample.time <= newest_ - allowed_ || held_.size() > kMost || wake() <= now;
  return is_due ? take() : std::nullopt;
}

std::optional<Lateness::Held> Lateness::next_until(Timestamp until) {
  return held_.empty() || held_.back().sample.time > until ? std::nullopt : take();
}

Timestamp Lateness::wake() const {
  Timestamp first = kNever;
  for (const Held& held : held_) first = std::min(first, held.arrived + allowed_);
  return first;
}

}  // namespace tidegate::rules
