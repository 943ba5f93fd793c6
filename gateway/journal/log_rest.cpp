#include "gateway/journal/log_rest.h"

#include <algorithm>
#include <numeric>

#include "gateway/journal/reader.h"

namespace tidegate::journal {

LogRest::LogRest(sql::Connection& log, Seq after, Seq last, std::vector<std::size_t> places, Reading& reading,
                 std::size_t most_samples)
    : log_(log),
      after_(after),
      last_(last),
      places_(std::move(places)),
      reading_(reading),
      most_samples_(most_samples) {}

Status LogRest::for_each(const Take& take, Reading& reading) {
  for (Seq at = after_; at < last_;) {
    const auto batches = read_log(log_, at, last_, {});
    if (!batches) return fail(batches.error());
    for (const BatchPtr& batch : *batches) {
      if (batch->gap && batch->gap->why == "retention") {
        return fail(Errc::unavailable, "the log has moved on while it was read; try again, or ask for less at a time");
      }
      if (batch->gap)
        reading.damaged += static_cast<std::uint64_t>(number(batch->gap->last) - number(batch->gap->first) + 1);
      if (!batch->gap) ++reading.batches;
      for (const Sample& sample : batch->samples) {
        if (index(sample.series) < places_.size()) take(places_[index(sample.series)], sample);
      }
      at = batch->seq;
    }
  }
  return {};
}

Status LogRest::count() {
  std::size_t places = 0;
  for (const std::size_t place : places_) places = std::max(places, place + 1);
  counts_.assign(places, 0);
  return for_each([&](std::size_t place, const Sample&) { ++counts_[place]; }, reading_);
}

Status LogRest::load(std::size_t place) {
  const std::size_t all = std::accumulate(counts_.begin(), counts_.end(), std::size_t{0});
  first_ = all <= most_samples_ ? 0 : place;
  std::size_t samples = 0;
  for (end_ = first_; end_ < counts_.size(); ++end_) {
    if (end_ > first_ && samples + counts_[end_] > most_samples_) break;
    samples += counts_[end_];
  }
  starts_.assign(end_ - first_ + 1, 0);
  std::partial_sum(counts_.begin() + static_cast<std::ptrdiff_t>(first_),
                   counts_.begin() + static_cast<std::ptrdiff_t>(end_), starts_.begin() + 1);
  samples_.assign(samples, Sample{});
  std::vector<std::size_t> at = starts_;
  Reading told_when_counted;
  Status status = for_each(
      [&](std::size_t to, Sample sample) {
        if (to < first_ || to >= end_ || at[to - first_] == starts_[to - first_ + 1]) return;
        sample.series = SeriesId{};
        samples_[at[to - first_]++] = sample;
      },
      told_when_counted);
  if (!status) return status;
  for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
    std::stable_sort(samples_.begin() + static_cast<std::ptrdiff_t>(starts_[i]),
                     samples_.begin() + static_cast<std::ptrdiff_t>(starts_[i + 1]),
                     [](const Sample& a, const Sample& b) { return a.time < b.time; });
  }
  return {};
}

Result<std::span<const Sample>> LogRest::of(std::size_t place) {
  if (counts_.empty()) {
    if (Status status = count(); !status) return fail(std::move(status.error()));
  }
  if (place >= counts_.size() || counts_[place] == 0) return std::span<const Sample>{};
  if (place < first_ || place >= end_) {
    if (Status status = load(place); !status) return fail(std::move(status.error()));
  }
  const std::span<const Sample> all(samples_);
  return all.subspan(starts_[place - first_], starts_[place - first_ + 1] - starts_[place - first_]);
}

}  // namespace tidegate::journal
