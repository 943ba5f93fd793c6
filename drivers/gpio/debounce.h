#pragma once

#include <optional>

#include "gateway/core/types.h"

namespace tidegate::drivers::gpio {

/// A level that has lasted: an edge counts when none has followed it for a while. Times do not run backwards.
class Debounce {
 public:
  struct Change {
    bool active;
    Timestamp at;  ///< of the edge that began it
  };

  explicit Debounce(Micros quiet) : quiet_(quiet) {}
  /// Forgets all; the level is this one from now on.
  void begin(bool active);
  bool active() const { return active_; }
  /// What became certain by this edge.
  std::optional<Change> edge(bool active, Timestamp at);
  /// What became certain by the time.
  std::optional<Change> settle(Timestamp now);
  /// When settle() is worth a call.
  std::optional<Timestamp> due() const;

 private:
  Micros quiet_;
  bool active_ = false;
  std::optional<Timestamp> since_;  ///< of an edge to the other level that has not lasted yet
};

}  // namespace tidegate::drivers::gpio
