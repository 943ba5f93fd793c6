#pragma once

#include <limits>

#include "rules/season_cells.h"

namespace tidegate::rules::expr {

/// What samples are at a time of a season, as far as it has been seen: at the time of the newest one, so that this and
/// what is usual can be compared. In a cell of the season it stands still; the samples of that cell count from the next
/// one on.
class Season {
 public:
  /// So many seasons of samples decide what it says.
  static constexpr int kLookback = SeasonCells::kSeasons + 2;

  explicit Season(Micros period) : cells_(period) {}

  void add(Timestamp time, double value) {
    if (const std::int64_t cell = cells_.cell(time); cell != cell_ || is_empty_) move_to(cell);
    now_.add(value);
  }
  /// NaN where it is not known.
  double expected() const { return expected_; }

 private:
  /// What it says follows from the samples of so many whole cells.
  static constexpr std::int64_t kRemembered = SeasonCells::kCells * (SeasonCells::kSeasons + 1);

  void move_to(std::int64_t cell) {
    if (is_empty_ || cell - cell_ > kRemembered) {
      is_empty_ = false;
      cell_ = cell;
      cells_.restart(cell);
      now_ = {};
    }
    for (; cell_ < cell; ++cell_) {
      cells_.push(now_.mean());
      now_ = {};
    }
    expected_ = cells_.expected().value_or(std::numeric_limits<double>::quiet_NaN());
  }

  SeasonCells cells_;
  CellMean now_;
  std::int64_t cell_ = 0;  ///< that `now_` is of
  bool is_empty_ = true;
  double expected_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace tidegate::rules::expr
