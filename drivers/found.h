#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/driver.h"

namespace tidegate::drivers {

/// A value of a sensor that the kernel shows.
struct Found {
  std::string id;     ///< by which people know it, and the series' name where nothing else is said: cpu_thermal/temp1
  std::string other;  ///< a longer id that no second device can have; "" where there is none
  std::string unit;
  SeriesKind kind = SeriesKind::number;
  Result<double> value = 0;  ///< the error says why it is none; Errc::corrupt: the sensor says so itself
};

/// Looks for sensors, which come, go and are renumbered as they like. One thread.
class Finder {
 public:
  virtual ~Finder() = default;
  /// All that are there, each with its value. An error: there is no place to look at. After a stop nobody asks what was
  /// found, so that one that takes long may end early.
  virtual Status find(std::vector<Found>& out, const std::stop_token& stop) = 0;
};

/// The options of a source that finds its sensors: every, prefix, root, points, others.
std::vector<config::Shape::Field> finding_fields(std::string_view every, Micros shortest, std::string_view example);

/// A source of what the finder finds: the points that are listed, under their names, and the others under their ids.
/// What is listed and not there is bad each time; of the others the last is bad once, then there is silence.
std::unique_ptr<Driver> make_finding(const config::Node& section, std::unique_ptr<Finder> finder,
                                     const Context& context, config::Problems& problems);

}  // namespace tidegate::drivers
