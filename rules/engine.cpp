#include "rules/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "rules/message.h"

namespace tidegate::rules {
namespace {

/// One rule on one series. What a sample touches, and nothing else; the record of an alert that is not normal stands
/// apart.
struct Instance {
  std::unique_ptr<Detector> detector;  ///< none: the rule makes no sense for the series
  AlertState state;
  Finding last;               ///< what the timers go by; `hold` after a sample that says nothing
  Timestamp due = kNever;     ///< when the next timer ends, in the time of the samples
  Timestamp ends = kNever;    ///< the same by the gateway's clock
  Timestamp queued = kNever;  ///< its place in the timer queue, not later than `ends`
  Micros lag{0};              ///< how far the last sample that said something lay behind the gateway's clock
  std::uint32_t rule = 0;
  std::uint32_t series = 0;
};

/// A series' instances stand side by side, for the cache.
struct Series {
  bool declared = false;
  std::uint32_t first = 0, count = 0;
  Timestamp heard = kNever;  ///< when its newest sample came; before the first, when listening began
  std::optional<Sample> newest;
};

/// What only transitions need.
struct SeriesText {
  std::string name;
  SeriesKind kind = SeriesKind::number;
  std::string unit;
  std::vector<std::string> states;
};

struct Timer {
  Timestamp at;  ///< by the gateway's clock
  std::uint32_t instance;
  bool operator>(const Timer& other) const { return std::tie(at, instance) > std::tie(other.at, other.instance); }
};

/// What the hot path reads of a rule.
struct Policy {
  AlertPolicy alert;
  bool good_only;
};

/// The past is looked up by the time of arrival. So much may the lag of a series have changed within a window, that
/// all of it is found.
constexpr Micros kLagChange = std::chrono::minutes(1);

/// No sample is further ahead of the gateway's clock than this, but those of a run whose clock was wrong.
constexpr Micros kMaxAhead = std::chrono::hours(1);

/// A device whose clock is ahead has none: better late than a false alarm, should it be set right.
Micros lag_of(const Sample& sample, Timestamp arrived) { return std::max(Micros{0}, arrived - sample.time); }

bool usable(const Sample& sample, bool good_only) {
  if (sample.quality == Quality::bad || (good_only && sample.quality != Quality::good)) return false;
  return std::isfinite(sample.value);
}

std::string_view cause(const AlertState& after) {
  if (raised(after.phase)) return "raised";
  return after.phase == Phase::returned ? "returned" : "cleared";
}

/// Of a rule that watches the series no longer. A pending one, which nobody heard of, goes in silence.
void close(AlertRecord record, Timestamp now, Output& out) {
  const Phase from = std::exchange(record.phase, Phase::normal);
  record.since = std::max(now, record.since);
  if (from != Phase::pending || !record.acknowledged)
    out.events.push_back({record.since, AlertTransition{record, from, "rule removed"}});
  out.alerts.push_back(std::move(record));
}

}  // namespace

struct Engine::Impl {
  explicit Impl(std::vector<Rule> compiled);

  void match(std::uint32_t series);
  void fit(std::uint32_t instance, Timestamp now, Output& out);
  void give_up(std::uint32_t instance, Timestamp now, Output& out);
  bool is_news(Series& series, const Sample& sample, Timestamp arrived);
  void recall(const Sample& sample, Timestamp arrived);
  Finding look(Instance& instance, const Sample& sample, Timestamp arrived) const;
  void take(std::uint32_t instance, const Finding& finding, Timestamp at, Output& out);
  void change(std::uint32_t instance, const AlertState& next, std::string_view cause, Timestamp at, Output& out);
  void describe(std::uint32_t instance, AlertRecord& record) const;
  void arm(std::uint32_t instance);
  void run_timers(std::uint32_t instance, Timestamp until, Output& out);
  void watch(Timestamp now, Output& out);
  void miss_until(Timestamp now, Output& out);
  void put_off(const Interval& gap);

  std::vector<Rule> rules;
  std::vector<Policy> policies;
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> literal_rules;
  std::vector<std::uint32_t> pattern_rules;

  std::vector<Series> series;  ///< by SeriesId
  std::vector<SeriesText> texts;
  std::vector<Instance> instances;
  std::vector<std::string> units;                          ///< of an instance's findings
  std::vector<std::string> problems;                       ///< of an instance without a detector
  std::unordered_map<std::uint32_t, AlertRecord> records;  ///< of the instances that are not normal
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers;
  std::optional<Timestamp> watched_until;
  std::vector<Interval> gaps;  ///< in the past that is told; until it goes on
  std::uint64_t late = 0;
};

Engine::Impl::Impl(std::vector<Rule> compiled) : rules(std::move(compiled)) {
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    policies.push_back({rules[i].policy, rules[i].good_only});
    if (rules[i].series.literal()) {
      literal_rules[rules[i].series.text()].push_back(i);
    } else {
      pattern_rules.push_back(i);
    }
  }
}

void Engine::Impl::match(std::uint32_t id) {
  const std::string_view name = texts[id].name;
  std::vector<std::uint32_t> matched;
  if (const auto found = literal_rules.find(name); found != literal_rules.end()) matched = found->second;
  for (const std::uint32_t rule : pattern_rules) {
    if (rules[rule].series.matches(name)) matched.push_back(rule);
  }
  std::sort(matched.begin(), matched.end());
  series[id].first = static_cast<std::uint32_t>(instances.size());
  series[id].count = static_cast<std::uint32_t>(matched.size());
  for (const std::uint32_t rule : matched) {
    Instance& instance = instances.emplace_back();
    instance.rule = rule;
    instance.series = id;
  }
  units.resize(instances.size());
  problems.resize(instances.size());
}

/// Makes the detector for what is known of the series now. One that takes another's place has seen the newest sample.
void Engine::Impl::fit(std::uint32_t i, Timestamp now, Output& out) {
  Instance& instance = instances[i];
  const Rule& rule = rules[instance.rule];
  if (instance.detector && rule.of_silence) return;
  const Series& of = series[instance.series];
  const SeriesText& text = texts[instance.series];
  SeriesInfo info;
  info.kind = text.kind;
  info.unit = text.unit;
  auto watch = rule.make(info, text.states);
  instance.detector = watch ? std::move(watch->detector) : nullptr;
  units[i] = watch ? std::move(watch->unit) : std::string();
  problems[i] = watch ? std::string() : fmt::format("{}: {}", text.name, watch.error().text);
  instance.last = {};
  if (!instance.detector) return give_up(i, now, out);
  instance.detector->listen(of.heard);
  if (of.newest && usable(*of.newest, rule.good_only)) instance.last = instance.detector->observe(*of.newest);
  arm(i);
}

/// An alert that nothing would ever clear.
void Engine::Impl::give_up(std::uint32_t i, Timestamp now, Output& out) {
  instances[i].due = instances[i].ends = kNever;
  instances[i].state = {};
  const auto found = records.find(i);
  if (found == records.end()) return;
  close(std::move(found->second), now, out);
  records.erase(found);
}

bool Engine::Impl::is_news(Series& of, const Sample& sample, Timestamp arrived) {
  if (of.newest) {
    if (sample.time < of.newest->time) {
      ++late;
      return false;
    }
    if (sample == *of.newest) return false;
  }
  of.newest = sample;
  of.heard = arrived;
  return true;
}

/// The queue holds at most one entry of an instance that counts, at or before the time it ends; a timer that moves
/// back is put in again when its old entry comes up. So a sample that puts off an absence costs nothing here. A sample
/// that leaves the timer as it is, but lags more, lets it end later: there may be another such.
void Engine::Impl::arm(std::uint32_t i) {
  Instance& instance = instances[i];
  const AlertPolicy& policy = policies[instance.rule].alert;
  Timestamp due = instance.detector->deadline();
  if (instance.state.phase == Phase::pending && instance.last.verdict == Verdict::breach) {
    due = std::min(due, instance.state.since + policy.raise_after);
  } else if (instance.state.phase == Phase::clearing && instance.last.verdict == Verdict::clear) {
    due = std::min(due, instance.state.since + policy.clear_after);
  }
  const Timestamp ends = due == kNever ? kNever : due + instance.lag;
  instance.ends = due == instance.due ? std::max(ends, instance.ends) : ends;
  instance.due = due;
  if (instance.ends < instance.queued) {
    instance.queued = instance.ends;
    timers.push({instance.ends, i});
  }
}

Finding Engine::Impl::look(Instance& instance, const Sample& sample, Timestamp arrived) const {
  if (!usable(sample, policies[instance.rule].good_only)) return {};
  const Finding finding = instance.detector->observe(sample);
  if (finding.verdict != Verdict::hold) instance.lag = lag_of(sample, arrived);
  return finding;
}

void Engine::Impl::recall(const Sample& sample, Timestamp arrived) {
  if (index(sample.series) >= series.size()) return;
  if (watched_until) {
    if (sample.time > *watched_until + kMaxAhead) return;
    if (arrived > *watched_until + kMaxAhead) arrived = *watched_until;  // it came in a run of the far future
  }
  Series& of = series[index(sample.series)];
  const bool has_spoken = of.newest.has_value();
  const Timestamp listening = std::min(of.heard, arrived);
  const std::uint64_t counted = late;
  const bool news = is_news(of, sample, arrived);
  late = counted;
  if (!news) return;
  for (std::uint32_t i = of.first; i < of.first + of.count; ++i) {
    Instance& instance = instances[i];
    if (!instance.detector) continue;
    if (!has_spoken) instance.detector->listen(listening);
    instance.last = look(instance, sample, arrived);
    arm(i);
  }
}

void Engine::Impl::take(std::uint32_t i, const Finding& finding, Timestamp at, Output& out) {
  Instance& instance = instances[i];
  instance.last = finding;
  if (finding.verdict != Verdict::breach && instance.state.phase == Phase::normal) {
    if (instance.detector->deadline() != kNever) arm(i);
    return;
  }
  // The gateway's clock and a device's may differ: an alert's own time does not run backwards.
  const Timestamp now = std::max(at, instance.state.since);
  const AlertState next = step(instance.state, finding.verdict, now, policies[instance.rule].alert);
  if (next != instance.state) change(i, next, cause(next), now, out);
  arm(i);
}

/// Each timer that ends by `until` does so at its own time, so that it does not matter when somebody looks.
void Engine::Impl::run_timers(std::uint32_t i, Timestamp until, Output& out) {
  const Instance& instance = instances[i];
  while (instance.due <= until) {
    const Timestamp at = instance.due;
    const bool asked = instance.detector->deadline() <= at;
    take(i, asked ? instance.detector->tick(at) : instance.last, at, out);
  }
}

void Engine::Impl::describe(std::uint32_t i, AlertRecord& record) const {
  const Instance& instance = instances[i];
  const Rule& rule = rules[instance.rule];
  const SeriesText& text = texts[instance.series];
  record.id = alert_id(rule, text.name);
  record.rule = rule.name;
  record.series = text.name;
  record.severity = rule.severity;
  record.value = instance.last.value;
  record.limit = instance.last.limit;
  record.unit = units[i];
  record.labels = rule.labels;
  record.runbook = rule.runbook;
  record.message = render_message(rule, record, text.kind, text.states);
}

void Engine::Impl::change(std::uint32_t i, const AlertState& next, std::string_view why, Timestamp at, Output& out) {
  Instance& instance = instances[i];
  const AlertState before = std::exchange(instance.state, next);
  AlertRecord& record = records[i];
  if (why != "acknowledged") describe(i, record);
  record.phase = next.phase;
  record.acknowledged = next.acknowledged;
  record.since = next.since;
  if (next.phase == Phase::active && !raised(before.phase)) {
    record.raised = at;
    record.acknowledged_by.clear();
    record.note.clear();
  }
  if (announced(before, next)) out.events.push_back({at, AlertTransition{record, before.phase, std::string(why)}});
  out.alerts.push_back(record);
  if (next.phase == Phase::normal) records.erase(i);
}

/// Was somebody there since the last time?
void Engine::Impl::watch(Timestamp now, Output& out) {
  if (!gaps.empty()) {
    for (const Interval& gap : gaps) put_off(gap);
    gaps.clear();
  }
  if (watched_until && now - *watched_until > kMaxUnwatched) miss_until(now, out);
  watched_until = std::max(watched_until.value_or(now), now);
}

void Engine::Impl::miss_until(Timestamp now, Output& out) {
  out.events.push_back({now, Unwatched{*watched_until}});
  put_off({*watched_until, now});
}

void Engine::Impl::put_off(const Interval& gap) {
  const bool is_long = gap.to - gap.from > kMaxUnwatched;
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    Instance& instance = instances[i];
    if (!instance.detector) continue;
    if (is_long && series[instance.series].heard <= gap.to) instance.last.verdict = Verdict::hold;
    instance.detector->unwatched(gap.from - instance.lag, gap.to - instance.lag);
    arm(i);
  }
}

Engine::Engine(std::vector<Rule> rules) : impl_(std::make_unique<Impl>(std::move(rules))) {}
Engine::Engine(std::vector<Rule> rules, const Engine& before) : Engine(std::move(rules)) {
  const Impl& old = *before.impl_;
  impl_->watched_until = old.watched_until;
  impl_->late = old.late;
  impl_->series.resize(old.series.size());
  impl_->texts.resize(old.series.size());
  for (std::size_t i = 0; i < old.series.size(); ++i) {
    if (!old.series[i].newest) impl_->series[i].heard = old.series[i].heard;
  }
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::declare(SeriesId id, std::string_view name, const SeriesInfo& info, std::span<const std::string> labels,
                     Timestamp now, Output& out) {
  const auto at = static_cast<std::uint32_t>(index(id));
  if (at >= impl_->series.size()) {
    impl_->series.resize(at + 1);
    impl_->texts.resize(at + 1);
  }
  Series& series = impl_->series[at];
  SeriesText text{std::string(name), info.kind, info.unit, {labels.begin(), labels.end()}};
  SeriesText& known = impl_->texts[at];
  const bool same =
      series.declared && known.kind == text.kind && known.unit == text.unit && known.states == text.states;
  if (same) return;
  known = std::move(text);
  if (!std::exchange(series.declared, true)) {
    if (series.heard == kNever) series.heard = now;
    impl_->match(at);
  }
  for (std::uint32_t i = 0; i < series.count; ++i) impl_->fit(series.first + i, now, out);
}

std::vector<std::string> Engine::literal_series() const {
  std::vector<std::string> names;
  for (const auto& [name, rules] : impl_->literal_rules) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

void Engine::unwatched(const Interval& gap) {
  if (gap.from < gap.to) impl_->gaps.push_back(gap);
}

void Engine::restore(std::span<const AlertRecord> records, Timestamp now, Output& out) {
  if (!impl_->watched_until) impl_->watched_until = now;
  std::unordered_map<std::string, std::uint32_t> by_id;
  for (std::uint32_t i = 0; i < impl_->instances.size(); ++i) {
    const Instance& instance = impl_->instances[i];
    if (instance.detector) by_id.emplace(alert_id(impl_->rules[instance.rule], impl_->texts[instance.series].name), i);
  }
  for (const AlertRecord& record : records) {
    const auto found = by_id.find(record.id);
    // The pattern may have changed so that the same captures now name another series.
    if (found != by_id.end() && impl_->texts[impl_->instances[found->second].series].name == record.series) {
      impl_->instances[found->second].state = {record.phase, record.since, record.acknowledged};
      if (record.phase != Phase::normal) impl_->records[found->second] = record;
      impl_->arm(found->second);
      continue;
    }
    close(record, now, out);
  }
}

void Engine::warm(std::span<const Sample> samples, Timestamp arrived) {
  for (const Sample& sample : samples) impl_->recall(sample, arrived);
}

void Engine::warm(std::span<const Sample> samples) {
  for (const Sample& sample : samples) impl_->recall(sample, sample.time);
}

Micros Engine::lookback(Timestamp now) const {
  Micros longest{0};
  for (const Instance& instance : impl_->instances) {
    if (instance.detector) longest = std::max(longest, instance.detector->lookback());
  }
  if (longest == Micros{0}) return longest;
  Timestamp from = now - longest - kLagChange;
  for (auto gap = impl_->gaps.rbegin(); gap != impl_->gaps.rend() && gap->to > from; ++gap) from -= gap->to - gap->from;
  return now - from;
}

void Engine::observe(std::span<const Sample> samples, Timestamp now, Output& out) {
  impl_->watch(now, out);
  for (const Sample& sample : samples) {
    if (index(sample.series) >= impl_->series.size()) continue;
    Series& series = impl_->series[index(sample.series)];
    // Silence before the first sample is by the gateway's clock, which its time says nothing of.
    const bool has_spoken = series.newest.has_value();
    if (!impl_->is_news(series, sample, now)) continue;
    for (std::uint32_t i = series.first; i < series.first + series.count; ++i) {
      Instance& instance = impl_->instances[i];
      if (!instance.detector) continue;
      if (has_spoken && instance.due < sample.time) impl_->run_timers(i, sample.time - Micros{1}, out);
      impl_->take(i, impl_->look(instance, sample, now), sample.time, out);
    }
  }
}

void Engine::tick(Timestamp now, Output& out) {
  impl_->watch(now, out);
  auto& timers = impl_->timers;
  while (!timers.empty() && timers.top().at <= now) {
    const Timer timer = timers.top();
    timers.pop();
    Instance& instance = impl_->instances[timer.instance];
    if (instance.queued != timer.at) continue;
    instance.queued = kNever;
    if (!instance.detector) continue;
    // One that was put off goes back in, so that all end in order of their times.
    if (instance.ends <= timer.at) impl_->run_timers(timer.instance, instance.due, out);
    impl_->arm(timer.instance);
  }
}

void Engine::resume(Timestamp now, Output& out) {
  if (!impl_->watched_until || now <= *impl_->watched_until) return;
  const Micros left_out = now - *impl_->watched_until;
  impl_->miss_until(now, out);
  impl_->watched_until = now;
  for (auto& [i, record] : impl_->records) {
    AlertState& state = impl_->instances[i].state;
    if (state.phase != Phase::pending && state.phase != Phase::clearing) continue;
    record.since = state.since += left_out;
    out.alerts.push_back(record);
    impl_->arm(i);
  }
}

bool Engine::acknowledge(const Acknowledge& wish, Timestamp now, Output& out) {
  const auto found = std::find_if(impl_->records.begin(), impl_->records.end(),
                                  [&](const auto& entry) { return entry.second.id == wish.alert; });
  if (found == impl_->records.end()) return false;
  const std::uint32_t i = found->first;
  const AlertState& state = impl_->instances[i].state;
  const Timestamp at = std::max(now, state.since);
  const AlertState next = rules::acknowledge(state, at);
  if (next == state) return false;
  found->second.acknowledged_by = wish.who;
  found->second.note = wish.note;
  impl_->change(i, next, "acknowledged", at, out);
  return true;
}

std::vector<Engine::RuleStatus> Engine::status() const {
  std::vector<RuleStatus> all;
  for (const Rule& rule : impl_->rules) all.push_back({rule.name, 0, 0, {}});
  for (std::size_t i = 0; i < impl_->instances.size(); ++i) {
    const Instance& instance = impl_->instances[i];
    RuleStatus& status = all[instance.rule];
    if (instance.detector) {
      ++status.instances;
      status.active += raised(instance.state.phase) ? 1 : 0;
    } else if (status.problems.size() < kMaxProblems) {
      status.problems.push_back(impl_->problems[i]);
    }
  }
  return all;
}

std::uint64_t Engine::late_samples() const { return impl_->late; }

}  // namespace tidegate::rules
