// What a transition was decided by.

#include <utility>

#include "rules/engine_impl.h"

namespace tidegate::rules {

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

}  // namespace tidegate::rules
