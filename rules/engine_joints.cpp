// Rules that read several series: which, and what their samples do.

#include <algorithm>
#include <utility>

#include "rules/engine_impl.h"

namespace tidegate::rules {
namespace {

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
  feeds[id].push_back(feed);
  series[id].feeds = true;
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
  std::vector<std::size_t> patterns;
  for (std::size_t w = 0; w < wanted_patterns.size(); ++w) {
    if (wanted_patterns[w].second.instance == i) patterns.push_back(w);
  }
  const auto is_member = [&](const Feed& feed) { return feed.instance == i && feed.input != feed.reads; };
  for (std::uint32_t id = 0; id < series.size(); ++id) {
    if (!series[id].declared) continue;
    if (series[id].feeds) {
      std::erase_if(feeds[id], is_member);
      for (const Feed& feed : feeds[id]) {
        if (feed.instance == i && series[id].newest)
          instances[i].last = look(instances[i], *series[id].newest, series[id].heard, feed.input);
      }
    }
    for (const std::size_t w : patterns) {
      if (wanted_patterns[w].first.matches(texts[id].name)) add_member(wanted_patterns[w].second, id);
    }
  }
}

/// One that does not fit the others is left out: the rule says so among its problems.
void Engine::Impl::add_member(const Feed& pattern, std::uint32_t id) {
  Instance& instance = instances[pattern.instance];
  const auto input = joint(instance).add(pattern.input, texts[id].known);
  std::string& problem = problems[pattern.instance];
  const std::string about = texts[id].name + ": ";
  if (!input) {
    problem = about + input.error().text;
    return;
  }
  if (problem.starts_with(about)) problem.clear();
  attach(id, {pattern.instance, *input, pattern.reads, pattern.judges});
  if (series[id].newest) instance.last = look(instance, *series[id].newest, series[id].heard, *input);
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
    }
  }
  for (const auto& [pattern, feed] : wanted_patterns) {
    if (pattern.matches(name) && instances[feed.instance].detector) join(feed, id, now, out);
  }
}

/// A series of a pattern is a new member, or has changed.
void Engine::Impl::join(const Feed& pattern, std::uint32_t id, Timestamp now, Output& out) {
  const auto is_it = [&](const Feed& f) { return f.instance == pattern.instance && f.reads == pattern.reads; };
  const Feed* member = nullptr;
  if (series[id].feeds) {
    const auto found = std::find_if(feeds[id].begin(), feeds[id].end(), is_it);
    if (found != feeds[id].end()) member = &*found;
  }
  if (member == nullptr) {
    add_member(pattern, id);
  } else {
    renew_input(Feed(*member), id, now, out);  // a copy: one that is made anew joins anew
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

/// What suppresses alerts first, and apart (`judging`): whether an alert is suppressed is known when it is raised.
void Engine::Impl::feed(const Sample& sample, Timestamp arrived, bool judging, Output& out) {
  for (const Feed& feed : feeds[index(sample.series)]) {
    if (feed.judges != judging) continue;
    Instance& instance = instances[feed.instance];
    if (!instance.detector) continue;
    if (policies[instance.rule].judged && instances[feed.instance - 1].due < sample.time)
      run_timers(feed.instance - 1, sample.time - Micros{1}, out);
    if (instance.due < sample.time) run_timers(feed.instance, sample.time - Micros{1}, out);
    const Finding finding = look(instance, sample, arrived, feed.input);
    take(feed.instance, finding, joint(instance).newest(), out);
  }
}

void Engine::Impl::recall_feeds(const Sample& sample, Timestamp arrived) {
  for (const Feed& feed : feeds[index(sample.series)]) {
    Instance& instance = instances[feed.instance];
    if (!instance.detector) continue;
    if (feed.judges) pass(feed.instance, arrived);
    instance.last = look(instance, sample, arrived, feed.input);
    arm(feed.instance);
  }
}

}  // namespace tidegate::rules
