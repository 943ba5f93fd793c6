#include "gateway/core/intake.h"

#include <algorithm>
#include <utility>

namespace tidegate {

namespace {

constexpr std::size_t kMaxDroppedRanges = 1024;

}  // namespace

Intake::Intake(std::size_t max_samples, std::size_t max_events)
    : ring_(std::max<std::size_t>(max_samples, 1)), starts_(ring_.size()), max_events_(max_events) {}

Ticket Intake::push(std::span<const Sample> samples) {
  const std::lock_guard lock(mutex_);
  if (samples.empty()) return Ticket{accepted_};
  const std::size_t kept = std::min(samples.size(), ring_.size());
  if (count_ + kept > ring_.size()) drop_oldest(count_ + kept - ring_.size());
  if (const std::size_t too_many = samples.size() - kept; too_many > 0) {
    record_dropped(accepted_ + 1, accepted_ + too_many);
    accepted_ += too_many;
  }
  store(samples.last(kept));
  if (consumer_waits_) arrived_.notify_one();
  return Ticket{accepted_};
}

void Intake::store(std::span<const Sample> samples) {
  std::size_t at = (head_ + count_) % ring_.size();
  std::uint8_t first = 1;
  for (const Sample& sample : samples) {
    ring_[at] = sample;
    starts_[at] = std::exchange(first, std::uint8_t{0});
    if (++at == ring_.size()) at = 0;
  }
  count_ += samples.size();
  accepted_ += samples.size();
}

void Intake::drop_oldest(std::size_t at_least) {
  const std::uint64_t first = accepted_ - count_ + 1;
  std::size_t dropped = 0;
  while (dropped < at_least || (count_ > 0 && starts_[head_] == 0)) {
    if (++head_ == ring_.size()) head_ = 0;
    --count_;
    ++dropped;
  }
  record_dropped(first, first + dropped - 1);
}

void Intake::record_dropped(std::uint64_t first, std::uint64_t last) {
  dropped_ += last - first + 1;
  if (!dropped_ranges_.empty() && dropped_ranges_.back().last + 1 == first) {
    dropped_ranges_.back().last = last;
  } else {
    dropped_ranges_.push_back({first, last});
  }
  if (dropped_ranges_.size() > kMaxDroppedRanges) {
    forgotten_through_ = dropped_ranges_.front().last;
    dropped_ranges_.pop_front();
  }
  committed_changed_.notify_all();
}

bool Intake::was_dropped(std::uint64_t ticket) const {
  if (ticket <= forgotten_through_) return true;
  const auto range = std::lower_bound(dropped_ranges_.begin(), dropped_ranges_.end(), ticket,
                                      [](const Range& r, std::uint64_t t) { return r.last < t; });
  return range != dropped_ranges_.end() && range->first <= ticket;
}

bool Intake::post(Event event) {
  const std::lock_guard lock(mutex_);
  if (events_.size() >= max_events_) {
    ++events_refused_;
    return false;
  }
  events_.push_back(std::move(event));
  if (consumer_waits_) arrived_.notify_one();
  return true;
}

void Intake::take(Taken& out, std::size_t max, Micros wait, std::stop_token stop) {
  out.samples.clear();
  out.events.clear();
  std::unique_lock lock(mutex_);
  consumer_waits_ = true;
  arrived_.wait_for(lock, std::move(stop), wait,
                    [this] { return count_ > 0 || !events_.empty() || awaited_ > committed_; });
  consumer_waits_ = false;
  out.awaited = awaited_ > committed_;
  const std::size_t taken = std::min(count_, max);
  const std::size_t until_end = std::min(taken, ring_.size() - head_);
  const auto from = ring_.begin() + static_cast<std::ptrdiff_t>(head_);
  out.samples.insert(out.samples.end(), from, from + static_cast<std::ptrdiff_t>(until_end));
  out.samples.insert(out.samples.end(), ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(taken - until_end));
  out.events.swap(events_);
  head_ = (head_ + taken) % ring_.size();
  count_ -= taken;
  out.last = Ticket{accepted_ - count_};
  out.newest = Ticket{accepted_};
}

void Intake::committed(Ticket ticket) {
  const std::lock_guard lock(mutex_);
  committed_ = std::max(committed_, static_cast<std::uint64_t>(ticket));
  committed_changed_.notify_all();
}

void Intake::give_up(Ticket ticket) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first = committed_ + 1, last = static_cast<std::uint64_t>(ticket);
  if (last < first) return;
  // What the bound took of it before is counted already.
  const auto from = std::find_if(dropped_ranges_.begin(), dropped_ranges_.end(),
                                 [&](const Range& range) { return range.last >= first; });
  auto to = from;
  std::uint64_t counted = 0;
  for (; to != dropped_ranges_.end() && to->first <= last; ++to) counted += to->last - to->first + 1;
  dropped_ += last - first + 1 - counted;
  dropped_ranges_.insert(dropped_ranges_.erase(from, to), Range{first, last});
  committed_changed_.notify_all();
}

bool Intake::wait_committed(Ticket ticket, std::stop_token stop, Micros at_most) {
  const auto wanted = static_cast<std::uint64_t>(ticket);
  std::unique_lock lock(mutex_);
  if (!was_dropped(wanted)) awaited_ = std::max(awaited_, wanted);
  if (consumer_waits_) arrived_.notify_one();
  committed_changed_.wait_for(lock, std::move(stop), at_most,
                              [&] { return committed_ >= wanted || was_dropped(wanted); });
  return committed_ >= wanted && !was_dropped(wanted);
}

Intake::Stats Intake::stats() const {
  const std::lock_guard lock(mutex_);
  return {count_, ring_.size(), accepted_, dropped_, events_refused_};
}

}  // namespace tidegate
