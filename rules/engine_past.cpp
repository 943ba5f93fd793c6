// How the engine begins: with rules, series and what is known of the past.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rules/engine_impl.h"
#include "rules/message.h"

namespace tidegate::rules {
namespace {

/// The past is looked up by the time of arrival. So much may the lag of a series have changed within a window, that
/// all of it is found.
constexpr Micros kLagChange = std::chrono::minutes(1);

/// No sample is further ahead of the gateway's clock than this, but those of a run whose clock was wrong.
constexpr Micros kMaxAhead = std::chrono::hours(1);

/// Of a rule that watches the series no longer. One of which nobody heard goes in silence.
void close(AlertRecord record, Timestamp now, Output& out) {
  const Phase from = std::exchange(record.phase, Phase::normal);
  record.since = std::max(now, record.since);
  record.shelved_until = record.shelved_at = {};
  if (raised(from) || !record.acknowledged) {
    AlertTransition transition{record, from, "rule removed"};
    publish_farewell(transition);
    write_release(now, transition);
    out.events.push_back({record.since, std::move(transition)});
  }
  out.alerts.push_back(std::move(record));
}

/// A time that is far ahead is that of a run whose clock was wrong, and would not come for long: what was under way
/// begins anew. True where it does.
bool begin_anew(AlertRecord& record, Timestamp now) {
  const auto is_wrong = [now](Timestamp time) { return time > now + kMaxAhead; };
  const bool is_shelf = is_wrong(record.shelved_at);
  if (!is_wrong(record.since) && !is_wrong(record.heading_since) && !is_shelf) return false;
  if (is_shelf) move_shelf(record, now - record.shelved_at);
  record.since = std::min(record.since, now);
  record.heading_since = std::min(record.heading_since, now);
  return true;
}

}  // namespace

Engine::Impl::Impl(std::vector<Rule> compiled) {
  for (Rule& rule : compiled) {
    const bool judged = rule.suppress_when.has_value();
    if (judged) {
      rules.push_back(companion_of(rule));
      policies.push_back({{}, rule.allowed_lateness, rule.good_only, true, false, false, {}, false, true});
    }
    policies.push_back({rule.policy,
                        rule.allowed_lateness,
                        rule.good_only,
                        rule.join != nullptr,
                        rule.holds_chatter,
                        false,
                        {},
                        judged,
                        false,
                        rule.derives.has_value()});
    rules.push_back(std::move(rule));
  }
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    if (rules[i].series.literal()) {
      literal_rules[rules[i].series.text()].push_back(i);
    } else {
      pattern_rules.push_back(i);
    }
  }
  std::unordered_map<std::string_view, std::uint32_t> rule_of;
  for (std::uint32_t i = 0; i < rules.size(); ++i) rule_of.emplace(rules[i].name, i);
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    for (const std::string& name : rules[i].suppressed_by) {
      const auto parent = rule_of.find(name);
      if (parent == rule_of.end()) continue;  // disabled
      policies[i].parents.push_back(parent->second);
      policies[parent->second].explains = true;
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
    instance.state.severity = instance.state.heading = policies[rule].alert.severity;
    series[id].yields |= rules[rule].derives && rules[rule].derives->has_from;
    if (policies[rule].lateness == Micros{0}) continue;
    waiting.emplace(static_cast<std::uint32_t>(instances.size() - 1), policies[rule].lateness);
    series[id].waits = true;
  }
  units.resize(instances.size(), &*unit_names.emplace().first);
  for (std::uint32_t i = series[id].first; i < instances.size(); ++i) {
    if (policies[instances[i].rule].joins) want_inputs(i);
  }
}

/// Makes the detector for what is known of the series now. One that takes another's place has seen the newest sample.
void Engine::Impl::fit(std::uint32_t i, Timestamp now, Output& out) {
  Instance& instance = instances[i];
  const Rule& rule = rules[instance.rule];
  if (instance.detector && rule.traits.of_silence) return;
  if (policies[instance.rule].joins && renew_own(i)) return;
  const Series& of = series[instance.series];
  const SeriesText& text = texts[instance.series];
  auto watch = make_watch(i);
  instance.detector = watch ? std::move(watch->detector) : nullptr;
  units[i] = &*unit_names.insert(watch ? watch->unit : std::string()).first;
  if (watch) {
    problems.erase(i);
  } else {
    problems[i] = fmt::format("{}: {}", text.name, watch.error().text);
  }
  instance.last = {};
  if (!instance.detector) return give_up(i, now, out);
  instance.detector->listen(of.heard);
  if (policies[instance.rule].joins) {
    add_members(i);
    if (policies[instance.rule].derives) go_on(i);
  } else if (of.newest && wake(i) == kNever) {  // else that comes, after those that are older
    instance.last = look(i, *of.newest, of.heard);
  }
  arm(i);
}

Result<Watch> Engine::Impl::make_watch(std::uint32_t i) const {
  const Rule& rule = rules[instances[i].rule];
  const auto& [own_name, own] = texts[instances[i].series];
  if (!rule.join) return rule.make(own.info, own.states);
  std::vector<const Known*> inputs;
  for (const Reads& reads : rule.reads) {
    const auto found =
        reads.kind == Reads::Kind::pattern ? by_name.end() : by_name.find(input_name(rule, reads, own_name));
    inputs.push_back(found == by_name.end() ? nullptr : &texts[found->second].known);
  }
  return rule.join(inputs);
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

void Engine::Impl::recall(const Sample& sample, Timestamp arrived, Origin origin) {
  if (index(sample.series) >= series.size()) return;
  if (watched_until) {
    if (sample.time > *watched_until + kMaxAhead) return;
    if (arrived > *watched_until + kMaxAhead) arrived = *watched_until;  // it came in a run of the far future
  }
  Series& of = series[index(sample.series)];
  const bool has_spoken = of.newest.has_value();
  const Timestamp listening = std::min(of.heard, arrived);
  const News news = this->news(of, sample, arrived);
  const bool is_newest = news == News::newest;
  if (news == News::again || (!is_newest && !of.waits)) return;
  for (std::uint32_t i = of.first; i < of.first + of.count; ++i) {
    Instance& instance = instances[i];
    if (!instance.detector) continue;
    if (!has_spoken) instance.detector->listen(listening);
    if (is_newest || policies[instance.rule].lateness > Micros{0}) recall_one(i, sample, is_newest, arrived, origin);
  }
  if (of.made && is_newest) recall_made(static_cast<std::uint32_t>(index(sample.series)), sample);
  if (of.feeds) recall_feeds(sample, is_newest, arrived, origin);
}

/// The timers of a `suppress_when` that ended before then, when nothing is told of them. When they last changed it.
std::optional<Change> Engine::Impl::pass(std::uint32_t companion, Timestamp until) {
  Instance& instance = instances[companion];
  std::optional<Change> last;
  while (instance.ends < until) {
    const Finding finding = instance.detector->tick(instance.due);
    if (finding.verdict != instance.last.verdict) last = {instance.due, instance.ends};
    instance.last = finding;
    arm(companion);
  }
  return last;
}

/// Timers before the restart have run then, each in its turn: what a `when` was found to be by one is not asked again
/// of an earlier time, by a sample that was long on its way. One of a `suppress_when` of which nobody saw what it led
/// to is told of as if it were the only one.
void Engine::Impl::catch_up(Timestamp until, Output& out) {
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    Instance& instance = instances[i];
    const Policy& policy = policies[instance.rule];
    if (!policy.joins || !instance.detector) continue;
    if (!policy.judges) {
      run_timers(i, instance.state.since, out);
      continue;
    }
    const Change change = pass(i, until).value_or(Change{until, until});  // else the rule was edited
    if (!is_untold(i)) continue;
    instance.due = change.due;
    instance.ends = instance.queued = change.ends;
    timers.push({instance.queued, i});
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
  Known known{info, {labels.begin(), labels.end()}};
  const auto maker = impl_->makers.find(name);
  known.info.is_difference =
      maker != impl_->makers.end() && info.source == kDerivedSource && maker->second.is_difference;
  Known& before = impl_->texts[at].known;
  const bool is_paced_anew = before.info.expected_interval != info.expected_interval;
  const bool is_same = series.declared && before.info.kind == info.kind && before.info.unit == info.unit &&
                       before.info.is_difference == known.info.is_difference && before.states == known.states;
  if (series.declared) impl_->accept(at, info);
  if (is_same && !is_paced_anew) return;
  before = std::move(known);
  if (!std::exchange(series.declared, true)) {
    impl_->texts[at].name = name;
    if (series.heard == kNever) series.heard = now;
    impl_->by_name.emplace(name, at);
    impl_->match(at);
    impl_->accept(at, info);
  }
  for (std::uint32_t i = series.first; i < series.first + series.count; ++i) {
    // What windows hold is not to be lost for an interval.
    if (!is_same || impl_->policies[impl_->instances[i].rule].joins) impl_->fit(i, now, out);
    if (!is_paced_anew || !impl_->instances[i].detector) continue;
    impl_->instances[i].detector->expect(info.expected_interval);
    impl_->arm(i);
  }
  impl_->connect(at, now, out);
  impl_->offer_all(at);
  for (const std::uint32_t other : std::exchange(impl_->turned, {})) {
    const SeriesText text = impl_->texts[other];  // a copy: it is declared in its place
    declare(SeriesId{other}, text.name, text.known.info, text.known.states, now, out);
  }
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
  impl_->began = now;
  const auto by_id = impl_->ids();
  for (AlertRecord record : records) {
    const bool changed = begin_anew(record, now);
    const auto found = by_id.find(record.id);
    // The pattern may have changed so that the same captures now name another series.
    if (found != by_id.end() && impl_->texts[impl_->instances[found->second].series].name == record.series) {
      impl_->take_over(found->second, record);
      if (changed) out.alerts.push_back(std::move(record));
      continue;
    }
    close(std::move(record), now, out);
  }
  std::vector<std::uint32_t> explained;
  for (const auto& [i, record] : impl_->records) explained.push_back(i);
  for (const std::uint32_t i : explained) {
    const std::string& by = impl_->records[i].suppressed_by;
    const bool is_an_alert = by_id.contains(by) || std::any_of(records.begin(), records.end(), [&](const auto& record) {
                               return record.id == by;  // of a rule that is gone
                             });
    impl_->rename_condition(i, is_an_alert, now, out);
    impl_->explain_one(i, now, out);
  }
}

/// Of every instance that watches its series.
std::unordered_map<std::string, std::uint32_t> Engine::Impl::ids() const {
  std::unordered_map<std::string, std::uint32_t> by_id;
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    const Instance& instance = instances[i];
    if (instance.detector && !policies[instance.rule].judges && !policies[instance.rule].derives)
      by_id.emplace(alert_id(rules[instance.rule], texts[instance.series].name), i);
  }
  return by_id;
}

/// The rule may have been edited in between: how severe it is without levels, and whether it is on trial, are its own.
void Engine::Impl::take_over(std::uint32_t i, const AlertRecord& record) {
  Instance& instance = instances[i];
  const AlertPolicy& policy = policies[instance.rule].alert;
  const bool chattering = record.chatter != 0 && raised(record.phase);
  instance.state = {
      .since = record.since, .phase = record.phase, .acknowledged = record.acknowledged, .chattering = chattering};
  instance.state.severity = instance.state.heading = policy.severity;
  if (policy.levels) {
    instance.state.severity = record.severity;
    instance.state.heading = record.heading;
    instance.state.heading_since = record.heading_since;
  }
  arm(i);
  if (over(record)) return;
  AlertRecord& own = records[i] = record;
  own.shadow = rules[instance.rule].shadow;
  if (own.shelved_until != Timestamp{}) next_unshelved = std::min(next_unshelved, own.shelved_until);
}

void Engine::warm(std::span<const Sample> samples, Timestamp arrived) {
  impl_->told_until = std::max(impl_->told_until, arrived);
  const auto& gaps = impl_->gaps;
  for (std::size_t& next = impl_->gaps_left_out; next < gaps.size() && gaps[next].to <= arrived; ++next)
    impl_->leave_out(gaps[next]);
  for (const Sample& sample : samples) impl_->recall(sample, arrived, Lateness::Held::Origin::told);
}

void Engine::warm(std::span<const Sample> samples) {
  for (const Sample& sample : samples) impl_->recall(sample, sample.time, Lateness::Held::Origin::remembered);
}

Micros Engine::lookback(Timestamp now) const {
  Micros longest{0};
  for (const Instance& instance : impl_->instances) {
    if (instance.detector)
      longest = std::max(longest, instance.detector->lookback() + impl_->policies[instance.rule].lateness);
  }
  if (longest == Micros{0}) return longest;
  Timestamp from = now - longest - kLagChange;
  for (auto gap = impl_->gaps.rbegin(); gap != impl_->gaps.rend() && gap->to > from; ++gap) from -= gap->to - gap->from;
  return now - from;
}

}  // namespace tidegate::rules
