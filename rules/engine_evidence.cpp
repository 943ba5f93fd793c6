// What a transition was decided by.

#include <algorithm>
#include <utility>

#include "rules/engine_impl.h"

namespace tidegate::rules {
namespace {

/// Of a delay longer than this a snapshot holds the end.
constexpr Micros kLongestDelayKept = std::chrono::hours(1);

}  // namespace

/// The newest sample of a series that the rule reads by its name.
std::optional<Fact> Engine::Impl::newest(std::uint32_t i, const Reads& reads) const {
  const auto found = by_name.find(input_name(rules[instances[i].rule], reads, texts[instances[i].series].name));
  if (found == by_name.end() || !series[found->second].newest) return std::nullopt;
  const Sample& sample = *series[found->second].newest;
  // One that waits has not looked at the newest yet.
  const Policy& policy = policies[instances[i].rule];
  if (policy.lateness > Micros{0} || !usable(sample, policy.good_only)) return std::nullopt;
  const Known& known = texts[found->second].known;
  const double value = sample.value;
  const bool is_state =
      known.info.kind == SeriesKind::state && value >= 0 && value < static_cast<double>(known.states.size());
  return Fact{found->first, value, known.info.unit, is_state ? known.states[static_cast<std::size_t>(value)] : ""};
}

Evidence Engine::Impl::evidence(std::uint32_t i, Timestamp at) const {
  const Rule& rule = rules[instances[i].rule];
  Evidence evidence{rule.version, at, at, {}, {}};
  if (!instances[i].detector) return evidence;
  Basis basis = instances[i].detector->basis(texts[instances[i].series].known.info.unit);
  evidence.from -= basis.span;
  evidence.facts = std::move(basis.facts);
  for (const Reads& reads : rule.reads) {
    if (reads.kind == Reads::Kind::own) continue;
    evidence.series.push_back(input_name(rule, reads, texts[instances[i].series].name));
    if (reads.kind == Reads::Kind::pattern) continue;
    if (auto fact = newest(i, reads)) evidence.facts.push_back(std::move(*fact));
  }
  return evidence;
}

/// What the rule keeps of the time around the raise, and of which series.
std::optional<SnapshotWish> Engine::Impl::snapshot_wish(std::uint32_t i, Timestamp breach, Timestamp raised) const {
  const Rule& rule = rules[instances[i].rule];
  if (!rule.snapshot) return std::nullopt;
  const std::string& own = texts[instances[i].series].name;
  const Timestamp from = std::max(breach, raised - kLongestDelayKept) - rule.snapshot->before;
  SnapshotWish wish{from, raised + rule.snapshot->after, {own}};
  const auto add = [&](const Reads& reads) {
    std::string name = input_name(rule, reads, own);
    if (std::find(wish.series.begin(), wish.series.end(), name) == wish.series.end())
      wish.series.push_back(std::move(name));
  };
  std::for_each(rule.reads.begin(), rule.reads.end(), add);
  if (rule.suppress_when) std::for_each(rule.suppress_when->reads.begin(), rule.suppress_when->reads.end(), add);
  std::for_each(rule.snapshot->series.begin(), rule.snapshot->series.end(), add);
  return wish;
}

}  // namespace tidegate::rules
