#include "gateway/journal/merged_scan.h"

#include <algorithm>

namespace tidegate::journal {

MergedScan::MergedScan(StoreView& view, std::span<const std::size_t> places, Timestamp from, Timestamp to,
                       std::stop_token stop)
    : read_(places.size()) {
  for (const std::size_t place : places) scans_.emplace_back(view, Selection{{place}, from, to}, stop);
}

/// Of the series whose next sample is the first of all, all that come before the next one of another series.
Result<MergedScan::Portion> MergedScan::next() {
  for (; begun_ < scans_.size(); ++begun_) {
    if (Status status = put_back(begun_); !status) return fail(std::move(status.error()));
  }
  if (handed_out_) {
    if (Status status = put_back(*handed_out_); !status) return fail(std::move(status.error()));
    handed_out_.reset();
  }
  if (heads_.empty()) return Portion{};
  const std::size_t input = heads_.top().input;
  heads_.pop();
  std::span<const Sample>& samples = read_[input];
  std::size_t count = samples.size();
  if (!heads_.empty()) {
    const auto is_before = [&](const Sample& sample) { return heads_.top() > Head{sample.time, input}; };
    count = static_cast<std::size_t>(std::find_if_not(samples.begin(), samples.end(), is_before) - samples.begin());
  }
  const Portion portion{input, samples.first(count)};
  samples = samples.subspan(count);
  handed_out_ = input;
  return portion;
}

/// Where more of the series is to come, it waits for its turn.
Status MergedScan::put_back(std::size_t input) {
  if (read_[input].empty()) {
    const auto portion = scans_[input].next();
    if (!portion) return fail(portion.error());
    read_[input] = portion->samples;
  }
  if (!read_[input].empty()) heads_.push({read_[input].front().time, input});
  return {};
}

}  // namespace tidegate::journal
