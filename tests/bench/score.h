#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tests/bench/labelled_series.h"

/// How good a detector was, from what it said and what was wrong.
namespace tidegate::bench {

/// Alarms against the faults.
struct Tally {
  std::size_t alarms = 0, right = 0;  ///< alarms, and those within a fault
  std::size_t faults = 0, found = 0;
  double days = 0;              ///< that were judged
  std::vector<double> delays;   ///< from a fault's beginning to its first alarm, in seconds
  double precision() const;     ///< 1 without alarms
  double recall() const;        ///< 1 without faults
  double median_delay() const;  ///< NaN where nothing was found
  double false_alarms_a_day() const;
  void add(const Tally& other);
};

/// `alarms` are the times at which one was raised, in order; only what is at `from` or later counts.
Tally tally(std::span<const Timestamp> alarms, std::span<const Span> faults, Timestamp from, Timestamp until);

/// A series' scores, one for each reading, for the standard score.
struct Scored {
  std::vector<Timestamp> times;
  std::vector<double> scores;
  std::vector<Span> spans;  ///< in order of time, apart from each other
};

struct Standard {
  double score;      ///< 0: nothing was ever said; 100: each fault at its beginning, and nothing else
  double threshold;  ///< from which on a reading counts as found; infinite where the best is to say nothing
};

/// The score of the Numenta Anomaly Benchmark, profile "standard" (A. Lavin, S. Ahmad, *Evaluating Real-Time Anomaly
/// Detection Algorithms*, 2015): a found window counts the more the earlier it is found (a sigmoid over its readings),
/// a missed one costs 1, a reading outside costs up to 0.11; the first 15 % of a file (of 5,000 readings at most) do
/// not count. The threshold is the best one, one for all files.
Standard standard_score(std::span<const Scored> files);

}  // namespace tidegate::bench
