#include "rules/replay.h"

#include <algorithm>

#include "rules/message.h"

namespace tidegate::rules {
namespace {

/// Shorter than Engine::kMaxUnwatched: a longer time without a call is one in which nobody watched.
constexpr Micros kTick = std::chrono::seconds(30);

}  // namespace

Replay::Replay(const Rule& rule, std::string_view series, const SeriesInfo& info, std::span<const std::string> labels,
               std::vector<Interval> unwatched)
    : engine_({rule}),
      alert_(alert_id(rule, series)),
      series_(series),
      info_(info),
      labels_(labels.begin(), labels.end()),
      unwatched_(std::move(unwatched)) {}

void Replay::observe(std::span<const Sample> samples) {
  for (Sample sample : samples) {
    sample.series = SeriesId{0};
    if (!now_) {
      engine_.declare(sample.series, series_, info_, labels_, sample.time, out_);
      if (const auto status = engine_.status().at(0); !status.problems.empty()) problem_ = status.problems[0];
    }
    pass(sample.time);
    engine_.observe({&sample, 1}, *now_, out_);
    take();
  }
}

void Replay::finish(Timestamp until) {
  if (!now_) return;
  pass(until);
  engine_.tick(*now_, out_);
  take();
  if (firings_.empty() || firings_.back().is_over) return;
  firings_.back().ended = std::max(until, firings_.back().raised);
}

/// Where the gateway was off nobody looks.
void Replay::pass(Timestamp until) {
  if (!now_) now_ = until;
  for (const Interval& gap : unwatched_) {
    if (gap.to <= *now_ || gap.from >= until) continue;
    tick_until(std::max(*now_, gap.from));
    engine_.tick(*now_, out_);  // until here it watched
    take();
    now_ = std::min(gap.to, until);
    // What is longer the engine sees by itself.
    if (gap.to - gap.from <= Engine::kMaxUnwatched) engine_.unwatched(gap);
  }
  tick_until(until);
}

void Replay::tick_until(Timestamp until) {
  for (Timestamp at = *now_ + kTick; at < until; at += kTick) {
    engine_.tick(at, out_);
    take();
  }
  now_ = std::max(*now_, until);
}

void Replay::take() {
  for (const Event& event : out_.events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition == nullptr) continue;
    if (raised(transition->alert.phase)) {
      firings_.push_back({event.time, event.time, false, transition->alert.value, transition->alert.message});
    } else if (!firings_.empty() && !firings_.back().is_over) {
      firings_.back().ended = event.time;
      firings_.back().is_over = true;
    }
  }
  out_.clear();
}

}  // namespace tidegate::rules
