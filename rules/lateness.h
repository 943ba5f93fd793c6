#pragma once

#include <cstddef>
#include <optional>

#include "gateway/core/types.h"
#include "rules/detector.h"
#include "rules/ring.h"

namespace tidegate::rules {

/// Samples that a rule has not looked at yet, because an older one may come: `allowed_lateness`. In order of time they
/// leave when a sample is so much newer, or when they have waited for as long by the gateway's clock, whichever comes
/// first. One that is later than all that are held costs O(1), another as much as are of its time or later. Not
/// thread-safe.
class Lateness {
 public:
  struct Held {
    Sample sample;
    Timestamp arrived;
    enum class Origin : std::uint8_t { now, told, remembered } origin;  ///< after a restart: with its arrival, without
  };
  /// So many at most; beyond it the oldest leaves too early.
  static constexpr std::size_t kMost = 4'096;

  explicit Lateness(Micros allowed) : allowed_(allowed) {}

  /// False: it is later than allowed.
  bool add(const Held& held);
  /// The oldest, where nothing that is older can be taken any more; by the gateway's clock it is `now`.
  std::optional<Held> next(Timestamp now);
  /// All with `time <= until`, one after the other: something ends there.
  std::optional<Held> next_until(Timestamp until);
  /// When next() gives something without another sample.
  Timestamp wake() const;
  /// Something has left already.
  bool has_begun() const { return last_.has_value(); }
  Micros allowed() const { return allowed_; }

 private:
  /// What of it and all that are later came first tells wake() of the oldest.
  struct Waiting : Held {
    Timestamp first_arrived{};
  };

  bool came_already(const Sample& sample, std::size_t place) const;
  std::optional<Held> take();

  Micros allowed_;
  Ring<Waiting> held_;  ///< the oldest first; of one time in the order in which they came
  std::optional<Held> last_;
  Timestamp newest_ = Timestamp::min();
};

}  // namespace tidegate::rules
