// What samples and time do to the alerts.

#include "rules/engine.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "rules/engine_impl.h"
#include "rules/message.h"

namespace tidegate::rules {
namespace {

/// A device whose clock is ahead has none: better late than a false alarm, should it be set right.
Micros lag_of(const Sample& sample, Timestamp arrived) { return std::max(Micros{0}, arrived - sample.time); }

/// What an alert of such a reading calls people for it does not do to devices, and so nothing of it is taken back.
void spare_devices(AlertTransition& transition, AlertRecord& record, const std::vector<PointSetting>& owed,
                   const std::function<bool(const PointSetting&)>& is_unsure) {
  std::erase_if(transition.write, is_unsure);
  std::erase_if(record.release, [&](const PointSetting& one) {
    const auto same = [&](const PointSetting& before) { return before.point == one.point; };
    return is_unsure(one) && std::none_of(owed.begin(), owed.end(), same);
  });
  transition.alert.release = record.release;
}

}  // namespace

News Engine::Impl::news(Series& of, const Sample& sample, Timestamp arrived) {
  if (of.newest) {
    if (sample.time < of.newest->time) return News::late;
    if (sample == *of.newest) return News::again;
  }
  of.newest = sample;
  of.heard = arrived;
  return News::newest;
}

/// The queue holds at most one entry of an instance that counts, at or before the time it ends; a timer that moves
/// back is put in again when its old entry comes up. So a sample that puts off an absence costs nothing here. A sample
/// that leaves the timer as it is, but lags more, lets it end later: there may be another such.
void Engine::Impl::arm(std::uint32_t i) {
  Instance& instance = instances[i];
  const AlertPolicy& policy = policies[instance.rule].alert;
  const Timestamp due = std::min(instance.detector->deadline(),
                                 ends_at(instance.state, instance.last.verdict, policy, instance.last.levels));
  const Timestamp ends = due == kNever ? kNever : due + instance.lag;
  instance.ends = due == instance.due ? std::max(ends, instance.ends) : ends;
  instance.due = due;
  const Timestamp next = std::min(instance.ends, wake(i));
  if (next < instance.queued) {
    instance.queued = next;
    timers.push({next, i});
  }
}

/// Of one of several series it has to be known that it is not known.
Sample Engine::Impl::as_input(std::uint32_t i, Sample sample) const {
  if (!usable(sample, policies[instances[i].rule].good_only)) sample.quality = Quality::bad;
  return sample;
}

/// For the rest of a moment. What says whether an alert is suppressed does not: the alert may be raised by the very
/// sample that it has.
bool Engine::Impl::is_waiting(std::uint32_t i) const {
  const Policy& policy = policies[instances[i].rule];
  return policy.joins && !policy.judges && !policy.derives && joint(instances[i]).waits();
}

Finding Engine::Impl::look(std::uint32_t i, const Sample& sample, Timestamp arrived) {
  Instance& instance = instances[i];
  const Policy& policy = policies[instance.rule];
  if (!policy.joins && !usable(sample, policy.good_only)) return {};
  if (policy.derives) static_cast<Deriver&>(*instance.detector).forget_made();
  if (policy.joins) tell_moment(i, sample);
  if (is_waiting(i)) {
    instance.lag = lag_of(sample, arrived);
    return instance.last;
  }
  const Finding finding = policy.joins ? joint(instance).judge() : instance.detector->observe(sample);
  if (finding.verdict != Verdict::hold) instance.lag = lag_of(sample, arrived);
  return finding;
}

void Engine::Impl::take(std::uint32_t i, const Finding& finding, Timestamp at, Output& out) {
  Instance& instance = instances[i];
  if (policies[instance.rule].judges) return judge(i, finding, at, out);
  instance.last = finding;
  if (finding.verdict != Verdict::breach && instance.state.phase == Phase::normal) {
    if (instance.detector->deadline() != kNever || instance.due != kNever) arm(i);
    return;
  }
  // The gateway's clock and a device's may differ: an alert's own time does not run backwards.
  const Timestamp now = std::max(at, instance.state.since);
  const AlertState next = step(instance.state, finding.verdict, now, policies[instance.rule].alert, finding.levels);
  if (next != instance.state) change(i, next, cause_of(instance.state, next), now, out);
  arm(i);
}

void Engine::Impl::evaluate(std::uint32_t i, const Sample& sample, Timestamp arrived, bool has_spoken, Output& out) {
  Instance& instance = instances[i];
  const Policy& policy = policies[instance.rule];
  if (moment.at > moment.first && policy.joins && was_told(i)) return;
  if (policy.judged) judge_before(i - 1, sample.time, arrived, out);
  if (has_spoken && instance.due < sample.time) run_timers(i, sample.time - Micros{1}, out);
  if (is_waiting(i) && joint(instance).newest() < sample.time)
    take(i, joint(instance).judge(), joint(instance).newest(), out);
  const Finding finding = look(i, sample, arrived);
  if (is_waiting(i)) return arm(i);
  take(i, finding, policy.joins ? joint(instance).newest() : sample.time, out);
}

/// Each timer that ends by `until` does so at its own time, so that it does not matter when somebody looks. What is
/// before the alert's own time, as after a restart, it has seen already.
void Engine::Impl::run_timers(std::uint32_t i, Timestamp until, Output& out) {
  Instance& instance = instances[i];
  while (instance.due <= until) {
    const Timestamp at = instance.due;
    const bool asked = instance.detector->deadline() <= at;
    const Finding finding = asked ? instance.detector->tick(at) : instance.last;
    if (policies[instance.rule].judges) {
      judge(i, finding, at, out);
    } else if (policies[instance.rule].derives) {
      make_in_time(i, out);
    } else if (at < instance.state.since) {
      instance.last = finding;
      arm(i);
    } else {
      take(i, finding, at, out);
    }
  }
}

void Engine::Impl::describe(std::uint32_t i, AlertRecord& record, Timestamp at) const {
  const Instance& instance = instances[i];
  const Rule& rule = rules[instance.rule];
  const SeriesText& text = texts[instance.series];
  record.id = alert_id(rule, text.name);
  record.rule = rule.name;
  record.series = text.name;
  record.value = instance.last.value;
  record.limit = instance.last.limit;
  record.unit = *units[i];
  if (policies[instance.rule].joins && instance.detector) {
    const Joint::Shown shown = joint(instance).shown();
    record.value = shown.value;
    record.limit = shown.limit;
    record.unit = shown.unit;
  }
  record.labels = rule.labels;
  record.runbook = rule.runbook;
  record.shadow = rule.shadow;
  record.evidence = evidence(i, at);
  record.message = render(rule.message, rule, record, text.known.info.kind, text.known.states);
}

void Engine::Impl::change(std::uint32_t i, const AlertState& next, std::string_view why, Timestamp at, Output& out) {
  const AlertState before = std::exchange(instances[i].state, next);
  AlertRecord& record = records[i];
  put_state(next, record);
  if (why != "acknowledged") describe(i, record, at);
  if (!raised(before.phase) && raised(next.phase)) note_raise(i, at);
  if (raised(before.phase) && raised(next.phase)) note_return(i, before.phase);
  record.suppressed_by = raised(next.phase) ? explanation(i) : std::string();
  const Timestamp breach = before.phase == Phase::pending ? before.since : at;
  tell(i, before.phase, why, at, out, why == "raised" ? snapshot_wish(i, breach, at) : std::nullopt);
  if (policies[instances[i].rule].explains && raised(before.phase) != raised(next.phase))
    explain(instances[i].rule, at, out);
}

/// Another alert of its rule stands, and has set this point too: the last one takes it back.
bool Engine::Impl::is_held(std::uint32_t i, const std::string& point) const {
  const auto holds = [&](const auto& other) {
    const auto& [instance, record] = other;
    const auto same = [&](const PointSetting& one) { return one.point == point; };
    return instance != i && instances[instance].rule == instances[i].rule && raised(record.phase) &&
           std::any_of(record.release.begin(), record.release.end(), same);
  };
  return std::any_of(records.begin(), records.end(), holds);
}

/// That a point is set because of what was found at this time: it was found lately, and of a reading that is good. A
/// silence is no reading.
bool Engine::Impl::is_sure(std::uint32_t i, Timestamp at, Micros within) const {
  const Rule& rule = rules[instances[i].rule];
  const std::optional<Sample>& newest = series[instances[i].series].newest;
  const Timestamp found = newest ? std::max(at, newest->time) : at;
  if (watched_until.value_or(at) - found > within + rule.allowed_lateness) return false;
  return rule.traits.of_silence || !newest || newest->quality == Quality::good;
}

/// What is known of an alert goes into the batch; and to the world, where there is a cause.
void Engine::Impl::tell(std::uint32_t i, Phase from, std::string_view why, Timestamp at, Output& out,
                        std::optional<SnapshotWish> snapshot) {
  const auto found = records.find(i);
  AlertRecord& record = found->second;
  if (!why.empty()) {
    AlertTransition transition{record, from, std::string(why), {}, std::move(snapshot)};
    const SeriesText& text = texts[instances[i].series];
    publish(rules[instances[i].rule], text.known.info.kind, text.known.states, transition, record);
    const bool calls = calls_somebody(transition);
    const std::vector<PointSetting> owed = record.release;
    write(rules[instances[i].rule], watched_until.value_or(at), transition, record);
    if (!raised(record.phase) && why != "acknowledged") {
      std::erase_if(transition.write, [&](const PointSetting& one) { return is_held(i, one.point); });
    }
    if (calls && !rules[instances[i].rule].write.empty()) {
      spare_devices(transition, record, owed, [&](const PointSetting& one) { return !is_sure(i, at, one.within); });
    }
    const Timestamp called = called_at(at, watched_until.value_or(at));
    if (calls) floods.pass(called, out.events);
    out.events.push_back({at, std::move(transition)});
    if (calls) floods.raised(called, record.id, out.events);
  }
  out.alerts.push_back(record);
  if (over(record)) records.erase(found);
}

/// Was somebody there since the last time?
void Engine::Impl::watch(Timestamp now, Output& out) {
  if (const auto restarted = std::exchange(began, std::nullopt)) catch_up(*restarted, out);
  for (; gaps_left_out < gaps.size(); ++gaps_left_out) leave_out(gaps[gaps_left_out]);
  for (const Interval& gap : gaps) put_off(gap);
  gaps.clear();
  gaps_left_out = 0;
  if (watched_until && now - *watched_until > kMaxUnwatched) miss_until(now, out);
  watched_until = std::max(watched_until.value_or(now), now);
}

void Engine::Impl::miss_until(Timestamp now, Output& out) {
  out.events.push_back({now, Unwatched{*watched_until}});
  leave_out({*watched_until, now});
  put_off({*watched_until, now});
}

void Engine::Impl::put_off(const Interval& gap) {
  const bool is_long = gap.to - gap.from > kMaxUnwatched;
  if (is_long) unsure_until = std::max(unsure_until, gap.to);
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    Instance& instance = instances[i];
    if (!instance.detector) continue;
    if (is_long && series[instance.series].heard <= gap.to)
      instance.last = {Verdict::hold, instance.last.value, instance.last.limit};
    instance.detector->unwatched(gap.from - instance.lag, gap.to - instance.lag);
    arm(i);
  }
}

/// Each sample leads to its series, this to an instance, and that to a detector: with thousands of them no cache holds
/// all. So they are on their way to the processor while it is at samples before.
void Engine::Impl::fetch(std::span<const Sample> coming) const {
  constexpr std::size_t kStep = 3, kLine = 64, kDetectorLines = 5;
  const auto of = [&](std::size_t ahead) -> const Series* {
    const bool is_there = ahead < coming.size() && index(coming[ahead].series) < series.size();
    return is_there ? &series[index(coming[ahead].series)] : nullptr;
  };
  const auto fetch = [](const void* from, std::size_t lines) {  // beyond the end of what stands there, too
    const auto address = reinterpret_cast<std::uintptr_t>(from);
    for (std::size_t i = 0; i < lines; ++i) __builtin_prefetch(reinterpret_cast<const void*>(address + i * kLine));
  };
  if (const Series* far = of(3 * kStep)) fetch(far, 1);
  if (const Series* near = of(2 * kStep); near && near->count > 0) fetch(&instances[near->first], 3);
  if (const Series* next = of(kStep); next && next->count > 0)
    fetch(instances[next->first].detector.get(), kDetectorLines);
}

/// False: it came too late for all.
bool Engine::Impl::look_at(const Sample& sample, bool is_newest, bool has_spoken, Timestamp arrived, Output& out) {
  const Series& of = series[index(sample.series)];
  bool is_taken = is_newest;
  if (of.feeds) is_taken |= feed(sample, is_newest, true, arrived, out);
  for (std::uint32_t i = of.first; i < of.first + of.count; ++i) {
    Instance& instance = instances[i];
    const Policy& policy = policies[instance.rule];
    if (!instance.detector || policy.derives) continue;
    if (policy.lateness > Micros{0}) {
      is_taken |= hold(i, {sample, arrived, Lateness::Held::Origin::now}, is_newest, out);
    } else if (is_newest) {
      evaluate(i, sample, arrived, has_spoken, out);
    }
  }
  if (of.feeds) is_taken |= feed(sample, is_newest, false, arrived, out);
  return is_taken;
}

void Engine::observe(std::span<const Sample> samples, Timestamp now, Output& out) {
  impl_->watch(now, out);
  for (std::size_t at = 0; at < samples.size(); ++at) {
    const Sample& sample = samples[at];
    impl_->fetch(samples.subspan(at));
    if (index(sample.series) >= impl_->series.size()) continue;
    Series& series = impl_->series[index(sample.series)];
    // Silence before the first sample is by the gateway's clock, which its time says nothing of.
    const bool has_spoken = series.newest.has_value();
    const News news = Impl::news(series, sample, now);
    const bool is_newest = news == News::newest;
    if (news == News::again || (!is_newest && !series.waits)) {
      impl_->late += news == News::late ? 1 : 0;
      continue;
    }
    if (is_newest && series.yields) {
      impl_->turn = {at, sample.time};
      impl_->look_at_moment(sample, has_spoken, now, out);
      impl_->turn = {};
    } else if (!impl_->look_at(sample, is_newest, has_spoken, now, out)) {
      ++impl_->late;
    }
  }
}

void Engine::tick(Timestamp now, Output& out) {
  impl_->watch(now, out);
  if (impl_->next_unshelved <= now) impl_->end_shelves(now, out);
  impl_->floods.pass(now, out.events);
  auto& timers = impl_->timers;
  while (!timers.empty() && timers.top().at <= now) {
    const Timer timer = timers.top();
    timers.pop();
    Instance& instance = impl_->instances[timer.instance];
    if (instance.queued != timer.at) continue;
    instance.queued = kNever;
    if (!instance.detector) continue;
    if (impl_->policies[instance.rule].lateness > Micros{0}) impl_->settle(timer.instance, timer.at, out);
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
    const bool waits = state.phase == Phase::pending || state.phase == Phase::clearing;
    const bool heads = state.heading != state.severity;
    const bool is_shelved = record.shelved_until != Timestamp{};
    if (!waits && !heads && !is_shelved) continue;
    move_shelf(record, left_out);
    if (waits) state.since += left_out;
    if (heads) state.heading_since += left_out;
    put_state(state, record);
    out.alerts.push_back(record);
    impl_->arm(i);
  }
}

std::vector<Engine::RuleStatus> Engine::Impl::status(bool derived) const {
  std::vector<RuleStatus> all;
  for (const Rule& rule : rules) all.push_back({rule.derives.has_value() == derived ? rule.name : "", 0, 0, 0, {}});
  for (const auto& [i, record] : records) {
    if (raised(record.phase) && !silenced(record)) ++all[instances[i].rule].active;
  }
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const Instance& instance = instances[i];
    const bool judges = policies[instance.rule].judges;
    RuleStatus& status = all[instance.rule + (judges ? 1u : 0u)];
    if (instance.detector && !judges) ++status.instances;
    const auto problem = problems.find(static_cast<std::uint32_t>(i));
    if (problem == problems.end()) continue;
    if (!judges) ++status.unfit;
    if (status.problems.size() < kMaxProblems)
      status.problems.push_back((judges ? "suppress_when of " : "") + problem->second);
  }
  std::erase_if(all, [](const RuleStatus& status) { return status.name.empty(); });  // the others, and those that judge
  return all;
}

std::vector<Engine::RuleStatus> Engine::status() const { return impl_->status(false); }
std::vector<Engine::RuleStatus> Engine::derived_status() const { return impl_->status(true); }

const std::optional<Flood>& Engine::flood() const { return impl_->floods.now(); }

std::uint64_t Engine::late_samples() const { return impl_->late; }

}  // namespace tidegate::rules
