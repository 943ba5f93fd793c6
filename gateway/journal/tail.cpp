#include "gateway/journal/tail.h"

namespace tidegate::journal {
namespace {

/// An event or an alert record with its strings, roughly.
constexpr std::size_t kEventBytes = 768;

std::size_t bytes_of(const Batch& batch) {
  return sizeof(Batch) + batch.samples.capacity() * sizeof(Sample) +
         (batch.events.capacity() + batch.alerts.capacity()) * kEventBytes;
}

}  // namespace

void Tail::restore(Seq first, Seq last, std::span<const Sample> latest) {
  const std::lock_guard lock(mutex_);
  first_ = first;
  last_ = last;
  for (const Sample& sample : latest) note(sample);
}

void Tail::publish(const BatchPtr& batch) {
  {
    const std::lock_guard lock(mutex_);
    last_ = batch->seq;
    for (const Sample& sample : batch->samples) note(sample);
    batches_.push_back(batch);
    bytes_ += bytes_of(*batch);
    while (bytes_ > max_bytes_ && !batches_.empty()) {
      bytes_ -= bytes_of(*batches_.front());
      batches_.pop_front();
    }
  }
  published_.notify_all();
}

void Tail::restamp(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const Sample& sample : batch.samples) note(sample);
  if (batch.seq < oldest() || batch.seq > last_) return;
  BatchPtr& cached = batches_[static_cast<std::size_t>(number(batch.seq) - number(oldest()))];
  auto changed = std::make_shared<Batch>(*cached);
  changed->committed = batch.committed;
  changed->samples = batch.samples;
  bytes_ += bytes_of(*changed);
  bytes_ -= bytes_of(*cached);
  cached = std::move(changed);
}

void Tail::retire(Seq first) {
  const std::lock_guard lock(mutex_);
  first_ = first;
  while (!batches_.empty() && batches_.front()->seq < first) {
    bytes_ -= bytes_of(*batches_.front());
    batches_.pop_front();
  }
}

Tail::Ends Tail::ends() const {
  const std::lock_guard lock(mutex_);
  return {first_, last_};
}

bool Tail::wait(Seq after, Micros timeout, std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  return published_.wait_for(lock, stop, timeout, [&] { return last_ > after; });
}

Seq Tail::oldest() const { return batches_.empty() ? next(last_) : batches_.front()->seq; }

Seq Tail::oldest_cached() const {
  const std::lock_guard lock(mutex_);
  return oldest();
}

std::vector<BatchPtr> Tail::after(Seq after, const ReadLimits& limits) const {
  const std::lock_guard lock(mutex_);
  std::vector<BatchPtr> found;
  if (next(after) < oldest() || after >= last_) return found;
  std::size_t samples = 0;
  for (auto at = static_cast<std::size_t>(number(next(after)) - number(oldest())); at < batches_.size(); ++at) {
    samples += batches_[at]->samples.size();
    if (!found.empty() && (found.size() >= limits.max_batches || samples > limits.max_samples)) break;
    found.push_back(batches_[at]);
  }
  return found;
}

std::vector<Sample> Tail::latest(std::size_t series) const {
  std::vector<Sample> latest;
  {
    const std::lock_guard lock(mutex_);
    latest = latest_;
  }
  for (std::size_t id = latest.size(); id < series; ++id) {
    latest.push_back({.series = SeriesId{static_cast<std::uint32_t>(id)}});
  }
  return latest;
}

void Tail::note(const Sample& sample) {
  const std::size_t at = index(sample.series);
  while (latest_.size() <= at) latest_.push_back({.series = SeriesId{static_cast<std::uint32_t>(latest_.size())}});
  if (sample.time >= latest_[at].time) latest_[at] = sample;
}

}  // namespace tidegate::journal
