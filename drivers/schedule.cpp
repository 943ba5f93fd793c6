#include "drivers/schedule.h"

#include <algorithm>

#include "drivers/poller.h"

namespace tidegate::drivers {

Schedule::Schedule(const std::vector<Micros>& intervals, Timestamp start) {
  for (const Micros every : intervals) entries_.push_back({every, start});
}

Timestamp Schedule::next() const {
  Timestamp earliest = Timestamp::max();
  for (const Entry& entry : entries_) earliest = std::min(earliest, entry.next);
  return earliest;
}

const std::vector<std::size_t>& Schedule::take_due(Timestamp now) {
  due_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.next > now) continue;
    if (now - entry.next < kClockStep) missed_ += static_cast<std::uint64_t>((now - entry.next) / entry.every);
    entry.next = now + until_next_turn(now, entry.every);
    due_.push_back(i);
  }
  return due_;
}

void RecentMost::add(Timestamp now, Micros value) {
  constexpr Micros kTerm = std::chrono::minutes(1);
  if (now - since_ >= kTerm) {
    last_ = now - since_ >= 2 * kTerm ? Micros{0} : this_;
    this_ = Micros{0};
    since_ = now;
  }
  this_ = std::max(this_, value);
}

}  // namespace tidegate::drivers
