#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "gateway/core/metrics.h"
#include "gateway/core/types.h"

namespace tidegate::app {

/// What storing costs the flash: the bytes that this process makes the kernel write, against the samples that it
/// stores, over the last ten minutes. What the card itself makes of a write is not in it. Main thread; `view` any.
class Wear {
 public:
  /// `endurance`: the bytes that may be written to the card in its life.
  Wear(Metrics& metrics, std::uint64_t endurance);

  /// About once a second: bytes written and samples stored since the start.
  void measure(Timestamp now, double written, double samples);

  struct Figures {
    double bytes_a_sample = 0, bytes_a_day = 0, life_years = 0;
  };
  /// Nothing in the first minute, and while nothing is written or stored.
  const std::optional<Figures>& figures() const { return figures_; }

 private:
  struct Point {
    Timestamp time{};
    double written = 0, samples = 0;
  };

  const double endurance_;
  std::array<Point, 61> points_{};  ///< a ring, one each ten seconds
  std::size_t taken_ = 0;
  std::optional<Figures> figures_;
  Metric &written_, &per_sample_, &life_;
};

/// Bytes that this process made the kernel send to a disk; 0 where the kernel does not count them.
double bytes_written_to_disk();

}  // namespace tidegate::app
