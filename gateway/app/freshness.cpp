#include "gateway/app/freshness.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace tidegate::app {
namespace {

/// Most of what a sample may seem to have been on its way.
constexpr Micros kOnItsWay = std::chrono::minutes(1);

}  // namespace

Freshness::Entry& Freshness::entry(SeriesId series) {
  if (index(series) >= entries_.size()) entries_.resize(index(series) + 1);
  return entries_[index(series)];
}

void Freshness::expect(SeriesId series, Micros interval, bool learns) {
  const std::unique_lock lock(mutex_);
  Entry& known = entry(series);
  known.expected = interval;
  if (learns != (known.regularity != nullptr)) known.regularity = learns ? std::make_unique<Regularity>() : nullptr;
  if (learns) known.regularity->begin_with(interval);
}

std::vector<std::pair<SeriesId, Micros>> Freshness::take_learned() {
  const std::unique_lock lock(mutex_);
  return std::exchange(learned_, {});
}

void Freshness::observe(std::span<const Sample> samples, Timestamp now) {
  const std::unique_lock lock(mutex_);
  for (const Sample& sample : samples) {
    if (sample.time > now + kClocksDiffer) {
      Entry& wrong = entry(sample.series);
      wrong.ahead = std::max(wrong.ahead, sample.time);
    }
    if (sample.reason == Reason::retained) continue;
    Entry& known = entry(sample.series);
    const Micros step = sample.time - known.last;
    if (step <= Micros{0}) continue;
    if (known.last != Timestamp{}) {
      learn(known, step);
      // What is long on its way is as old when the next comes as it ever was. Of a clock that is wrong that says
      // nothing.
      if (known.regularity) {
        const Micros passed = std::max(Micros{0}, now - known.came);
        const Micros waited = std::max(step, std::min(now - known.last, passed + kOnItsWay));
        const auto interval = known.regularity->add(waited, passed);
        if (interval) learned_.emplace_back(sample.series, *interval);
      }
    }
    known.last = sample.time;
    known.came = now;
  }
}

void Freshness::forget_last() {
  const std::unique_lock lock(mutex_);
  for (Entry& entry : entries_) entry.last = Timestamp{};
}

void Freshness::learn(Entry& known, Micros step) {
  if (step <= known.learned) {
    known.learned += (step - known.learned) / 8;
    known.longer += (step - known.longer) / 8;
    return;
  }
  const Micros believed = std::min(step, known.longer);
  known.longer = step;
  if (believed <= known.learned) return;
  known.learned += known.learned == Micros{0} ? believed : (believed - known.learned) / 2;
}

Micros Freshness::stale_after(SeriesId series) const {
  const std::shared_lock lock(mutex_);
  if (index(series) >= entries_.size()) return kUnknown;
  const Entry& known = entries_[index(series)];
  const Micros interval = known.expected > Micros{0} ? known.expected : known.learned;
  return interval == Micros{0} ? kUnknown : std::max(kLeast, 3 * interval);
}

Timestamp Freshness::ahead(SeriesId series) const {
  const std::shared_lock lock(mutex_);
  return index(series) < entries_.size() ? entries_[index(series)].ahead : Timestamp{};
}

}  // namespace tidegate::app
