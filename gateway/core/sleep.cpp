#include "gateway/core/sleep.h"

#include <condition_variable>
#include <mutex>

namespace tidegate {

bool sleep_for(Micros time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace tidegate
