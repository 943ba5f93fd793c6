#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/types.h"

/// Series in which it is known where something is wrong.
namespace tidegate::bench {

struct Reading {
  Timestamp time;
  double value;
};

/// When something is wrong: from its beginning to its end, both included.
struct Span {
  Timestamp start, end;
};

struct LabelledSeries {
  std::string name;
  std::string type;  ///< of what is wrong in it
  std::vector<Reading> readings;
  std::vector<Span> spans;  ///< in order of time, apart from each other
};

/// What may be wrong with a generated series: drift, step, spike, stuck, drop-out, season, noise; and healthy.
const std::vector<std::string_view>& fault_types();

/// A sensor that is read once a minute for four weeks: level, daily season (one in five has none), slow weather, noise,
/// the steps of its converter; and in the last ten days a fault of the type, once. The same for the same seed.
LabelledSeries faulty_series(std::string_view type, std::uint64_t seed);

/// A healthy sensor with a daily season, read once a second.
LabelledSeries healthy_second_series(std::uint64_t seed, int days);

}  // namespace tidegate::bench
