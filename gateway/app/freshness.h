#pragma once

#include <memory>
#include <shared_mutex>
#include <span>
#include <utility>
#include <vector>

#include "gateway/app/regularity.h"
#include "gateway/core/types.h"

namespace tidegate::app {

/// How often each series speaks, and so when silence makes its value stale. The interval is the one the source expects
/// or, without one, learned from the samples: it follows a longer interval quickly, once it was seen twice (a single
/// one is an outage), and a shorter one slowly, so that a burst does not make a slow sensor look dead. A retained
/// message tells when we connected and not when the device spoke, so it teaches nothing. What is learned so is for the
/// eye. Rules go by an interval that is certain: that of a series which has spoken regularly for a while. The pump
/// writes, once a batch; any thread reads.
class Freshness {
 public:
  /// So far two clocks that are set differ.
  static constexpr Micros kClocksDiffer = std::chrono::seconds(2);
  static constexpr Micros kLeast = std::chrono::seconds(2);
  /// Before an interval was seen twice.
  static constexpr Micros kUnknown = std::chrono::minutes(1);

  /// `interval`: as SeriesInfo has it. `learns`: its source runs and gives none.
  void expect(SeriesId series, Micros interval, bool learns);
  /// `now`: when they came.
  void observe(std::span<const Sample> samples, Timestamp now);
  /// The intervals that are certain since this was last asked, or have become others.
  std::vector<std::pair<SeriesId, Micros>> take_learned();
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
    Timestamp came{};  ///< that one
    Timestamp ahead{};
    Micros expected{0};
    Micros learned{0};
    Micros longer{0};  ///< the last step beyond `learned`, which one more like it makes believed; it fades
    std::unique_ptr<Regularity> regularity;  ///< of one that learns
  };
  static void learn(Entry& known, Micros step);
  Entry& entry(SeriesId series);

  mutable std::shared_mutex mutex_;
  std::vector<Entry> entries_;
  std::vector<std::pair<SeriesId, Micros>> learned_;
};

}  // namespace tidegate::app
