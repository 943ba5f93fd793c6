#include "gateway/app/play.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "gateway/journal/merged_scan.h"
#include "gateway/journal/scan.h"
#include "gateway/tools/events.h"

namespace tidegate::app {
namespace {

/// The last value of a series that seldom speaks is looked for so far before the range.
constexpr Micros kBefore = std::chrono::days(7);

SeriesId id_of(std::size_t input) { return SeriesId{static_cast<std::uint32_t>(input)}; }

/// When the gateway was off, as far as the log's events still tell.
Result<std::vector<rules::Interval>> times_off(journal::StoreView& view) {
  std::vector<rules::Interval> off;
  const Status read = tools::for_each_event(view, [&](const journal::StoredEvent& stored) {
    if (const auto* gap = std::get_if<Unwatched>(&stored.event.body)) off.push_back({gap->since, stored.event.time});
  });
  if (!read) return fail(read.error());
  std::sort(off.begin(), off.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  return off;
}

/// Until when the gateway is known to have watched: what it would have made of the time after its last commit, nobody
/// knows.
Result<Timestamp> last_watched(journal::StoreView& view) {
  const auto committed = view.log().number("SELECT max(committed) FROM batch");
  if (!committed) return fail(committed.error());
  return Timestamp{Micros{*committed}};
}

}  // namespace

Status Play::prepare() {
  auto off = times_off(view_);
  if (!off) return fail(std::move(off.error()));
  off_ = std::move(*off);
  const auto last = last_watched(view_);
  if (!last) return fail(last.error());
  end_ = std::min(range_.to, *last);
  return {};
}

Status Play::run(const std::vector<Variant>& variants) {
  if (Status status = prepare(); !status) return status;
  fed_.assign(variants.size(), false);
  read_.assign(view_.series().size(), false);
  for (const auto& stored : view_.series()) {
    if (Status status = play(stored.name, variants); !status) return status;
  }
  for (const auto& [name, made] : unstored_.series()) {
    if (Status status = play(name, variants); !status) return status;
  }
  tell_what_is_not_stored(variants);
  return {};
}

/// The alerts of all variants that watch one series.
Status Play::play(const std::string& name, const std::vector<Variant>& variants) {
  std::vector<Part> parts;
  std::map<std::size_t, std::vector<Part*>> readers;
  parts.reserve(variants.size());
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const Variant& variant = variants[i];
    if (!variant.rule().series.matches(name)) continue;
    const Needed needed = this->needed(variant, name);
    rules::Replay replay(variant.rules, variant.subject, name, off_, makes(needed));
    const bool joins = variant.rule().join != nullptr || !needed.made().empty();
    Part& part = parts.emplace_back(Part{i, view_.find(name), std::move(replay), joins});
    for (const std::size_t one : needed.places()) readers[one].push_back(&part);
    made_.insert(needed.made().begin(), needed.made().end());
  }
  if (parts.empty()) return {};
  std::vector<Input> inputs;
  for (auto& [one, who] : readers) inputs.push_back({one, std::move(who)});
  if (Status status = recall(inputs); !status) return status;
  if (Status status = feed(inputs); !status) return status;
  return finish(variants, parts);
}

/// The series that decide about an alert: what its rule reads, and what those read that suppress it.
Needed Play::needed(const Variant& variant, const std::string& own) const {
  Needed needed(view_, unstored_);
  needed.add(own);
  needed.add_reads(variant.rule(), own);
  const Captures captures = variant.rule().series.match(own).value_or(Captures{});
  for (std::size_t i = 0; i < variant.rules.size(); ++i) {
    if (i == variant.subject) continue;
    const rules::Rule& parent = variant.rules[i];
    const auto add = [&](const std::string& name) {
      const auto match = parent.series.match(name);
      if (!match || !rules::same_thing(captures, *match)) return;
      needed.add(name);
      needed.add_reads(parent, name);
    };
    for (const auto& stored : view_.series()) add(stored.name);
    for (const auto& [name, made] : unstored_.series()) add(name);
  }
  return needed;
}

/// Their numbers are behind those of all that is stored.
rules::Makes Play::makes(const Needed& needed) const {
  rules::Makes makes;
  if (needed.made().empty()) return makes;
  makes.rules = unstored_.rules();
  for (const std::string& name : needed.made()) makes.series[name] = id_of(view_.series().size() + makes.series.size());
  return makes;
}

/// A door that was open before the range begins is open, where a rule reads it beside other series.
Status Play::recall(const std::vector<Input>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& [place, readers] = inputs[i];
    if (std::none_of(readers.begin(), readers.end(), [](const Part* part) { return part->joins; })) continue;
    journal::Scan scan(view_, {{place}, range_.from - kBefore, range_.from, true}, stop_);
    const auto newest = scan.next();
    if (!newest) return fail(newest.error());
    for (Part* part : readers) {
      if (!part->joins || newest->samples.empty()) continue;
      declare(*part, place, i, range_.from);
      part->replay.recall(id_of(i), newest->samples.front());
    }
  }
  return {};
}

Status Play::feed(const std::vector<Input>& inputs) {
  std::vector<std::size_t> places;
  for (const Input& input : inputs) places.push_back(input.place);
  std::vector<std::uint64_t> samples(inputs.size());
  journal::MergedScan scan(view_, places, range_.from, range_.to, stop_);
  while (true) {
    const auto portion = scan.next();
    if (!portion) return fail(portion.error());
    if (portion->samples.empty()) break;
    const auto& [place, readers] = inputs[portion->input];
    for (Part* part : readers) {
      if (samples[portion->input] == 0) declare(*part, place, portion->input, portion->samples.front().time);
      part->replay.observe(id_of(portion->input), portion->samples);
    }
    samples[portion->input] += portion->samples.size();
    if (!read_[place]) samples_ += portion->samples.size();
    progress_.show([&] { return tools::counted(samples_, "sample", "samples"); });
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (samples[i] == 0 || read_[places[i]]) continue;
    read_[places[i]] = true;
    ++series_;
  }
  return {};
}

void Play::declare(Part& part, std::size_t place, std::size_t input, Timestamp now) {
  const journal::Catalogue::Entry& series = view_.series()[place];
  SeriesInfo info = series.info;
  info.source.clear();  // what is stored of a derived series is taken as it is
  part.replay.declare(id_of(input), series.name, info, series.labels, now);
  if (part.place.value_or(place) == place) fed_[part.variant] = true;
}

Status Play::finish(const std::vector<Variant>& variants, std::vector<Part>& parts) {
  std::string told;
  for (Part& part : parts) {
    part.replay.finish(end_);
    const std::string problem = part.replay.problem();
    if (!problem.empty() && problem != std::exchange(told, problem)) {
      progress_.clear();
      fmt::print(stderr, "{} does not watch {}\n", variants[part.variant].rule().name, problem);
    }
    if (Status status = take_(part.variant, part.replay); !status) return status;
  }
  return {};
}

void Play::tell_what_is_not_stored(const std::vector<Variant>& variants) {
  if (!made_.empty()) {
    progress_.clear();
    fmt::print(stderr, "made of what is stored: {}\n", fmt::join(made_, ", "));
  }
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const rules::Rule& rule = variants[i].rule();
    const bool is_next_of_one = i > 0 && rule.name == variants[i - 1].rule().name;
    if (fed_[i] || is_next_of_one) continue;
    progress_.clear();
    fmt::print(stderr, "{}: nothing is stored of {} in this time\n", rule.name, rule.series.text());
  }
}

}  // namespace tidegate::app
