#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rules/detector.h"
#include "tests/bench/labelled_series.h"

/// The detectors that are compared.
namespace tidegate::bench {

struct Contender {
  std::string name;
  std::string rule;  ///< its settings: those of the product's detectors as in a rules file
  /// Made anew for each series; `first` are the readings that do not count, for the one whose limits a person sets who
  /// has looked at them.
  std::function<std::unique_ptr<rules::Detector>(std::span<const Reading> first)> make;
  bool is_graded = true;  ///< the size of what it finds says how odd it is; else it says only yes or no
  double limit = 1;       ///< the score from which on it raises an alarm
};

/// The product's kinds with their defaults, as its rules file compiles them, and two simple alternatives: limits set
/// once (the product's `threshold`), and a normal distribution over a sliding window.
const std::vector<Contender>& contenders();

/// What one said of a series.
struct Judged {
  std::vector<double> scores;     ///< one for each reading, 0 where it does not know
  std::vector<Timestamp> alarms;  ///< when it raised one, by its own limit
};

/// `first` readings do not count. Readings that are not finite, or older than the one before, are not shown to it, as
/// in the gateway.
Judged judge(const Contender& contender, std::span<const Reading> readings, std::size_t first);

/// So many readings of a series of this length do not count: 15 %, at most 750.
std::size_t probation(std::size_t readings);

}  // namespace tidegate::bench
