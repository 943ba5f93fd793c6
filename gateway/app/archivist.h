#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "gateway/app/snapshots.h"
#include "gateway/journal/journal.h"

namespace tidegate::app {

/// The thread that turns the log into history, and takes snapshots, while nothing else wants the processor. Stops
/// within one group of series.
class Archivist {
 public:
  Archivist(journal::Journal& journal, Snapshots snapshots);

  /// Why one of them does not go on, or empty. Any thread.
  std::string trouble() const;

 private:
  void run(const std::stop_token& stop);

  journal::Journal& journal_;
  Snapshots snapshots_;
  mutable std::mutex mutex_;
  std::string trouble_;
  std::jthread thread_;
};

}  // namespace tidegate::app
