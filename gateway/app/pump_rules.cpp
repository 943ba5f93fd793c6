// How the pump takes up rules, at the start and later: their detectors and alerts are made again of what is stored.

#include <algorithm>

#include "gateway/app/pump.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

/// Among so many of the newest events a start looks for the times in which nobody watched.
constexpr std::size_t kEventsLookedAt = 10'000;

}  // namespace

void Pump::recover(std::vector<rules::Rule> rules) {
  std::vector<rules::Interval> unwatched = unwatched_times();
  const Timestamp now = clock_.now(), left_off = journal_.left_off();
  if (left_off != Timestamp{} && left_off < now) {
    unwatched.push_back({left_off, now});
    batch_.events.push_back({now, Unwatched{left_off}});
    urgent_ = true;
  }
  if (!adopt(rules, unwatched)) use_later(std::move(rules));
  mark_ = {Ticket{intake_.stats().accepted}, now};
}

/// Oldest first, as far back as the newest events tell.
std::vector<rules::Interval> Pump::unwatched_times() const {
  std::vector<rules::Interval> times;
  const auto events = journal_.events({.limit = kEventsLookedAt, .newest_first = true});
  if (!events) return times;
  for (const auto& [seq, ordinal, damaged, event] : *events) {
    if (const auto* gap = std::get_if<Unwatched>(&event.body)) times.push_back({gap->since, event.time});
  }
  std::reverse(times.begin(), times.end());
  return times;
}

/// What was told of alerts lately, oldest first, with the time at which somebody was called for it: the rules count by
/// it.
std::vector<Event> Pump::told_lately() const {
  std::vector<Event> told;
  const auto events = journal_.events({.limit = kEventsLookedAt, .newest_first = true, .alerts_only = true});
  if (!events) return told;
  const Timestamp now = clock_.now();
  Timestamp from = now - std::max(rules::Engine::kToldFor, engine_.lookback(now));
  const auto is_flood = [](const auto& entry) { return std::holds_alternative<Flood>(entry.event.body); };
  if (const auto newest = std::find_if(events->begin(), events->end(), is_flood); newest != events->end()) {
    const Flood& flood = std::get<Flood>(newest->event.body);
    if (flood.on) from = std::min(from, flood.since - Micros{1});
  }
  for (const auto& [seq, ordinal, damaged, event] : *events) {
    const auto commit = journal_.commit_of(seq);
    const Timestamp told_at = std::min(commit ? commit->time : event.time, now);
    if (told_at <= from) break;
    if (event.time <= now) told.push_back({rules::called_at(event.time, told_at), event.body});
  }
  std::reverse(told.begin(), told.end());
  return told;
}

/// False: the alerts' state cannot be read, and nothing has changed, since without it every alert would be forgotten.
bool Pump::adopt(std::vector<rules::Rule>& rules, const std::vector<rules::Interval>& unwatched) {
  const auto alerts = journal_.alerts();
  if (!alerts) {
    tell("the alerts' state cannot be read: " + alerts.error().text);
    return false;
  }
  engine_ = rules::Engine(std::move(rules), engine_);
  intern_literal_series();
  declared_version_ = 0;
  declare_new_series();
  for (const rules::Interval& gap : unwatched) engine_.unwatched(gap);
  engine_.told(told_lately());
  engine_.restore(*alerts, clock_.now(), output_);
  collect();
  warm();
  return true;
}

/// A sensor that a rule names must be missed even if it never speaks, so it gets its id now.
void Pump::intern_literal_series() {
  for (const std::string& name : engine_.literal_series()) {
    if (journal_.catalogue().find(name)) continue;
    if (const auto made = journal_.catalogue().intern(name, SeriesInfo{}); !made) {
      batch_.events.push_back(
          {clock_.now(), Notice{"configuration", "a rule cannot watch what it names: " + made.error().text}});
    }
  }
}

/// Of what is declared other series may be made, which are then declared in turn.
void Pump::declare_new_series() {
  const journal::Catalogue& catalogue = journal_.catalogue();
  for (std::uint64_t version = catalogue.version(); version != declared_version_; version = catalogue.version()) {
    for (const auto& entry : catalogue.changed_since(declared_version_)) {
      engine_.declare(entry.id, entry.name, entry.info, entry.labels, clock_.now(), output_);
      freshness_.expect(entry.id, entry.info.expected_interval, entry.learns);
    }
    declared_version_ = version;
    intern_made_series();
  }
}

void Pump::intern_made_series() {
  for (const rules::MadeSeries& made : engine_.take_made_series()) {
    if (const auto id = journal_.catalogue().intern(made.name, made.info); !id) {
      batch_.events.push_back(
          {clock_.now(), Notice{"configuration", "a derived series cannot be made: " + id.error().text}});
    }
  }
}

/// By an interval it is known how much of the log the rules need at the next start.
void Pump::take_learned() {
  const auto learned = freshness_.take_learned();
  if (learned.empty()) return;
  for (const auto& [series, interval] : learned) journal_.catalogue().learn(series, interval);
  declare_new_series();
  collect();
  journal_.keep_log_for(std::max(rules::kLeastLookback, engine_.lookback(clock_.now())));
}

/// Oldest first, so that intervals are learned; of a slow series the newest sample is older than what is read.
void Pump::warm() {
  warm_from_log();
  std::vector<Sample> latest = journal_.latest();
  std::erase_if(latest, [](const Sample& sample) { return sample.time == Timestamp{}; });  // never spoke
  engine_.warm(latest);
  freshness_.observe(latest, clock_.now());
}

void Pump::warm_from_log() {
  const Timestamp now = clock_.now();
  const auto unreadable = [this, now](const Error& error) {
    batch_.events.push_back({now, Notice{"storage", "the rules begin without the past: " + error.text}});
  };
  const Micros lookback = std::max(rules::kLeastLookback, engine_.lookback(now));
  journal_.keep_log_for(lookback);
  auto after = journal_.before(now - lookback);
  if (!after) return unreadable(after.error());
  while (true) {
    const auto batches = journal_.read(*after);
    if (!batches) return unreadable(batches.error());
    if (batches->empty()) return;
    for (const auto& batch : *batches) {
      engine_.warm(batch->samples, batch->committed);
      freshness_.observe(batch->samples, batch->committed);
      *after = batch->gap ? batch->gap->last : batch->seq;
    }
    heart_.beat();
  }
}

/// The new engine begins from what is on disk, so that the alerts which the old one has raised are among it.
void Pump::take_new_rules() {
  std::optional<std::vector<rules::Rule>> rules;
  {
    const std::lock_guard lock(mutex_);
    rules.swap(next_rules_);
  }
  if (!rules) return;
  if (commit() && adopt(*rules, unwatched_times())) {
    urgent_ = true;
  } else {
    use_later(std::move(*rules));
  }
}

/// In the next round, unless newer ones have come.
void Pump::use_later(std::vector<rules::Rule> rules) {
  const std::lock_guard lock(mutex_);
  if (!next_rules_) next_rules_ = std::move(rules);
}

void Pump::replace_rules(std::vector<rules::Rule> rules) {
  const std::lock_guard lock(mutex_);
  next_rules_ = std::move(rules);
}

}  // namespace tidegate::app
