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
  }
  threads_.clear();
}

bool Workers::submit(Lane lane, std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (quick_.size() + slow_.size() >= max_jobs_) return false;
    (lane == Lane::quick ? quick_ : slow_).push_back(std::move(job));
  }
  changed_.notify_all();
  return true;
}

void Workers::run(bool quick_only, const std::stop_token& stop) {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return !quick_.empty() || (!quick_only && !slow_.empty()); };
      if (!changed_.wait(lock, stop, ready) || stop.stop_requested()) return;
      auto& lane = quick_.empty() ? slow_ : quick_;
      job = std::move(lane.front());
      lane.pop_front();
    }
    job();
  }
}

}  // namespace tidegate::dashboard
