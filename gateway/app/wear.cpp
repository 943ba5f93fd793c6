#include "gateway/app/wear.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "gateway/core/seconds.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr Micros kStep = 10s;
constexpr Micros kLeast = 60s;
constexpr double kDaySeconds = 86'400;
constexpr double kYearDays = 365.25;

}  // namespace

Wear::Wear(Metrics& metrics, std::uint64_t endurance)
    : endurance_(static_cast<double>(endurance)),
      written_(metrics.counter("storage/written_bytes", "bytes", "Bytes written to the disk.")),
      per_sample_(metrics.gauge("storage/written_bytes_per_sample", "bytes",
                                "Bytes written to the disk for each sample stored, over ten minutes.")),
      life_(metrics.gauge("storage/card_life", "s", "How long storage.endurance lasts at this rate; 0: not known.")) {}

void Wear::measure(Timestamp now, double written, double samples) {
  written_.set(written);
  const Point newest{now, written, samples};
  const Point& last = points_[(taken_ + points_.size() - 1) % points_.size()];
  if (taken_ == 0 || now - last.time >= kStep) points_[taken_++ % points_.size()] = newest;
  const Point& oldest = taken_ > points_.size() ? points_[taken_ % points_.size()] : points_[0];
  const double more_samples = newest.samples - oldest.samples;
  const double more_bytes = newest.written - oldest.written;
  figures_.reset();
  if (now - oldest.time >= kLeast && more_samples > 0 && more_bytes > 0) {
    const double a_day = more_bytes / seconds(now - oldest.time) * kDaySeconds;
    figures_ = Figures{more_bytes / more_samples, a_day, endurance_ / a_day / kYearDays};
  }
  per_sample_.set(figures_ ? figures_->bytes_a_sample : 0);
  life_.set(figures_ ? figures_->life_years * kYearDays * kDaySeconds : 0);
}

double bytes_written_to_disk() {
  std::ifstream io("/proc/self/io");
  double value = 0;
  for (std::string key; io >> key >> value;) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

}  // namespace tidegate::app
