#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "gateway/core/types.h"

namespace tidegate::rules {

/// The samples of one cell.
struct CellMean {
  double first = 0, sum = 0;  ///< `sum` above `first`
  double count = 0;

  void add(double value) {
    if (count == 0) first = value;
    sum += value - first;
    ++count;
  }
  /// NaN where it had none.
  double mean() const { return count > 0 ? first + sum / count : std::numeric_limits<double>::quiet_NaN(); }
};

/// What is usual at a time of the season (the day), by cells of 1/96 of it, 15 minutes of a day, which lie where a
/// clock puts them: the level of the last season, and how far from it each time of the season usually is. Bounded: 96
/// doubles and 768 floats.
class SeasonCells {
 public:
  static constexpr std::int64_t kCells = 96;  ///< a season
  static constexpr std::int64_t kSeasons = 7;

  /// What differs from the level by less than `low` or more than `high` is unusual for this time of the season.
  struct Usual {
    double low, high;
  };

  explicit SeasonCells(Micros season);

  std::int64_t cell(Timestamp time) const;
  Micros width() const { return season_ / kCells; }

  /// The mean of the next cell, in turn; NaN where it had none.
  void push(double mean);
  /// Forgets all; the next cell will be `cell`.
  void restart(std::int64_t cell);

  /// Of the cell that comes next: the mean of the last season's cells, a tenth at either end left out. Nothing before
  /// three quarters of a season were seen.
  std::optional<double> level() const { return level_; }
  /// Likewise. Medians over the seasons of this cell and its neighbours, since nothing comes at the minute; and what
  /// the same cells were seven seasons ago, which of a day is the same weekday. Nothing before the second season.
  std::optional<Usual> usual() const;
  /// What the next cell will be: the level, and the median over the seasons of how far this cell was from it; where it
  /// never had a sample, its neighbours. Nothing before the second season.
  std::optional<double> expected() const;

 private:
  /// Of a cell over the seasons before the next one; NaN where it had no samples.
  float median_offset(std::int64_t cell) const;
  std::optional<double> level_of_last_season();
  /// Of a cell in a ring; there are cells before 1970.
  static std::size_t slot(std::int64_t cell, std::int64_t ring) {
    return static_cast<std::size_t>((cell % ring + ring) % ring);
  }
  float& offset(std::int64_t cell) { return offsets_[slot(cell, kKept)]; }
  float offset(std::int64_t cell) const { return offsets_[slot(cell, kKept)]; }

  static constexpr std::int64_t kKept = kCells * (kSeasons + 1);

  Micros season_;
  std::int64_t next_ = 0;
  std::vector<double> means_;   ///< by cell % kCells
  std::vector<float> offsets_;  ///< means less the level of their time, by cell % kKept
  std::optional<double> level_;
};

}  // namespace tidegate::rules
