#include "rules/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "gateway/config/schema.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "rules/derived.h"
#include "rules/engine.h"
#include "rules/message.h"
#include "rules/scenario_feed.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Shape;

constexpr Timestamp kStart = kScenarioStart;

Shape rule_list() { return Shape::list(rule_shape()); }

Shape scenario_shape() {
  const Shape time = Shape::duration(Micros{0}, std::chrono::days(365));
  const Shape series = Shape::object(
      "", {config::defaulted("unit", Shape::text(), "\"\"", ""),
           config::defaulted("kind", Shape::choice({"number", "counter", "boolean", "state"}), "number", ""),
           config::defaulted("states", Shape::list(Shape::text()), "[]", ""), config::defaulted("lag", time, "0s", ""),
           config::defaulted("ahead", time, "0s", "")});
  return Shape::object(
      "", {config::optional("rule", rule_shape(), ""), config::defaulted("rules", rule_list(), "[]", ""),
           config::defaulted("derived", Shape::list(derived_shape()), "[]", ""),
           config::defaulted("series", Shape::map(series), "{}", ""), config::required("every", time, ""),
           config::required("feed", Shape::map(Shape::list(Shape::any())), ""),
           config::defaulted("acknowledge",
                             Shape::list(Shape::object(
                                 "", {config::required("at", time, ""), config::required("alert", Shape::text(), ""),
                                      config::required("who", Shape::text(), "")})),
                             "[]", ""),
           config::defaulted("shelve",
                             Shape::list(Shape::object(
                                 "", {config::required("at", time, ""), config::required("alert", Shape::text(), ""),
                                      config::required("who", Shape::text(), ""), config::required("for", time, ""),
                                      config::defaulted("why", Shape::text(), "\"\"", "")})),
                             "[]", ""),
           config::defaulted("restart",
                             Shape::list(Shape::object(
                                 "", {config::required("at", time, ""), config::defaulted("down", time, "0s", "")})),
                             "[]", ""),
           config::defaulted("reload",
                             Shape::list(Shape::object(
                                 "", {config::required("at", time, ""), config::required("rules", rule_list(), "")})),
                             "[]", ""),
           config::required("expect", Shape::list(Shape::map(Shape::any())), ""),
           config::optional("announced", Shape::list(Shape::text()), ""),
           config::optional("made", Shape::list(Shape::text()), ""),
           config::optional("published", Shape::list(Shape::text()), ""),
           config::optional("written", Shape::list(Shape::text()), ""),
           config::defaulted("late", Shape::integer(0, 1000), "0", "")});
}

class Run {
 public:
  Run(const Node& scenario, Outcome& outcome)
      : scenario_(scenario), failures_(outcome.failures), timeline_(outcome.timeline) {}

  void run() {
    feed_ = read_feed(scenario_, failures_);
    compile(scenario_.has("rule") ? std::vector<Node>{scenario_["rule"]} : scenario_["rules"].items, kStart);
    if (engine_ && rules_.empty() && derived_.empty()) failures_.emplace_back("no rule is enabled");
    if (!engine_ || !times_are_right()) return;
    const std::vector<Timestamp> moments = written_moments();
    auto next = moments.begin();
    for (Timestamp second = kStart; next != moments.end(); second += std::chrono::seconds(1)) {
      for (; next != moments.end() && *next < second; ++next) play(*next);
      if (next != moments.end() && *next == second) ++next;
      play(second);
    }
    check_said("announced", announced_);
    check_said("published", published_);
    check_said("written", written_);
    check_said("made", made_);
    if (const auto late = static_cast<std::int64_t>(late_ + engine_->late_samples());
        late != scenario_.integer("late")) {
      failures_.push_back(fmt::format("late samples: expected {}, got {}", scenario_.integer("late"), late));
    }
  }

 private:
  static Micros span_of(const Node& node) { return parse_duration(node.text).value_or(Micros{-1}); }
  static std::string clock(Timestamp time) { return duration_text(time - kStart); }

  static Node list_of(const std::vector<Node>& items) {
    Node list(Node::Kind::list);
    list.items = items;
    return list;
  }

  void compile(const std::vector<Node>& items, Timestamp now) {
    config::Problems problems;
    rules_ = parse_rules(list_of(items), problems);
    derived_ = parse_derived(scenario_["derived"], problems);
    if (!problems.empty()) return failures_.push_back(problems.text());
    engine_ = engine_ ? Engine(all_rules(), *engine_) : Engine(all_rules());
    declare_all(now);
  }

  std::vector<Rule> all_rules() const {
    std::vector<Rule> all = derived_;
    all.insert(all.end(), rules_.begin(), rules_.end());
    return all;
  }

  /// As the pump does: what is made of what is declared is declared in turn.
  void declare_all(Timestamp now) {
    for (const std::string& name : engine_->literal_series()) feed_.id_of(name);
    for (std::size_t i = 0; i < feed_.series.size(); ++i) declare(i, now);
    for (auto made = engine_->take_made_series(); !made.empty(); made = engine_->take_made_series()) {
      for (MadeSeries& one : made) {
        const std::size_t place = index(feed_.id_of(one.name));
        feed_.series[place].info = std::move(one.info);
        declare(place, now);
      }
    }
    for (const auto& all : {engine_->status(), engine_->derived_status()}) {
      for (const auto& status : all) failures_.insert(failures_.end(), status.problems.begin(), status.problems.end());
    }
  }

  void declare(std::size_t place, Timestamp now) {
    const FedSeries& known = feed_.series[place];
    Output out;
    engine_->declare(SeriesId{static_cast<std::uint32_t>(place)}, known.name, known.info, known.states, now, out);
    for (const Rule& rule : rules_) {
      if (rule.series.matches(known.name)) ids_.insert(alert_id(rule, known.name));
    }
  }

  void restart(Timestamp now, Timestamp off_since) {
    late_ += engine_->late_samples();
    engine_ = Engine(all_rules());
    declare_all(now);
    if (off_since < now) unwatched_.push_back({off_since, now});
    remember(now);
  }

  void reload(const Node& item, Timestamp now) {
    compile(item["rules"].items, now);
    remember(now);
  }

  /// As the gateway does: what the journal keeps, and no more.
  void remember(Timestamp now) {
    for (const Interval& gap : unwatched_) engine_->unwatched(gap);
    const Micros lookback = std::max(kLeastLookback, engine_->lookback(now));
    std::vector<AlertRecord> records;
    for (const auto& [id, record] : records_) records.push_back(record);
    Output out;
    Timestamp from = now - Engine::kToldFor;
    for (const Event& event : told_) {
      const auto* flood = std::get_if<Flood>(&event.body);
      if (flood != nullptr) from = std::min(now - Engine::kToldFor, flood->on ? flood->since - Micros{1} : kNever);
    }
    std::erase_if(told_, [from](const Event& event) { return event.time <= from; });
    engine_->told(told_);
    engine_->restore(records, now, out);
    take(out, now);
    std::map<SeriesId, Sample> latest;
    for (const auto& [arrived, sample] : history_) {
      if (arrived > now - lookback) engine_->warm({&sample, 1}, arrived);
      const auto [at, is_new] = latest.emplace(sample.series, sample);
      if (!is_new && sample.time >= at->second.time) at->second = sample;
    }
    for (const auto& [id, sample] : latest) engine_->warm({&sample, 1});
  }

  /// Each expectation and action has a time, and none lies where the gateway is off.
  bool times_are_right() {
    const std::size_t before = failures_.size();
    for (const std::string_view key : {"acknowledge", "shelve", "restart", "reload", "expect"}) {
      for (const Node& item : scenario_[key].items) {
        const Node* written = item.find("at");  // an expectation has keys of its author's own
        const auto at = written != nullptr ? parse_duration(written->text) : std::nullopt;
        if (!at) {
          failures_.push_back(fmt::format("{}: `at` must be a time, such as 40s or 1m30s, not '{}'",
                                          config::text(item.at), written != nullptr ? written->shown() : ""));
        } else if (const Node* off = off_at(*at); off != nullptr) {
          failures_.push_back(fmt::format("{}: at {} the gateway is off, by the restart at {}", config::text(item.at),
                                          duration_text(*at), off->shown()));
        }
      }
    }
    return failures_.size() == before;
  }
  /// The `at` of the restart, at which and after which it is off.
  const Node* off_at(Micros at) const {
    for (const Node& item : scenario_["restart"].items) {
      const Micros since = item.duration("at");
      if (at > since && at < since + item.duration("down")) return &item["at"];
    }
    return nullptr;
  }

  /// Beside each second, in order.
  std::vector<Timestamp> written_moments() const {
    std::vector<Timestamp> times{feed_.end};
    for (const Arrival& arrival : feed_.arrivals) times.push_back(arrival.at);
    for (const std::string_view key : {"acknowledge", "shelve", "restart", "reload", "expect"}) {
      for (const Node& item : scenario_[key].items) {
        times.push_back(kStart + span_of(item["at"]));
        if (item.has("down")) times.push_back(times.back() + span_of(item["down"]));
      }
    }
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    return times;
  }

  template <class Action>
  void each_at(std::string_view key, Timestamp now, const Action& action) {
    for (const Node& item : scenario_[key].items) {
      if (kStart + span_of(item["at"]) == now) action(item);
    }
  }

  void play(Timestamp now) {
    std::vector<Sample> batch;
    for (; next_ < feed_.arrivals.size() && feed_.arrivals[next_].at == now; ++next_)
      batch.push_back(feed_.arrivals[next_].sample);
    if (now < down_until_) return;
    if (down_until_ != Timestamp{}) {
      down_until_ = {};
      restart(now, down_since_);
    }
    Output out;
    engine_->observe(batch, now, out);
    engine_->tick(now, out);
    std::vector<Sample> all;
    out.append_samples(batch, all);
    for (const Sample& sample : all) history_.push_back({now, sample});
    each_at("acknowledge", now, [&](const Node& item) {
      if (!engine_->acknowledge({id_meant(item.string("alert")), item.string("who"), ""}, now, out)) {
        failures_.push_back(fmt::format("{}: nothing to acknowledge", clock(now)));
      }
    });
    each_at("shelve", now, [&](const Node& item) {
      const Shelve wish{id_meant(item.string("alert")), item.string("who"), item.string("why"),
                        now + item.duration("for")};
      if (!engine_->shelve(wish, now, out)) failures_.push_back(fmt::format("{}: nothing to shelve", clock(now)));
    });
    take(out, now);
    each_at("expect", now, [&](const Node& item) { compare(item, now); });
    each_at("restart", now, [&](const Node& item) {
      if (item.duration("down") == Micros{0}) return restart(now, now);
      down_since_ = now;
      down_until_ = now + item.duration("down");
    });
    each_at("reload", now, [&](const Node& item) { reload(item, now); });
  }

  std::string in_words(const Sample& sample) const {
    const FedSeries& of = feed_.series[index(sample.series)];
    const std::string reason = sample.reason == Reason::none ? "" : fmt::format(" ({})", name(sample.reason));
    const std::string value = of.info.kind == SeriesKind::boolean ? (sample.value != 0 ? "true" : "false")
                              : of.info.unit.empty()              ? number_text(sample.value)
                                                                  : number_text(sample.value) + ' ' + of.info.unit;
    return fmt::format("{} {} {}{}{}", clock(sample.time), of.name, sample.quality == Quality::bad ? "bad" : value,
                       sample.quality == Quality::uncertain ? " uncertain" : "", reason);
  }

  void take(const Output& out, Timestamp now) {
    for (const Sample& sample : out.samples) made_.push_back(in_words(sample));
    for (const Event& event : out.events) {
      if (const auto* gap = std::get_if<Unwatched>(&event.body)) {
        unwatched_.push_back({gap->since, event.time});
        continue;
      }
      if (const auto* flood = std::get_if<Flood>(&event.body)) {
        announced_.push_back(flood->on ? fmt::format("{} flood, first {}", clock(event.time), flood->first)
                                       : fmt::format("{} flood over after {}", clock(event.time), flood->count));
        told_.push_back(event);
        continue;
      }
      const auto& transition = std::get<AlertTransition>(event.body);
      announced_.push_back(fmt::format("{} {} {}", clock(event.time), transition.alert.id, transition.cause));
      for (const Publication& one : transition.publish)
        published_.push_back(fmt::format("{} {} {}", clock(event.time), one.topic, one.payload));
      for (const PointSetting& one : transition.write)
        written_.push_back(fmt::format("{} {} {}", clock(event.time), one.point, one.value));
      told_.push_back({called_at(event.time, now), event.body});
    }
    for (const AlertRecord& record : out.alerts) {
      const Phase before = last_[record.id].phase;
      if (before != record.phase) {
        timeline_.push_back(fmt::format("{} {} {} -> {}{}{}", clock(record.since), record.id, name(before),
                                        name(record.phase), record.phase == Phase::active ? ": " : "",
                                        record.phase == Phase::active ? record.message : ""));
      }
      last_[record.id] = record;
      records_.erase(record.id);
      if (!over(record)) records_[record.id] = record;
    }
  }

  /// With one rule the captures are enough.
  std::string id_meant(const std::string& written) const {
    if (ids_.contains(written) || rules_.size() != 1) return written;
    return fmt::format("{}:{}", rules_[0].name, written);
  }

  void compare(const Node& item, Timestamp now) {
    AlertRecord record;
    for (const Node::Entry& entry : item.entries) {
      if (!phase_from(entry.value.text)) continue;
      const std::string id = id_meant(entry.key);
      if (!ids_.contains(id)) {
        failures_.push_back(fmt::format("{}: no rule and series have the alert '{}'; there {}", config::text(entry.at),
                                        entry.key,
                                        ids_.empty() ? "is none" : fmt::format("are {}", fmt::join(ids_, ", "))));
      }
      record = last_[id];
      expect(now, entry.key, entry.value.text, name(record.phase));
    }
    const std::map<std::string, std::string> fields{
        {"severity", std::string(name(record.severity))},
        {"message", record.message},
        {"value", number_text(record.value)},
        {"limit", number_text(record.limit)},
        {"unit", record.unit},
        {"by", record.acknowledged_by},
        {"runbook", record.runbook},
        {"shelved_by", record.shelved_until == Timestamp{} ? "" : record.shelved_by},
        {"suppressed_by", record.suppressed_by},
        {"chatter", std::to_string(record.chatter)},
        {"silenced", silenced(record) ? "true" : "false"},
        {"acknowledged", record.acknowledged ? "true" : "false"}};
    for (const Node::Entry& entry : item.entries) {
      if (entry.key == "at" || phase_from(entry.value.text)) continue;
      const auto field = fields.find(entry.key);
      if (field == fields.end() && ids_.contains(id_meant(entry.key))) {
        failures_.push_back(
            fmt::format("{}: '{}' is no phase: an alert is normal, pending, active, clearing or returned",
                        config::text(entry.at), entry.value.text));
      } else if (field == fields.end()) {
        failures_.push_back(fmt::format("{}: '{}' is neither a phase nor a field", config::text(entry.at), entry.key));
      } else {
        expect(now, entry.key, entry.value.text, field->second);
      }
    }
  }

  /// Numbers by what they are, not by how they are written.
  void expect(Timestamp now, const std::string& what, std::string_view expected, std::string_view actual) {
    double wanted = 0, got = 0;
    const bool numbers =
        (what == "value" || what == "limit") && parse_number(expected, wanted) && parse_number(actual, got);
    const bool same = numbers ? std::abs(wanted - got) <= 1e-9 * std::max(1.0, std::abs(wanted)) : expected == actual;
    if (!same) failures_.push_back(fmt::format("{} {}: expected '{}', got '{}'", clock(now), what, expected, actual));
  }

  void check_said(std::string_view key, const std::vector<std::string>& said) {
    if (!scenario_.has(key)) return;
    const auto expected = scenario_[key].strings();
    if (expected == said) return;
    const auto lines = [](const std::vector<std::string>& all) {
      return all.empty() ? std::string("nothing") : fmt::format("{}", fmt::join(all, "\n  "));
    };
    failures_.push_back(fmt::format("{}: expected\n  {}\ngot\n  {}", key, lines(expected), lines(said)));
  }

  const Node& scenario_;
  std::vector<std::string>&failures_, &timeline_;
  Feed feed_;
  std::size_t next_ = 0;
  Timestamp down_since_{}, down_until_{};
  std::vector<Interval> unwatched_;
  std::vector<Rule> rules_, derived_;
  std::optional<Engine> engine_;
  std::vector<Arrival> history_;
  std::map<std::string, AlertRecord> records_, last_;
  std::set<std::string> ids_;  ///< of every alert there may be
  std::vector<std::string> announced_, published_, written_, made_;
  std::vector<Event> told_;  ///< the same, as the journal keeps it
  std::uint64_t late_ = 0;
};

/// One that is only named is one of the configuration's.
void put_item(Node& written, const Node& known, std::string_view what, config::Problems& problems) {
  if (written.kind != Node::Kind::scalar || written.refused) return;
  std::vector<std::string> names;
  for (const Node& item : known.items) {
    const Node* name = item.find("name");
    if (name == nullptr) continue;
    if (name->text == written.text) {
      written = item;
      return;
    }
    names.push_back(name->text);
  }
  problems.add(written.at, names.empty() ? fmt::format("there is no {} '{}': no configuration with {} was read", what,
                                                       written.shown(), what == "rule" ? "rules" : "derived series")
                                         : fmt::format("there is no {} '{}' in the configuration{}", what,
                                                       written.shown(), did_you_mean(written.text, names)));
  written = Node::refusal(written.at);
}

}  // namespace

Outcome run_scenario(Node scenario, const Node& rules, const Node& derived) {
  config::Problems problems;
  if (Node* rule = scenario.find("rule")) put_item(*rule, rules, "rule", problems);
  if (Node* list = scenario.find("rules")) {
    for (Node& rule : list->items) put_item(rule, rules, "rule", problems);
  }
  if (Node* list = scenario.find("derived")) {
    for (Node& one : list->items) put_item(one, derived, "derived series", problems);
  }
  if (scenario.kind == Node::Kind::map && scenario.has("rule") && scenario.has("rules")) {
    problems.add(scenario.at, "a test has `rule` or `rules`, not both");
  } else if (scenario.kind == Node::Kind::map && !scenario.has("rule") && !scenario.has("rules") &&
             !scenario.has("derived")) {
    problems.add(scenario.at, "a test needs a `rule`, or `rules`, or `derived`");
  }
  config::check(scenario, scenario_shape(), problems);
  Outcome outcome;
  if (!problems.empty()) {
    outcome.failures.push_back(problems.text());
  } else {
    Run(scenario, outcome).run();
  }
  return outcome;
}

}  // namespace tidegate::rules
