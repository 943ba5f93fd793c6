#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/core/metrics.h"
#include "gateway/core/sink.h"

namespace tidegate::journal {

/// What could not be used, on its way to its table: repeated (source, topic, reason) within a minute are counted on the
/// first letter. Bounded; what finds no room is counted. Any thread.
class DeadLetters {
 public:
  explicit DeadLetters(Metrics& metrics);

  void add(DeadLetter letter);

  struct Change {
    std::int64_t id = 0;  ///< of its row; 0: it has none yet
    std::uint64_t times = 0;
    DeadLetter letter;
  };
  /// What the table does not know yet, oldest first. The writer gives each new one its id, then calls saved() with the
  /// same list.
  std::vector<Change> changes() const;
  void saved(const std::vector<Change>& changes, Timestamp now);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  ///< source, topic, reason
  struct Entry {
    Change change;
    std::uint64_t saved_times = 0;
  };
  static Key key_of(const DeadLetter& letter) { return {letter.source, letter.topic, letter.reason}; }

  Metric& total_;
  Metric& unrecorded_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> recent_;
};

}  // namespace tidegate::journal
