// Rules that read several series: which, and what their samples do.

#include <algorithm>
#include <utility>

#include "rules/engine_impl.h"

namespace tidegate::rules {
namespace {

constexpr std::uint32_t kNoInstance = static_cast<std::uint32_t>(-1);
constexpr auto kByInstance = [](const Feed& one, const Feed& other) { return one.instance < other.instance; };

std::string with_captures(std::string text, const Captures& captures) {
  for (const auto& [name, value] : captures) {
    const std::string place = "{" + std::string(name) + "}";
    for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += value.size())
      text.replace(at, place.size(), value);
  }
  return text;
}

}  // namespace

std::string input_name(const Rule& rule, const Reads& reads, std::string_view series) {
  if (reads.kind == Reads::Kind::own) return std::string(series);
  if (reads.kind == Reads::Kind::sibling) return std::string(series.substr(0, series.rfind('/') + 1)) + reads.name;
  return with_captures(reads.name, rule.series.match(series).value_or(Captures{}));
}

/// Samples of the series go to the instance from now on.
void Engine::Impl::attach(std::uint32_t id, const Feed& feed) {
  feeds.resize(std::max(feeds.size(), series.size()));
  feeds[id].insert(std::upper_bound(feeds[id].begin(), feeds[id].end(), feed, kByInstance), feed);
  series[id].feeds = true;
  series[id].waits |= policies[instances[feed.instance].rule].lateness > Micros{0};
  series[id].yields |= policies[instances[feed.instance].rule].derives;
}

/// Series that are known are read from now on; of the others connect() hears when they are declared.
void Engine::Impl::want_inputs(std::uint32_t i) {
  const Rule& rule = rules[instances[i].rule];
  const auto& all = rule.reads;
  for (std::size_t input = 0; input < all.size(); ++input) {
    if (all[input].kind == Reads::Kind::own) continue;
    const Feed feed{i, input, input, policies[instances[i].rule].judges};
    std::string name = input_name(rule, all[input], texts[instances[i].series].name);
    if (all[input].kind == Reads::Kind::pattern) {
      if (auto pattern = Pattern::parse(name)) wanted_patterns.emplace_back(std::move(*pattern), feed);
      continue;
    }
    if (const auto found = by_name.find(name); found != by_name.end()) attach(found->second, feed);
    wanted[std::move(name)].push_back(feed);
  }
}

/// A detector that is made anew numbers the members of its patterns anew, and is told the newest of what it reads.
void Engine::Impl::add_members(std::uint32_t i) {
  for (auto& of_series : feeds)
    std::erase_if(of_series, [i](const Feed& feed) { return feed.instance == i && feed.input != feed.reads; });
  std::erase_if(misfits, [i](const auto& one) { return one.first == i; });
  for (const auto& [pattern, feed] : wanted_patterns) {
    if (feed.instance != i) continue;
    for (std::uint32_t id = 0; id < series.size(); ++id) {
      if (series[id].declared && pattern.matches(texts[id].name)) add_member(feed, id);
    }
  }
  for (std::uint32_t id = 0; id < series.size(); ++id) {
    if (series[id].newest && reads(i, id)) instances[i].last = look(i, *series[id].newest, series[id].heard);
  }
}

bool Engine::Impl::reads(std::uint32_t i, std::uint32_t id) const {
  if (instances[i].series == id) return true;
  return series[id].feeds && std::binary_search(feeds[id].begin(), feeds[id].end(), Feed{i, 0, 0, false}, kByInstance);
}

/// One that does not fit the others is left out: the rule says so among its problems. Its input, where it is taken.
std::optional<std::size_t> Engine::Impl::add_member(const Feed& pattern, std::uint32_t id) {
  const auto input = joint(instances[pattern.instance]).add(pattern.input, texts[id].known);
  const std::string about = texts[id].name + ": ";
  note_misfit(pattern.instance, id, !input);
  if (!input) {
    problems[pattern.instance] = about + input.error().text;
    return std::nullopt;
  }
  const auto problem = problems.find(pattern.instance);
  if (problem != problems.end() && problem->second.starts_with(about)) problems.erase(problem);
  attach(id, {pattern.instance, *input, pattern.reads, pattern.judges});
  return *input;
}

/// What is made of a pattern is not whole then.
void Engine::Impl::note_misfit(std::uint32_t i, std::uint32_t id, bool is_one) {
  if (!policies[instances[i].rule].derives) return;
  if (is_one) {
    misfits.emplace(i, id);
  } else {
    misfits.erase({i, id});
  }
  const auto first = misfits.lower_bound({i, 0});
  static_cast<Deriver&>(*instances[i].detector).lacks_members(first != misfits.end() && first->first == i);
}

/// A series was declared, or has changed.
void Engine::Impl::connect(std::uint32_t id, Timestamp now, Output& out) {
  const std::string name = texts[id].name;
  if (const auto found = wanted.find(name); found != wanted.end()) {
    for (const Feed& feed : found->second) {
      const auto same = [&](const Feed& f) { return f.instance == feed.instance && f.input == feed.input; };
      const bool attached = series[id].feeds && std::any_of(feeds[id].begin(), feeds[id].end(), same);
      if (!attached) attach(id, feed);
      renew_input(feed, id, now, out);
      if (instances[feed.instance].detector) arm(feed.instance);
    }
  }
  for (const auto& [pattern, feed] : wanted_patterns) {
    if (pattern.matches(name) && instances[feed.instance].detector) join(feed, id, now, out);
  }
}

/// A series of a pattern is a new member, or has changed.
void Engine::Impl::join(const Feed& pattern, std::uint32_t id, Timestamp now, Output& out) {
  const auto is_it = [&](const Feed& f) { return f.instance == pattern.instance && f.reads == pattern.reads; };
  const auto member = series[id].feeds ? std::find_if(feeds[id].begin(), feeds[id].end(), is_it) : Feeds::iterator{};
  if (series[id].feeds && member != feeds[id].end()) {
    renew_input(Feed(*member), id, now, out);  // a copy: one that is made anew joins anew
  } else if (const auto input = add_member(pattern, id); input && series[id].newest) {
    Joint& all = joint(instances[pattern.instance]);
    all.hear(*input, *series[id].newest);
    instances[pattern.instance].last = all.judge();
  }
  if (instances[pattern.instance].detector) arm(pattern.instance);
}

/// The same of the series that it watches. False: it has to be made anew.
bool Engine::Impl::renew_own(std::uint32_t i) const {
  if (!instances[i].detector) return false;
  const auto& reads = rules[instances[i].rule].reads;
  for (std::size_t input = 0; input < reads.size(); ++input) {
    if (reads[input].kind == Reads::Kind::own)
      return joint(instances[i]).know(input, texts[instances[i].series].known).has_value();
  }
  return true;
}

/// What its windows hold stays, as long as the rule makes sense for what the series has become.
void Engine::Impl::renew_input(const Feed& feed, std::uint32_t id, Timestamp now, Output& out) {
  Instance& instance = instances[feed.instance];
  if (instance.detector && joint(instance).know(feed.input, texts[id].known)) return;
  instance.detector = nullptr;
  fit(feed.instance, now, out);
}

/// To each input of the instance that is this series.
void Engine::Impl::tell_inputs(std::uint32_t i, const Sample& sample) {
  Joint& all = joint(instances[i]);
  const auto id = static_cast<std::uint32_t>(index(sample.series));
  if (id == instances[i].series) all.hear_own(sample);
  if (!series[id].feeds) return;
  const auto [first, last] = std::equal_range(feeds[id].begin(), feeds[id].end(), Feed{i, 0, 0, false}, kByInstance);
  for (auto feed = first; feed != last; ++feed) all.hear(feed->input, sample);
}

/// Each instance of another series that reads this one, once.
template <class Take>
void Engine::Impl::each_reader(std::uint32_t id, const Take& take) {
  std::uint32_t before = kNoInstance;
  for (const Feed& feed : feeds[id]) {
    const Instance& instance = instances[feed.instance];
    const bool is_done = std::exchange(before, feed.instance) == feed.instance;
    if (!is_done && instance.detector && instance.series != id) take(feed);
  }
}

/// What suppresses alerts first, and apart (`judging`): whether an alert is suppressed is known when it is raised.
/// True: some rule looks at it, now or later.
bool Engine::Impl::feed(const Sample& sample, bool is_newest, bool judging, Timestamp arrived, Output& out) {
  bool is_taken = false;
  each_reader(static_cast<std::uint32_t>(index(sample.series)), [&](const Feed& feed) {
    if (feed.judges != judging || policies[instances[feed.instance].rule].derives) return;
    if (policies[instances[feed.instance].rule].lateness > Micros{0}) {
      is_taken |= hold(feed.instance, {sample, arrived, Origin::now}, is_newest, out);
    } else if (is_newest) {
      evaluate(feed.instance, sample, arrived, true, out);
    }
  });
  return is_taken;
}

void Engine::Impl::recall_feeds(const Sample& sample, bool is_newest, Timestamp arrived, Origin origin) {
  each_reader(static_cast<std::uint32_t>(index(sample.series)), [&](const Feed& feed) {
    if (is_newest || policies[instances[feed.instance].rule].lateness > Micros{0})
      recall_one(feed.instance, sample, is_newest, arrived, origin);
  });
}

}  // namespace tidegate::rules
