#pragma once

#include <string>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/core/types.h"

namespace tidegate::rules {

/// When a scenario begins: "0s".
inline constexpr Timestamp kScenarioStart{std::chrono::seconds(1'700'000'000)};

struct FedSeries {
  std::string name;
  SeriesInfo info;
  std::vector<std::string> states;
  Micros lag{0};  ///< of its device's clock
};

struct Arrival {
  Timestamp at;
  Sample sample;
};

/// The `series` and `feed` of a scenario.
struct Feed {
  std::vector<FedSeries> series;   ///< a SeriesId is its place
  std::vector<Arrival> arrivals;   ///< in order of time
  Timestamp end = kScenarioStart;  ///< of the last one, or of one that does not come

  SeriesId id_of(const std::string& name);
};

/// What is no sample is told in `failures`, with its place.
Feed read_feed(const config::Node& scenario, std::vector<std::string>& failures);

}  // namespace tidegate::rules
