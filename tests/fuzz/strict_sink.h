#pragma once

#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

#include "gateway/core/sink.h"

namespace tidegate::fuzz {

inline void must(bool holds) {
  if (!holds) std::abort();
}

/// Holds every sample to the contract of Sample, and is as strict and as small as the gateway's own.
class StrictSink final : public Sink {
 public:
  Result<SeriesId> series(std::string_view name, const SeriesInfo&) override {
    if (!valid_series_name(name)) return fail(Errc::invalid, "no name");
    if (const auto found = names_.find(std::string(name)); found != names_.end()) return found->second;
    if (names_.size() >= 64) return fail(Errc::full, "full");
    return names_.emplace(name, SeriesId{static_cast<std::uint32_t>(names_.size())}).first->second;
  }
  Result<double> label(SeriesId series, std::string_view text) override {
    must(index(series) < names_.size() && !text.empty() && text.size() <= 255);
    return 1;
  }
  Ticket push(std::span<const Sample> samples) override {
    must(!samples.empty());
    for (const Sample& sample : samples) {
      must(index(sample.series) < names_.size());
      must(std::isfinite(sample.value));
      must(sample.quality != Quality::bad || (sample.value == 0 && sample.reason != Reason::none));
      must(sample.time >= Timestamp{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}});
    }
    return Ticket{1};
  }
  bool wait_committed(Ticket, std::stop_token) override { return true; }
  void report(SourceHealth, std::string_view) override {}
  void reject(std::string_view, std::string_view, std::string_view reason) override { must(!reason.empty()); }

 private:
  std::map<std::string, SeriesId> names_;
};

}  // namespace tidegate::fuzz
