// Whether somebody is called for what an alert does: acknowledgement, shelf, suppression, chatter.

#include <algorithm>
#include <cmath>
#include <utility>

#include "rules/engine_impl.h"
#include "rules/message.h"

namespace tidegate::rules {

bool same_thing(const Captures& one, const Captures& other) {
  return std::all_of(one.begin(), one.end(), [&](const auto& capture) {
    const auto found =
        std::find_if(other.begin(), other.end(), [&](const auto& c) { return c.first == capture.first; });
    return found == other.end() || found->second == capture.second;
  });
}

void put_state(const AlertState& state, AlertRecord& record) {
  record.phase = state.phase;
  record.acknowledged = state.acknowledged;
  record.since = state.since;
  record.severity = state.severity;
  record.heading = state.heading;
  record.heading_since = state.heading_since;
}

void move_shelf(AlertRecord& record, Micros by) {
  if (record.shelved_at == Timestamp{} || record.shelved_until == kOutOfService) return;
  record.shelved_at += by;
  record.shelved_until += by;
}

/// The alert of this id, whatever its phase.
std::optional<std::uint32_t> Engine::Impl::instance_of(std::string_view alert) const {
  for (const auto& [i, record] : records) {
    if (record.id == alert) return i;
  }
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    const Instance& instance = instances[i];
    const Rule& rule = rules[instance.rule];
    if (!instance.detector || rule.derives || policies[instance.rule].judges || !alert.starts_with(rule.name)) continue;
    if (alert_id(rule, texts[instance.series].name) == alert) return i;
  }
  return std::nullopt;
}

void Engine::Impl::note_raise(std::uint32_t i, Timestamp at) {
  Raises& last = raises[i];
  std::shift_right(last.begin(), last.end(), 1);
  last.front() = at;
  AlertRecord& record = records[i];
  record.raised = at;
  record.acknowledged_by.clear();
  record.note.clear();
  record.commented_by.clear();
  record.comment.clear();
  record.chatter = 0;
  record.chatter_band = 0;
  if (!policies[instances[i].rule].holds_chatter || at - last.back() > kChatterWithin) return;
  instances[i].state.chattering = true;
  record.chatter = kChatterRaises;
}

/// What a wider dead band would have held.
void Engine::Impl::note_return(std::uint32_t i, Phase before) {
  if (!instances[i].state.chattering) return;
  AlertRecord& record = records[i];
  const Phase now = instances[i].state.phase;
  if (before == Phase::clearing && now == Phase::active) ++record.chatter;
  if (before == Phase::active && now == Phase::clearing && std::isfinite(record.value) && std::isfinite(record.limit))
    record.chatter_band = std::max(record.chatter_band, std::abs(record.value - record.limit));
}

/// Watches the same series, and so its instances stand before those of the rule.
Rule companion_of(const Rule& rule) {
  Rule companion{};
  companion.series = rule.series;
  companion.good_only = rule.good_only;
  companion.reads = rule.suppress_when->reads;
  companion.join = rule.suppress_when->join;
  return companion;
}

/// The condition that suppresses it; else the raised alert that explains it, the first by its id; empty where there is
/// neither. A condition that is not known changes nothing.
std::string Engine::Impl::explanation(std::uint32_t i) const {
  const Policy& policy = policies[instances[i].rule];
  if (policy.judged) {
    const std::string& condition = rules[instances[i].rule].suppress_when->condition;
    const Verdict verdict = instances[i - 1].last.verdict;
    const bool stays = verdict == Verdict::hold && records.at(i).suppressed_by == condition;
    if (verdict == Verdict::breach || stays) return condition;
  }
  const auto& parents = policy.parents;
  if (parents.empty()) return {};
  const auto captures = [this](std::uint32_t instance) {
    const Rule& rule = rules[instances[instance].rule];
    return rule.series.match(texts[instances[instance].series].name).value_or(Captures{});
  };
  const Captures own = captures(i);
  std::string first;
  for (const auto& [j, record] : records) {
    const bool is_parent = std::find(parents.begin(), parents.end(), instances[j].rule) != parents.end();
    if (!is_parent || !raised(record.phase) || !same_thing(own, captures(j))) continue;
    if (first.empty() || record.id < first) first = record.id;
  }
  return first;
}

void Engine::Impl::explain(std::uint32_t parent_rule, Timestamp at, Output& out) {
  std::vector<std::uint32_t> children;
  for (const auto& [i, record] : records) {
    const auto& parents = policies[instances[i].rule].parents;
    if (std::find(parents.begin(), parents.end(), parent_rule) != parents.end()) children.push_back(i);
  }
  for (const std::uint32_t i : children) explain_one(i, at, out);
}

void Engine::Impl::explain_one(std::uint32_t i, Timestamp at, Output& out) {
  AlertRecord& record = records[i];
  if (!raised(record.phase)) return;
  std::string by = explanation(i);
  if (by == record.suppressed_by) return;
  const bool was = !std::exchange(record.suppressed_by, std::move(by)).empty();
  const bool is = !record.suppressed_by.empty();
  tell(i, record.phase, was == is ? "" : is ? "suppressed" : "unsuppressed", std::max(at, record.since), out);
}

/// The condition that suppressed it was edited: what the new one says is not known yet, and so changes nothing.
void Engine::Impl::rename_condition(std::uint32_t i, bool is_an_alert, Timestamp now, Output& out) {
  const std::uint32_t rule = instances[i].rule;
  AlertRecord& record = records[i];
  if (!policies[rule].judged || record.suppressed_by.empty() || is_an_alert) return;
  const std::string& condition = rules[rule].suppress_when->condition;
  if (std::exchange(record.suppressed_by, condition) != condition) tell(i, record.phase, "", now, out);
}

/// What the condition of a `suppress_when` has become.
void Engine::Impl::judge(std::uint32_t companion, const Finding& finding, Timestamp at, Output& out) {
  instances[companion].last = finding;
  arm(companion);
  if (is_untold(companion)) explain_one(companion + 1, at, out);
}

/// Does the alert not know yet what the condition is?
bool Engine::Impl::is_untold(std::uint32_t companion) const {
  const Instance& instance = instances[companion + 1];
  const Verdict verdict = instances[companion].last.verdict;
  if (verdict == Verdict::hold || !raised(instance.state.phase)) return false;
  const bool is = records.at(companion + 1).suppressed_by == rules[instance.rule].suppress_when->condition;
  return is != (verdict == Verdict::breach);
}

void Engine::Impl::end_shelves(Timestamp now, Output& out) {
  next_unshelved = kNever;
  std::vector<std::uint32_t> ended;
  for (const auto& [i, record] : records) {
    if (record.shelved_until == Timestamp{}) continue;
    if (record.shelved_until <= now) {
      ended.push_back(i);
    } else {
      next_unshelved = std::min(next_unshelved, record.shelved_until);
    }
  }
  for (const std::uint32_t i : ended) {
    AlertRecord& record = records[i];
    record.shelved_until = record.shelved_at = {};
    record.shelved_by.clear();  // nobody ended it
    record.shelved_why.clear();
    tell(i, record.phase, "unshelved", now, out);
  }
}

/// It was its latch alone that held it. Its own time stays, as with any acknowledgement.
void Engine::Impl::unlatch(std::uint32_t i, Timestamp at, Output& out) {
  const Instance& instance = instances[i];
  AlertState next =
      step(instance.state, instance.last.verdict, at, policies[instance.rule].alert, instance.last.levels);
  next.since = instance.state.since;
  if (next != instance.state) change(i, next, cause_of(instance.state, next), at, out);
  arm(i);
}

/// Of one that is normal too, until it is told.
AlertRecord& Engine::Impl::remembered(std::uint32_t i, Timestamp now) {
  const auto [record, is_new] = records.try_emplace(i);
  if (is_new) {
    put_state(instances[i].state, record->second);
    describe(i, record->second, now);
  }
  return record->second;
}

bool Engine::knows(std::string_view alert) const { return impl_->instance_of(alert).has_value(); }

bool Engine::acknowledge(const Acknowledge& wish, Timestamp now, Output& out) {
  const auto found = impl_->instance_of(wish.alert);
  if (!found) return false;
  const Instance& instance = impl_->instances[*found];
  const AlertPolicy& policy = impl_->policies[instance.rule].alert;
  const Timestamp at = std::max(now, instance.state.since);
  const AlertState next = rules::acknowledge(instance.state);
  if (next == instance.state) return false;
  AlertRecord& record = impl_->records[*found];
  record.acknowledged_by = wish.who;
  record.note = wish.note;
  const bool was_latched = policy.latch && next.phase == Phase::clearing;
  impl_->change(*found, next, "acknowledged", at, out);
  if (was_latched) impl_->unlatch(*found, at, out);
  return true;
}

bool Engine::shelve(const Shelve& wish, Timestamp now, Output& out) {
  const auto found = impl_->instance_of(wish.alert);
  if (!found) return false;
  const bool ends = wish.until <= now;
  const auto kept = impl_->records.find(*found);
  if (ends && (kept == impl_->records.end() || kept->second.shelved_until == Timestamp{})) return false;
  AlertRecord& record = impl_->remembered(*found, now);
  record.shelved_until = ends ? Timestamp{} : wish.until;
  record.shelved_at = ends ? Timestamp{} : now;
  record.shelved_by = wish.who;
  record.shelved_why = wish.why;
  impl_->next_unshelved = std::min(impl_->next_unshelved, wish.until);
  impl_->tell(*found, record.phase, ends ? "unshelved" : "shelved", now, out);
  return true;
}

bool Engine::comment(const Comment& wish, Timestamp now, Output& out) {
  const auto found = impl_->instance_of(wish.alert);
  if (!found) return false;
  AlertRecord& record = impl_->remembered(*found, now);
  record.commented_by = wish.who;
  record.comment = wish.text;
  impl_->tell(*found, record.phase, "commented", now, out);
  return true;
}

void Engine::told(std::span<const Event> events) {
  const auto by_id = impl_->ids();
  std::vector<Event> again;  // was told as well
  for (const Event& event : events) {
    const auto* transition = std::get_if<AlertTransition>(&event.body);
    if (const auto* flood = std::get_if<Flood>(&event.body)) impl_->floods.told(*flood);
    if (transition != nullptr && calls_somebody(*transition)) {
      impl_->floods.pass(event.time, again);
      impl_->floods.raised(event.time, transition->alert.id, again);
    }
    const auto found = transition != nullptr ? by_id.find(transition->alert.id) : by_id.end();
    if (found == by_id.end()) continue;
    impl_->instances[found->second].state.since = transition->alert.since;
    if (transition->cause != "raised") continue;
    Raises& last = impl_->raises[found->second];
    std::shift_right(last.begin(), last.end(), 1);
    last.front() = transition->alert.raised;
  }
}

}  // namespace tidegate::rules
