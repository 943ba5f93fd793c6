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
#include "rules/engine.h"
#include "rules/message.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Shape;

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

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
           config::defaulted("series", Shape::map(series), "{}", ""), config::required("every", time, ""),
           config::required("feed", Shape::map(Shape::list(Shape::any())), ""),
           config::defaulted("acknowledge",
                             Shape::list(Shape::object(
                                 "", {config::required("at", time, ""), config::required("alert", Shape::text(), ""),
                                      config::required("who", Shape::text(), "")})),
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
           config::defaulted("late", Shape::integer(0, 1000), "0", "")});
}

struct Arrival {
  Timestamp at;
  Sample sample;
};

class Run {
 public:
  Run(const Node& scenario, Outcome& outcome)
      : scenario_(scenario), failures_(outcome.failures), timeline_(outcome.timeline) {}

  void run() {
    declare_series();
    read_feed();
    compile(scenario_.has("rule") ? std::vector<Node>{scenario_["rule"]} : scenario_["rules"].items, kStart);
    if (!engine_) return;
    std::stable_sort(arrivals_.begin(), arrivals_.end(),
                     [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
    for (const Timestamp now : moments()) play(now);
    check_announced();
    if (const auto late = static_cast<std::int64_t>(late_ + engine_->late_samples());
        late != scenario_.integer("late")) {
      failures_.push_back(fmt::format("late samples: expected {}, got {}", scenario_.integer("late"), late));
    }
  }

 private:
  struct Known {
    std::string name;
    SeriesInfo info;
    std::vector<std::string> states;
    Micros lag{0};
  };

  static Micros span_of(const Node& node) { return parse_duration(node.text).value_or(Micros{-1}); }
  static std::string clock(Timestamp time) { return duration_text(time - kStart); }

  SeriesId id_of(const std::string& name) {
    const auto found =
        std::find_if(series_.begin(), series_.end(), [&](const Known& known) { return known.name == name; });
    if (found != series_.end()) return SeriesId{static_cast<std::uint32_t>(found - series_.begin())};
    series_.push_back({name, {}, {}, {}});
    return SeriesId{static_cast<std::uint32_t>(series_.size() - 1)};
  }

  void declare_series() {
    for (const Node::Entry& entry : scenario_["series"].entries) {
      Known& known = series_[index(id_of(entry.key))];
      known.info.unit = entry.value.string("unit");
      known.states = entry.value["states"].strings();
      known.lag = entry.value.duration("lag") - entry.value.duration("ahead");
      for (const SeriesKind kind : {SeriesKind::number, SeriesKind::counter, SeriesKind::boolean, SeriesKind::state}) {
        if (name(kind) == entry.value.string("kind")) known.info.kind = kind;
      }
    }
  }

  void read_feed() {
    for (const Node::Entry& entry : scenario_["feed"].entries) {
      const SeriesId id = id_of(entry.key);
      Timestamp at = kStart;
      for (const Node& item : entry.value.items) read_token(id, item, at);
    }
  }

  void read_token(SeriesId id, const Node& item, Timestamp& at) {
    std::string_view text = item.text;
    std::int64_t times = 1;
    double count = 0;
    if (const std::size_t x = text.rfind('x'); x != std::string_view::npos && parse_number(text.substr(x + 1), count)) {
      times = static_cast<std::int64_t>(count);
      text = text.substr(0, x);
    }
    for (; times > 0; --times, at += scenario_.duration("every")) {
      end_ = std::max(end_, at);
      if (text == "_") continue;
      arrivals_.push_back({at, sample(id, text, at, item)});
    }
  }

  Sample sample(SeriesId id, std::string_view text, Timestamp at, const Node& item) {
    Sample sample{id, Quality::good, Reason::none, at - series_[index(id)].lag, 0};
    if (text == "bad") return {id, Quality::bad, Reason::no_answer, at, 0};
    if (const std::size_t mark = text.find('@'); mark != std::string_view::npos) {
      sample.time = kStart + parse_duration(text.substr(mark + 1)).value_or(Micros{0});
      text = text.substr(0, mark);
    }
    for (const auto& [word, reason] :
         {std::pair{std::string_view("retained:"), Reason::retained}, {"uncertain:", Reason::clock}}) {
      if (!text.starts_with(word)) continue;
      sample.quality = Quality::uncertain;
      sample.reason = reason;
      text.remove_prefix(word.size());
    }
    const auto& states = series_[index(id)].states;
    const auto state = std::find(states.begin(), states.end(), text);
    if (state != states.end()) {
      sample.value = static_cast<double>(state - states.begin());
    } else if (text == "nan") {
      sample.value = std::numeric_limits<double>::quiet_NaN();
    } else if (!parse_number(text, sample.value)) {
      failures_.push_back(fmt::format("{}: '{}' is no sample", config::text(item.at), item.text));
    }
    return sample;
  }

  void compile(const std::vector<Node>& items, Timestamp now) {
    Node list;
    list.kind = Node::Kind::list;
    list.items = items;
    config::Problems problems;
    rules_ = parse_rules(list, problems);
    if (!problems.empty()) return failures_.push_back(problems.text());
    engine_ = engine_ ? Engine(rules_, *engine_) : Engine(rules_);
    declare_all(now);
  }

  void declare_all(Timestamp now) {
    for (const std::string& name : engine_->literal_series()) id_of(name);
    Output out;
    for (std::size_t i = 0; i < series_.size(); ++i) {
      const Known& known = series_[i];
      engine_->declare(SeriesId{static_cast<std::uint32_t>(i)}, known.name, known.info, known.states, now, out);
      for (const Rule& rule : rules_) {
        if (rule.series.matches(known.name)) ids_.insert(alert_id(rule, known.name));
      }
    }
    for (const auto& status : engine_->status()) {
      for (const std::string& problem : status.problems) failures_.push_back(problem);
    }
  }

  void restart(Timestamp now, Timestamp off_since) {
    late_ += engine_->late_samples();
    engine_ = Engine(rules_);
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
    const Micros lookback = engine_->lookback(now);
    std::vector<AlertRecord> records;
    for (const auto& [id, record] : records_) records.push_back(record);
    Output out;
    engine_->restore(records, now, out);
    take(out);
    std::map<SeriesId, Sample> latest;
    for (const auto& [arrived, sample] : history_) {
      if (arrived > now - lookback) engine_->warm({&sample, 1}, arrived);
      const auto [at, is_new] = latest.emplace(sample.series, sample);
      if (!is_new && sample.time >= at->second.time) at->second = sample;
    }
    for (const auto& [id, sample] : latest) engine_->warm({&sample, 1});
  }

  std::set<Timestamp> moments() const {
    std::set<Timestamp> times;
    Timestamp end = end_;
    for (const Arrival& arrival : arrivals_) times.insert(arrival.at);
    for (const std::string_view key : {"acknowledge", "restart", "reload", "expect"}) {
      for (const Node& item : scenario_[key].items) {
        const Timestamp at = kStart + span_of(item["at"]);
        times.insert(at);
        end = std::max(end, at + (item.has("down") ? span_of(item["down"]) : Micros{0}));
      }
    }
    for (Timestamp at = kStart; at <= end; at += std::chrono::seconds(1)) times.insert(at);
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
    for (; next_ < arrivals_.size() && arrivals_[next_].at == now; ++next_) batch.push_back(arrivals_[next_].sample);
    if (now < down_until_) return;
    if (down_until_ != Timestamp{}) {
      down_until_ = {};
      restart(now, down_since_);
    }
    Output out;
    engine_->observe(batch, now, out);
    for (const Sample& sample : batch) history_.push_back({now, sample});
    engine_->tick(now, out);
    each_at("acknowledge", now, [&](const Node& item) {
      if (!engine_->acknowledge({id_meant(item.string("alert")), item.string("who"), ""}, now, out)) {
        failures_.push_back(fmt::format("{}: nothing to acknowledge", clock(now)));
      }
    });
    take(out);
    each_at("expect", now, [&](const Node& item) { compare(item, now); });
    each_at("restart", now, [&](const Node& item) {
      if (item.duration("down") == Micros{0}) return restart(now, now);
      down_since_ = now;
      down_until_ = now + item.duration("down");
    });
    each_at("reload", now, [&](const Node& item) { reload(item, now); });
  }

  void take(const Output& out) {
    for (const Event& event : out.events) {
      if (const auto* gap = std::get_if<Unwatched>(&event.body)) {
        unwatched_.push_back({gap->since, event.time});
        continue;
      }
      const auto& transition = std::get<AlertTransition>(event.body);
      announced_.push_back(fmt::format("{} {} {}", clock(event.time), transition.alert.id, transition.cause));
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
      if (record.phase != Phase::normal) records_[record.id] = record;
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
        failures_.push_back(fmt::format("{}: no rule and series have the alert '{}'; there are {}",
                                        config::text(entry.at), entry.key, fmt::join(ids_, ", ")));
      }
      record = last_[id];
      expect(now, entry.key, entry.value.text, name(record.phase));
    }
    const std::map<std::string, std::string> fields{{"severity", std::string(name(record.severity))},
                                                    {"message", record.message},
                                                    {"value", number_text(record.value)},
                                                    {"limit", number_text(record.limit)},
                                                    {"unit", record.unit},
                                                    {"by", record.acknowledged_by},
                                                    {"runbook", record.runbook},
                                                    {"acknowledged", record.acknowledged ? "true" : "false"}};
    for (const Node::Entry& entry : item.entries) {
      if (entry.key == "at" || phase_from(entry.value.text)) continue;
      const auto field = fields.find(entry.key);
      if (field == fields.end()) {
        failures_.push_back(fmt::format("{}: '{}' is neither a phase nor a field", config::text(entry.at), entry.key));
      } else {
        expect(now, entry.key, entry.value.text, field->second);
      }
    }
  }

  void expect(Timestamp now, const std::string& what, std::string_view expected, std::string_view actual) {
    if (expected != actual)
      failures_.push_back(fmt::format("{} {}: expected '{}', got '{}'", clock(now), what, expected, actual));
  }

  void check_announced() {
    if (!scenario_.has("announced")) return;
    const auto expected = scenario_["announced"].strings();
    if (expected == announced_) return;
    const auto lines = [](const std::vector<std::string>& all) {
      return all.empty() ? std::string("nothing") : fmt::format("{}", fmt::join(all, "\n  "));
    };
    failures_.push_back(fmt::format("announced: expected\n  {}\ngot\n  {}", lines(expected), lines(announced_)));
  }

  const Node& scenario_;
  std::vector<std::string>&failures_, &timeline_;
  std::vector<Known> series_;
  std::vector<Arrival> arrivals_;
  std::size_t next_ = 0;
  Timestamp end_ = kStart;
  Timestamp down_since_{}, down_until_{};
  std::vector<Interval> unwatched_;
  std::vector<Rule> rules_;
  std::optional<Engine> engine_;
  std::vector<Arrival> history_;
  std::map<std::string, AlertRecord> records_, last_;
  std::set<std::string> ids_;  ///< of every alert there may be
  std::vector<std::string> announced_;
  std::uint64_t late_ = 0;
};

/// A rule that is only named is one of the configuration's.
void put_rule(Node& written, const Node& known, config::Problems& problems) {
  if (written.kind != Node::Kind::scalar || written.refused) return;
  std::vector<std::string> names;
  for (const Node& rule : known.items) {
    const Node* name = rule.find("name");
    if (name == nullptr) continue;
    if (name->text == written.text) {
      written = rule;
      return;
    }
    names.push_back(name->text);
  }
  problems.add(written.at, names.empty() ? fmt::format("there is no rule '{}': no configuration with rules was read",
                                                       written.shown())
                                         : fmt::format("there is no rule '{}' in the configuration{}", written.shown(),
                                                       did_you_mean(written.text, names)));
  written = Node::refusal(written.at);
}

}  // namespace

Outcome run_scenario(Node scenario, const Node& known) {
  config::Problems problems;
  if (Node* rule = scenario.find("rule")) put_rule(*rule, known, problems);
  if (Node* list = scenario.find("rules")) {
    for (Node& rule : list->items) put_rule(rule, known, problems);
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
