#include "dashboard/workers.h"

namespace tidegate::dashboard {

Workers::Workers(std::size_t threads, std::size_t max_jobs) : max_jobs_(max_jobs) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back(
        [this, quick_only = i == 0 && threads > 1](const std::stop_token& stop) { run(quick_only, stop); });
  }
}

Workers::~Workers() {
  for (auto& thread : threads_) thread.request_stop();
  {
    const std::lock_guard lock(mutex_);
    quick_.clear();
    slow_.clear();
    in_turn_.clear();
  }
  threads_.clear();
}

bool Workers::submit(Lane lane, std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (quick_.size() + slow_.size() + in_turn_.size() >= max_jobs_) return false;
    (lane == Lane::quick ? quick_ : lane == Lane::slow ? slow_ : in_turn_).push_back(std::move(job));
  }
  changed_.notify_all();
  return true;
}

/// The lane whose turn it is, for a thread that is free.
Workers::Jobs* Workers::next(bool quick_only) {
  if (!quick_.empty()) return &quick_;
  if (quick_only) return nullptr;
  if (!in_turn_.empty() && !turn_taken_) return &in_turn_;
  return slow_.empty() ? nullptr : &slow_;
}

void Workers::run(bool quick_only, const std::stop_token& stop) {
  while (true) {
    std::function<void()> job;
    Jobs* lane = nullptr;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return (lane = next(quick_only)) != nullptr; };
      if (!changed_.wait(lock, stop, ready) || stop.stop_requested()) return;
      job = std::move(lane->front());
      lane->pop_front();
      if (lane == &in_turn_) turn_taken_ = true;
    }
    job();
    if (lane != &in_turn_) continue;
    {
      const std::lock_guard lock(mutex_);
      turn_taken_ = false;
    }
    changed_.notify_all();
  }
}

}  // namespace tidegate::dashboard
