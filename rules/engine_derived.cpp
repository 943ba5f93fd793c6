// Series that are made of others, in the moment in which those have a sample.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "gateway/core/text.h"
#include "rules/deriver.h"
#include "rules/engine_impl.h"

namespace tidegate::rules {
namespace {

Deriver& deriver(const Instance& instance) { return static_cast<Deriver&>(*instance.detector); }

Deriver::Made made_of(const Sample& sample) { return {sample.time, sample.value, sample.quality, sample.reason}; }

/// Between two samples of what is made, by that of what it is made of: nothing is made more often than something comes.
/// 0: not known. With a dead band and nothing repeated it tells of changes alone, those that time brings about too:
/// that what it reads is silent.
Micros interval_of(const Derivation& how, Micros of_inputs) {
  if (how.repeat == Micros{0}) return kOnChange;
  if (of_inputs <= Micros{0}) return of_inputs;
  return std::max(how.every, of_inputs) + std::max(how.repeat, Micros{0});
}

}  // namespace

/// Of a series that was declared, or has changed, what is made.
void Engine::Impl::offer_all(std::uint32_t id) {
  chains.clear();
  const Series& of = series[id];
  for (std::uint32_t i = of.first; i < of.first + of.count; ++i) {
    if (policies[instances[i].rule].derives) offer(i);
  }
  if (!of.feeds) return;
  for (const Feed& feed : feeds[id]) {
    if (policies[instances[feed.instance].rule].derives) offer(feed.instance);
  }
}

/// What an instance makes of its series. The pump is told where that is new, and declares it.
void Engine::Impl::offer(std::uint32_t i) {
  const Instance& instance = instances[i];
  if (!instance.detector) return;
  const Rule& rule = rules[instance.rule];
  const SeriesText& from = texts[instance.series];
  const Deriver& makes = deriver(instance);
  const bool has_from = rule.derives->has_from;
  const bool reads_own =
      std::any_of(rule.reads.begin(), rule.reads.end(), [](const Reads& one) { return one.kind == Reads::Kind::own; });
  const Micros of_inputs = reads_own ? from.known.info.expected_interval : makes.slowest_input();
  MadeSeries made{input_name(rule, {Reads::Kind::path, rule.derives->series}, from.name),
                  {makes.kind(), makes.unit(), std::string(kDerivedSource), interval_of(*rule.derives, of_inputs),
                   has_from ? from.known.info.labels : Labels{}}};
  for (const auto& label : rule.labels) {
    std::erase_if(made.info.labels, [&](const auto& other) { return other.first == label.first; });
    made.info.labels.push_back(label);
  }
  std::sort(made.info.labels.begin(), made.info.labels.end());
  const auto known = by_name.find(made.name);
  const auto [maker, is_new] = makers.emplace(made.name, Maker{i, {}, {}, false});
  maker_of.resize(std::max<std::size_t>(maker_of.size(), i + 1));
  maker_of[i] = &maker->second;
  if (known != by_name.end()) {
    if (is_new) maker->second.unit = texts[known->second].known.info.unit;
    maker->second.series = known->second;
    series[known->second].made = true;
    // Of an earlier run the series is known before what it is made of, and as it is: nobody will declare it again.
    if (is_new) maker->second.is_ours = texts[known->second].known.info.source == kDerivedSource;
    const Measured& stored = texts[known->second].known.info;
    if (stored.source == kDerivedSource && stored.is_difference != makes.is_difference())
      turned.push_back(known->second);
  }
  if (refuse(i)) return;
  if (!is_new && maker->second.info == made.info && maker->second.is_difference == makes.is_difference()) return;
  maker->second.info = made.info;
  maker->second.is_difference = makes.is_difference();
  offered.push_back(std::move(made));
  arm(i);
}

/// A sum that cannot go on from what is stored of it: nothing is made, and that stays as it is.
bool Engine::Impl::refuse(std::uint32_t i) {
  const Maker& maker = *maker_of[i];
  if (!maker.series || deriver(instances[i]).goes_on_from(maker.unit)) return false;
  const std::string& name = texts[*maker.series].name;
  problems[i] =
      fmt::format("{}: {} was summed up in {}, which does not convert to {}: give it another name to begin anew",
                  texts[instances[i].series].name, name, maker.unit, deriver(instances[i]).unit());
  std::erase_if(offered, [&](const MadeSeries& made) { return made.name == name; });
  instances[i].detector = nullptr;
  instances[i].due = instances[i].ends = kNever;
  chains.clear();
  return true;
}

/// A series was declared that is made here. A source that feeds it too has taken it over when it was ours.
void Engine::Impl::accept(std::uint32_t id, const SeriesInfo& info) {
  const auto found = makers.find(texts[id].name);
  if (found == makers.end()) return;
  Maker& maker = found->second;
  if (!maker.series) maker.unit = info.unit;
  maker.series = id;
  series[id].made = true;
  if (instances[maker.instance].detector && refuse(maker.instance)) return;
  const bool was_ours = std::exchange(maker.is_ours, info.source == kDerivedSource);
  const std::string problem = fmt::format("{}: source '{}' feeds this series too: give the derived one another name",
                                          texts[id].name, printable(info.source));
  if (was_ours && !maker.is_ours) {
    problems[maker.instance] = problem;
  } else if (maker.is_ours) {
    const auto told = problems.find(maker.instance);
    if (told != problems.end() && told->second.starts_with(texts[id].name + ": source ")) problems.erase(told);
  }
}

/// Looks at a sample, and at all that is made because of it.
void Engine::Impl::look_at_moment(const Sample& sample, bool has_spoken, Timestamp arrived, Output& out) {
  const std::size_t first = group.size();
  group.push_back({sample, has_spoken});
  make_all(first, arrived, out);
  const Moment outer = std::exchange(moment, {first, group.size(), first});
  for (; moment.at < moment.end; ++moment.at) {
    const auto [one, spoke] = group[moment.at];  // a copy: timers that end may make more
    look_at(one, true, spoke, arrived, out);
  }
  moment = outer;
  group.resize(first);
}

/// Those that make something of it, with what they are made of before them: rules stand in that order.
void Engine::Impl::add_makers(std::uint32_t id, std::vector<std::uint32_t>& all) const {
  const auto add = [&](std::uint32_t i) {
    const Instance& instance = instances[i];
    if (!policies[instance.rule].derives || !instance.detector) return;
    const auto place = std::lower_bound(all.begin(), all.end(), i, [&](std::uint32_t one, std::uint32_t other) {
      return std::pair(instances[one].rule, one) < std::pair(instances[other].rule, other);
    });
    if (place == all.end() || *place != i) all.insert(place, i);
  };
  const Series& of = series[id];
  for (std::uint32_t i = of.first; i < of.first + of.count; ++i) {
    if (rules[instances[i].rule].derives && !rules[instances[i].rule].derives->has_from) continue;
    add(i);
  }
  if (!of.feeds) return;
  for (const Feed& feed : feeds[id]) add(feed.instance);
}

const std::vector<std::uint32_t>& Engine::Impl::makers_of(std::uint32_t id) {
  if (chains.size() <= id) chains.resize(series.size());
  if (chains[id]) return *chains[id];
  std::vector<std::uint32_t>& all = chains[id].emplace();
  add_makers(id, all);
  for (std::size_t next = 0; next < all.size(); ++next) {
    const Maker* maker = all[next] < maker_of.size() ? maker_of[all[next]] : nullptr;
    if (maker != nullptr && maker->series) add_makers(*maker->series, all);
  }
  return all;
}

void Engine::Impl::make_all(std::size_t first, Timestamp arrived, Output& out) {
  for (const std::uint32_t i : makers_of(static_cast<std::uint32_t>(index(group[first].sample.series)))) {
    const auto reads_it = [&](const Entry& entry) {
      return reads(i, static_cast<std::uint32_t>(index(entry.sample.series)));
    };
    if (std::any_of(group.begin() + static_cast<std::ptrdiff_t>(first), group.end(), reads_it))
      make(i, first, arrived, out);
  }
}

/// What one makes of the moment so far goes with it.
void Engine::Impl::make(std::uint32_t i, std::size_t first, Timestamp arrived, Output& out) {
  const Timestamp time = group[first].sample.time;
  if (instances[i].due < time) run_timers(i, time - Micros{1}, out);
  deriver(instances[i]).begin();
  deriver(instances[i]).forget_made();
  deriver(instances[i]).close_before(time);
  hand_over(i, out);
  instances[i].lag = std::max(Micros{0}, arrived - time);
  const std::size_t end = group.size();
  for (std::size_t at = first; at < end; ++at) {
    const Sample sample = group[at].sample;
    if (reads(i, static_cast<std::uint32_t>(index(sample.series)))) tell_inputs(i, as_input(i, sample));
  }
  instances[i].last = joint(instances[i]).judge();
  Deriver& makes = deriver(instances[i]);
  for (const Deriver::Made& made : makes.made()) {
    if (const auto sample = put(i, made, arrived, out)) group.push_back(*sample);
  }
  makes.forget_made();
  arm(i);
}

/// Into the batch, unless the series is not declared.
std::optional<Engine::Impl::Entry> Engine::Impl::put(std::uint32_t i, const Deriver::Made& made, Timestamp arrived,
                                                     Output& out) {
  Maker* maker = i < maker_of.size() ? maker_of[i] : nullptr;
  if (maker == nullptr || !maker->is_ours) return std::nullopt;
  const std::uint32_t id = *maker->series;
  Series& of = series[id];
  const Sample sample{SeriesId{id}, made.quality, made.reason, made.time, made.value};
  const bool has_spoken = of.newest.has_value();
  if (news(of, sample, arrived) != News::newest) return std::nullopt;
  deriver(instances[i]).remember(made);
  if (maker->unit != deriver(instances[i]).unit()) maker->unit = deriver(instances[i]).unit();
  out.samples.push_back(sample);
  // Before what it looks at stands what time alone has made until then.
  out.behind.push_back(turn.at == kAll || made.time < turn.time ? turn.at : turn.at + 1);
  return Entry{sample, has_spoken};
}

/// What was made by time alone, or of a moment that is over, is a moment of its own.
void Engine::Impl::hand_over(std::uint32_t i, Output& out) {
  const std::vector<Deriver::Made> all(deriver(instances[i]).made().begin(), deriver(instances[i]).made().end());
  deriver(instances[i]).forget_made();
  for (const Deriver::Made& made : all) {
    const Timestamp arrived = made.time + instances[i].lag;
    if (const auto entry = put(i, made, arrived, out)) look_at_moment(entry->sample, entry->has_spoken, arrived, out);
  }
}

/// After one of its timers.
void Engine::Impl::make_in_time(std::uint32_t i, Output& out) {
  deriver(instances[i]).begin();
  hand_over(i, out);
  arm(i);
}

/// A stored sample of a series that is made here.
void Engine::Impl::recall_made(std::uint32_t id, const Sample& sample) {
  const auto found = makers.find(texts[id].name);
  if (found == makers.end() || !instances[found->second.instance].detector) return;
  deriver(instances[found->second.instance]).resume(made_of(sample), found->second.unit);
  arm(found->second.instance);
}

/// Of sums. The lag is that of the samples before it.
void Engine::Impl::leave_out(const Interval& gap) {
  for (const Instance& instance : instances) {
    if (instance.detector && policies[instance.rule].derives)
      deriver(instance).leave_out(gap.from - instance.lag, gap.to - instance.lag);
  }
}

/// What makes it was made anew.
void Engine::Impl::go_on(std::uint32_t i) {
  const Maker* maker = i < maker_of.size() ? maker_of[i] : nullptr;
  if (maker == nullptr || !maker->series || !series[*maker->series].newest) return;
  recall_made(*maker->series, *series[*maker->series].newest);
}

/// Of the newest of what it reads in a moment, all at once.
void Engine::Impl::tell_moment(std::uint32_t i, const Sample& sample) {
  if (moment.end - moment.first < 2 || policies[instances[i].rule].lateness > Micros{0})
    return tell_inputs(i, as_input(i, sample));
  for (std::size_t at = moment.at; at < moment.end; ++at) {
    const Sample one = group[at].sample;
    if (reads(i, static_cast<std::uint32_t>(index(one.series)))) tell_inputs(i, as_input(i, one));
  }
}

/// It has been told of this moment when an earlier sample of it was looked at.
bool Engine::Impl::was_told(std::uint32_t i) const {
  if (policies[instances[i].rule].lateness > Micros{0}) return false;
  for (std::size_t at = moment.first; at < moment.at; ++at) {
    if (reads(i, static_cast<std::uint32_t>(index(group[at].sample.series)))) return true;
  }
  return false;
}

void Output::append_samples(std::span<const Sample> told, std::vector<Sample>& to) const {
  std::vector<std::size_t> order(samples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [this](auto one, auto other) { return behind[one] < behind[other]; });
  std::size_t next = 0;
  for (const std::size_t i : order) {
    const std::size_t end = std::max(next, std::min(behind[i], told.size()));
    to.insert(to.end(), told.begin() + static_cast<std::ptrdiff_t>(next),
              told.begin() + static_cast<std::ptrdiff_t>(end));
    to.push_back(samples[i]);
    next = end;
  }
  to.insert(to.end(), told.begin() + static_cast<std::ptrdiff_t>(next), told.end());
}

std::vector<MadeSeries> Engine::take_made_series() { return std::exchange(impl_->offered, {}); }

}  // namespace tidegate::rules
