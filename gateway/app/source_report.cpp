#include "gateway/app/source_report.h"

#include <algorithm>
#include <iterator>

namespace tidegate::app {

void SourceReport::choose(SeriesId series, SeriesKind kind) {
  const std::lock_guard lock(mutex_);
  const auto found = chosen_.find(static_cast<std::uint32_t>(series));
  if (found != chosen_.end() && found->second.kind == kind) return;
  chosen_.insert_or_assign(static_cast<std::uint32_t>(series), Chosen{kind, drivers::ReportFilter(report_.of(kind))});
}

void SourceReport::leave(SeriesId series) {
  const std::lock_guard lock(mutex_);
  chosen_.erase(static_cast<std::uint32_t>(series));
}

std::span<const Sample> SourceReport::of(std::span<const Sample> samples, std::vector<Sample>& kept) {
  kept.reserve(samples.size());
  const std::lock_guard lock(mutex_);
  std::copy_if(samples.begin(), samples.end(), std::back_inserter(kept), [&](const Sample& sample) {
    const auto chosen = chosen_.find(static_cast<std::uint32_t>(sample.series));
    return chosen == chosen_.end() || chosen->second.filter.passes(sample);
  });
  return kept;
}

std::unique_ptr<SourceReport> make_source_report(const config::Node& section) {
  const drivers::Report report = drivers::read_report(section["report"]);
  return report.every ? nullptr : std::make_unique<SourceReport>(report);
}

}  // namespace tidegate::app
