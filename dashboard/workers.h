#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tidegate::dashboard {

/// A fixed number of threads and a bounded number of jobs. The first thread takes quick jobs only, so that answers from
/// memory (health, state, the page) never wait behind those that read the disk or wait for a commit. Any thread.
class Workers {
 public:
  enum class Lane : std::uint8_t {
    quick,
    slow,
    pushes,   ///< one at a time, so that others that are slow find a thread
    log_ins,  ///< what computes the hash of a password for whoever asks: likewise
    points,   ///< what waits for a device, perhaps for half a minute: two at a time, so that one which is silent holds
              ///< up no other
  };

  Workers(std::size_t threads, std::size_t max_jobs);
  ~Workers();  ///< drops the jobs that wait, then finishes those that run

  /// False when `max_jobs` wait already; of a lane that takes so many at a time, a quarter of that.
  bool submit(Lane lane, std::function<void()> job);

 private:
  struct Queue {
    std::size_t at_once = SIZE_MAX;  ///< so many at a time...
    std::size_t under_way = 0;       ///< ...and so many are
    std::deque<std::function<void()>> jobs{};
  };

  void run(bool quick_only, const std::stop_token& stop);
  Queue* next(bool quick_only);

  const std::size_t max_jobs_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::array<Queue, 5> queues_;  ///< by lane
  std::vector<std::jthread> threads_;
};

}  // namespace tidegate::dashboard
