#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "drivers/report.h"

namespace tidegate::app {

/// What a source's own `report` leaves of its samples, of every series that it makes: points that are listed and
/// points that are found, in whatever way they come. Any thread.
class SourceReport {
 public:
  explicit SourceReport(drivers::Report report) : report_(report) {}

  /// The longest between two samples of a series whose readings come each `expected`; as SeriesInfo has both.
  Micros longest(Micros expected) const { return report_.longest(expected); }
  void choose(SeriesId series, SeriesKind kind);
  /// A point with a `report` of its own.
  void leave(SeriesId series);
  /// Those that are reported, of what a source delivers; `kept` is where they stand.
  std::span<const Sample> of(std::span<const Sample> samples, std::vector<Sample>& kept);

 private:
  struct Chosen {
    SeriesKind kind;
    drivers::ReportFilter filter;
  };
  const drivers::Report report_;
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, Chosen> chosen_;
};

/// Null where the section's `report` is `every`.
std::unique_ptr<SourceReport> make_source_report(const config::Node& section);

}  // namespace tidegate::app
