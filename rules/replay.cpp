#include "rules/replay.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "rules/message.h"

namespace tidegate::rules {
namespace {

/// Shorter than Engine::kMaxUnwatched: a longer time without a call is one in which nobody watched.
constexpr Micros kTick = std::chrono::seconds(30);

/// The others look at all that is declared, and the engine knows which of it is of the same thing.
std::vector<Rule> narrowed(std::vector<Rule> rules, std::size_t subject, std::string_view series) {
  rules[subject].series = rules[subject].series.only(std::string(series));
  return rules;
}

std::vector<Rule> joined(std::vector<Rule> made, std::vector<Rule> rules) {
  std::move(rules.begin(), rules.end(), std::back_inserter(made));
  return made;
}

}  // namespace

Replay::Replay(std::vector<Rule> rules, std::size_t subject, std::string_view series, std::vector<Interval> unwatched,
               Makes makes)
    : alert_(alert_id(rules.at(subject), series)),
      subject_(subject),
      made_(std::move(makes.series)),
      engine_(joined(std::move(makes.rules), narrowed(std::move(rules), subject, series))),
      unwatched_(std::move(unwatched)) {}

void Replay::declare(SeriesId id, std::string_view name, const SeriesInfo& info, std::span<const std::string> labels,
                     Timestamp now) {
  engine_.declare(id, name, info, labels, now, out_);
  declare_made(now);
}

/// As the pump does. What is made from no series in particular is asked for by its own name.
void Replay::declare_made(Timestamp now) {
  if (!std::exchange(has_begun_, true)) {
    for (const std::string& name : engine_.literal_series()) {
      if (const auto known = made_.find(name); known != made_.end())
        engine_.declare(known->second, name, {}, {}, now, out_);
    }
  }
  for (auto made = engine_.take_made_series(); !made.empty(); made = engine_.take_made_series()) {
    for (const MadeSeries& one : made) {
      if (const auto known = made_.find(one.name); known != made_.end())
        engine_.declare(known->second, one.name, one.info, {}, now, out_);
    }
  }
}

void Replay::recall(SeriesId id, const Sample& newest) {
  Sample sample = newest;
  sample.series = id;
  engine_.warm({&sample, 1});
}

void Replay::observe(SeriesId id, std::span<const Sample> samples) {
  for (Sample sample : samples) {
    sample.series = id;
    pass(sample.time);
    engine_.observe({&sample, 1}, *now_, out_);
    take();
  }
}

void Replay::finish(Timestamp until) {
  if (!now_) return;
  pass(until);
  tick(*now_);
  if (firings_.empty() || firings_.back().is_over) return;
  firings_.back().ended = std::max(until, firings_.back().raised);
}

/// Where the gateway was off nobody looks.
void Replay::pass(Timestamp until) {
  if (!now_) now_ = until;
  for (; passed_ < unwatched_.size() && unwatched_[passed_].from < until; ++passed_) {
    const Interval& whole = unwatched_[passed_];
    const Interval gap{std::max(*now_, whole.from), std::min(whole.to, until)};
    if (gap.to <= *now_) continue;
    tick_until(gap.from);
    tick(*now_);  // until here it watched
    now_ = gap.to;
    // What is longer the engine sees by itself.
    if (gap.to - gap.from <= Engine::kMaxUnwatched) engine_.unwatched(gap);
    if (gap.to < whole.to) return;  // a sample out of the time when it was off: the rest is still to come
  }
  tick_until(until);
}

/// What ends before then has ended; what ends at that very moment waits for the sample that may come.
void Replay::tick_until(Timestamp until) {
  if (until <= *now_) return;
  for (Timestamp at = *now_ + kTick; at < until; at += kTick) tick(at);
  tick(until - Micros{1});
  now_ = until;
}

void Replay::tick(Timestamp now) {
  engine_.tick(now, out_);
  take();
}

void Replay::take() {
  for (const Event& event : out_.events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (transition != nullptr && transition->alert.id == alert_) take(event.time, *transition);
  }
  out_.clear();
}

void Replay::take(Timestamp at, const AlertTransition& transition) {
  const AlertRecord& alert = transition.alert;
  if (!raised(transition.from) && raised(alert.phase)) {
    firings_.push_back({at, at, false, alert.value, alert.message, alert.suppressed_by});
    return;
  }
  if (firings_.empty() || firings_.back().is_over) return;
  if (!raised(alert.phase)) {
    firings_.back().ended = at;
    firings_.back().is_over = true;
  } else if (alert.suppressed_by.empty()) {
    firings_.back().suppressed_by.clear();
  }
}

std::string Replay::problem() const {
  auto problems = engine_.status().at(subject_).problems;
  for (const Engine::RuleStatus& made : engine_.derived_status())
    problems.insert(problems.end(), made.problems.begin(), made.problems.end());
  return problems.empty() ? std::string() : problems.front();
}

}  // namespace tidegate::rules
