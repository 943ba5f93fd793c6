#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tidegate::dashboard {

/// A fixed number of threads and a bounded number of jobs. The first thread takes quick jobs only, so that answers from
/// memory (health, state, the page) never wait behind those that read the disk or wait for a commit; and of those in
/// turn one runs at a time, so that others that are slow find a thread. Any thread.
class Workers {
 public:
  enum class Lane { quick, slow, in_turn };

  Workers(std::size_t threads, std::size_t max_jobs);
  ~Workers();  ///< drops the jobs that wait, then finishes those that run

  /// False when `max_jobs` wait already.
  bool submit(Lane lane, std::function<void()> job);

 private:
  void run(bool quick_only, const std::stop_token& stop);

  const std::size_t max_jobs_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  using Jobs = std::deque<std::function<void()>>;
  Jobs* next(bool quick_only);
  Jobs quick_, slow_, in_turn_;
  bool turn_taken_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace tidegate::dashboard
