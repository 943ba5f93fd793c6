#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "gateway/journal/journal.h"

namespace tidegate::app {

/// The thread that turns the log into history while nothing else wants the processor. Stops within one group of series.
class Archivist {
 public:
  explicit Archivist(journal::Journal& journal);

  /// Why history does not go on, or empty. Any thread.
  std::string trouble() const;

 private:
  void run(const std::stop_token& stop);

  journal::Journal& journal_;
  mutable std::mutex mutex_;
  std::string trouble_;
  std::jthread thread_;
};

}  // namespace tidegate::app
