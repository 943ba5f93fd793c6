#include "gateway/access/throttle.h"

#include <algorithm>

namespace tidegate::access {

std::chrono::steady_clock::duration Throttle::wait(std::string_view who, Instant now) const {
  const auto found = records_.find(std::string(who));
  if (found == records_.end() || found->second.failures <= kFree) return {};
  const int doublings = std::min(found->second.failures - kFree - 1, 20);
  const auto penalty = std::min(std::chrono::seconds{1 << doublings}, kLongest);
  return found->second.last + penalty - now;
}

void Throttle::failed(std::string_view who, Instant now) {
  if (records_.size() >= kMost) make_room(now);
  Record& record = records_[std::string(who)];
  if (record.failures > 0 && now - record.last > kForgotten) record.failures = 0;
  ++record.failures;
  record.last = now;
}

void Throttle::succeeded(std::string_view who) { records_.erase(std::string(who)); }

void Throttle::forgive(std::string_view who) {
  const auto found = records_.find(std::string(who));
  if (found != records_.end() && --found->second.failures == 0) records_.erase(found);
}

void Throttle::make_room(Instant now) {
  std::erase_if(records_, [now](const auto& record) { return now - record.second.last > kForgotten; });
  if (records_.size() < kMost) return;
  records_.erase(std::min_element(records_.begin(), records_.end(),
                                  [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

}  // namespace tidegate::access
