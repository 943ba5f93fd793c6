#pragma once

#include <shared_mutex>
#include <span>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::app {

/// How often each series speaks, and so when silence makes its value stale. The interval is the one the source expects
/// or, without one, learned from the samples: it follows a longer interval quickly, once it was seen twice (a single
/// one is an outage), and a shorter one slowly, so that a burst does not make a slow sensor look dead. A retained
/// message tells when we connected and not when the device spoke, so it teaches nothing. The pump writes, once a batch;
/// any thread reads.
class Freshness {
 public:
  /// So far two clocks that are set differ.
  static constexpr Micros kClocksDiffer = std::chrono::seconds(2);
  static constexpr Micros kLeast = std::chrono::seconds(2);
  /// Before an interval was seen twice.
  static constexpr Micros kUnknown = std::chrono::minutes(1);

  void expect(SeriesId series, Micros interval);
  /// `now`: when they came.
  void observe(std::span<const Sample> samples, Timestamp now);
  /// The clock was set: the next interval of each series is none.
  void forget_last();
  /// Three intervals, at least kLeast.
  Micros stale_after(SeriesId series) const;
  /// The newest time of the series that was ahead of the gateway's clock when it came; epoch 0: none. Up to there
  /// nobody knows in which order its values were so.
  Timestamp ahead(SeriesId series) const;

 private:
  struct Entry {
    Timestamp last{};
    Timestamp ahead{};
    Micros expected{0};
    Micros learned{0};
    Micros longer{0};  ///< the last step beyond `learned`, which one more like it makes believed; it fades
  };
  static void learn(Entry& known, Micros step);
  Entry& entry(SeriesId series);

  mutable std::shared_mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace tidegate::app
