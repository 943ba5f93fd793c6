#include "dashboard/workers.h"

#include <numeric>

namespace tidegate::dashboard {

Workers::Workers(std::size_t threads, std::size_t max_jobs)
    : max_jobs_(max_jobs), queues_{Queue{}, Queue{}, Queue{.at_once = 1}, Queue{.at_once = 1}, Queue{.at_once = 2}} {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back(
        [this, quick_only = i == 0 && threads > 1](const std::stop_token& stop) { run(quick_only, stop); });
  }
}

Workers::~Workers() {
  for (auto& thread : threads_) thread.request_stop();
  {
    const std::lock_guard lock(mutex_);
    for (Queue& queue : queues_) queue.jobs.clear();
  }
  threads_.clear();
}

bool Workers::submit(Lane lane, std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    Queue& queue = queues_.at(static_cast<std::size_t>(lane));
    const std::size_t waiting =
        std::accumulate(queues_.begin(), queues_.end(), std::size_t{0},
                        [](std::size_t sum, const Queue& one) { return sum + one.jobs.size(); });
    // Of what goes so many at a time many can wait; three such lanes together leave a quarter of the places.
    if (waiting >= max_jobs_ || (queue.at_once != SIZE_MAX && queue.jobs.size() >= max_jobs_ / 4)) return false;
    queue.jobs.push_back(std::move(job));
  }
  changed_.notify_all();
  return true;
}

/// The queue whose turn it is, for a thread that is free: what goes so many at a time before what is slow, else it
/// would wait for a moment without any.
Workers::Queue* Workers::next(bool quick_only) {
  auto& [quick, slow, pushes, log_ins, points] = queues_;
  if (!quick.jobs.empty()) return &quick;
  if (quick_only) return nullptr;
  for (Queue* const queue : {&points, &log_ins, &pushes}) {
    if (!queue->jobs.empty() && queue->under_way < queue->at_once) return queue;
  }
  return slow.jobs.empty() ? nullptr : &slow;
}

void Workers::run(bool quick_only, const std::stop_token& stop) {
  while (true) {
    std::function<void()> job;
    Queue* queue = nullptr;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return (queue = next(quick_only)) != nullptr; };
      if (!changed_.wait(lock, stop, ready) || stop.stop_requested()) return;
      job = std::move(queue->jobs.front());
      queue->jobs.pop_front();
      ++queue->under_way;
    }
    job();
    {
      const std::lock_guard lock(mutex_);
      --queue->under_way;
    }
    if (queue->at_once != SIZE_MAX) changed_.notify_all();
  }
}

}  // namespace tidegate::dashboard
