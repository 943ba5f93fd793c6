#include "rules/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "rules/kinds.h"
#include "rules/message.h"
#include "rules/rule.h"
#include "rules/version.h"
#include "rules/when.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

constexpr std::size_t kMaxNameBytes = 100;

/// What `snapshot: true` keeps, and the most that may be asked for on either side.
constexpr Micros kBefore = std::chrono::minutes(5), kAfter = std::chrono::minutes(2), kFarthest = std::chrono::hours(1);

std::string name_problem(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return fmt::format("a rule's name has 1 to {} bytes", kMaxNameBytes);
  if (text.find(':') != std::string_view::npos)
    return "a rule's name has no ':': it parts name and captures in an alert's id";
  if (!valid_utf8(text) ||
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return "a rule's name has no control characters";
  }
  return trim(text) == text ? "" : "a rule's name neither begins nor ends with a space";
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  return names;
}

std::string title(const Node& item) {
  const std::string name = item["name"].shown();
  return name.empty() ? "the rule" : fmt::format("rule '{}'", name);
}

/// The one kind that the rule has, or nothing and a problem.
const Kind* only_kind(const Node& item, Problems& problems) {
  const Kind* only = nullptr;
  for (const Kind& kind : kinds()) {
    if (!item.has(kind.name)) continue;
    if (only != nullptr) {
      const bool written = !item[kind.name].is_null() && !item[only->name].is_null();  // not only meant by a wrong key
      if (!written) return nullptr;
      problems.add(item[kind.name].at,
                   fmt::format("{} has two kinds, {} and {}: keep one, and write a second rule for the other",
                               title(item), only->name, kind.name));
      return nullptr;
    }
    only = &kind;
  }
  if (only == nullptr && !item.refused) {
    problems.add(item.at,
                 fmt::format("{} has no kind: it needs one of {}", title(item), fmt::join(kind_names(), ", ")));
  }
  return only;
}

std::optional<Pattern> series_pattern(const Node& item, Problems& problems) {
  if (item["series"].refused) return std::nullopt;
  auto pattern = Pattern::parse(item.string("series"));
  for (const std::string& capture : pattern->capture_names()) {
    if (!is_message_name(capture)) continue;
    problems.add(item["series"].at,
                 fmt::format("'{{{}}}' has its own meaning in messages: name the capture differently", capture));
    return std::nullopt;
  }
  return std::move(*pattern);
}

std::optional<Compiled> condition(const Node& item, const Kind& kind, Problems& problems) {
  const Node& options = item[kind.name];
  const bool is_text = options.kind == Node::Kind::scalar && kind.shape.type() == Shape::Type::either;
  const bool readable = !options.refused && (is_text || options.kind == Node::Kind::map);
  return readable ? kind.compile(options, problems) : std::nullopt;
}

/// What may stand in braces in what the rule says. Without a kind every name may be meant.
std::vector<std::string> names_to_say(const Pattern& series, const Kind* kind) {
  std::vector<std::string> names = series.capture_names();
  for (const std::string_view known : message_names()) {
    if (kind == nullptr || is_told(known, kind->traits)) names.emplace_back(known);
  }
  return names;
}

/// `for` is the on-delay of the rule; a kind that waits by itself has no use for a second one.
bool delays_fit(const Node& item, const Kind& kind, Problems& problems) {
  const Node& raise_after = item["for"];
  if (!kind.traits.waits || raise_after.is_default || raise_after.is_null()) return true;
  if (!raise_after.refused && raise_after.duration() == Micros{0}) return true;
  const Node* own = item[kind.name].find("for");
  if (own != nullptr && !own->is_null()) {
    problems.add(raise_after.at,
                 fmt::format("{}: {{for: {}}} waits by itself: leave this one out", kind.name, own->shown()));
  } else {
    problems.add(raise_after.at, fmt::format("{} waits by itself: write {}: {{for: {}}} and leave this one out",
                                             kind.name, kind.name, raise_after.shown()));
  }
  return false;
}

/// The name is the rule's alone.
void claim_name(const Node& name, std::map<std::string, config::Mark>& taken, Problems& problems) {
  if (name.refused) return;
  const auto [first, is_new] = taken.emplace(name.string(), name.at);
  if (is_new) return;
  problems.add(name.at, fmt::format("rule name '{}' is taken by {}", name.shown(), config::text(first->second)));
}

/// What silences it; where there is none, or something is wrong with it, nothing.
std::optional<Suppression> suppression(const Node& condition, const std::optional<Pattern>& series,
                                       Problems& problems) {
  if (condition.refused || condition.is_null()) return std::nullopt;
  auto compiled = compile_when(condition, problems);
  if (!compiled || !series || !reads_fit(condition, compiled->reads, *series, problems)) return std::nullopt;
  return Suppression{std::move(compiled->condition), std::move(compiled->reads), std::move(compiled->join)};
}

/// What is kept of its alerts' surroundings; where there is nothing to keep, or something is wrong with it, nothing.
std::optional<SnapshotPolicy> snapshot(const Node& written, const std::optional<Pattern>& series, Problems& problems) {
  if (!written.sound() || written.is_null()) return std::nullopt;
  if (written.kind == Node::Kind::scalar) {
    return written.boolean() ? std::optional(SnapshotPolicy{kBefore, kAfter}) : std::nullopt;
  }
  SnapshotPolicy policy{written.duration("before"), written.duration("after")};
  if (policy.before + policy.after == Micros{0}) {
    problems.add(written.at, "with nothing before and nothing after, no time is left to keep: leave snapshot out");
    return std::nullopt;
  }
  for (const std::string& text : written["series"].strings()) policy.series.push_back({Reads::Kind::pattern, text});
  if (!series || !reads_fit(written["series"], policy.series, *series, problems)) return std::nullopt;
  return policy;
}

/// Levels say it for each, so that the rule as a whole does not.
bool severity_fits(const Node& item, const Compiled& compiled, Problems& problems) {
  if (compiled.levels.empty() || item["severity"].is_default) return true;
  problems.add(item["severity"].at, "the levels say how severe it is: leave severity out");
  return false;
}

/// All that can be judged is, though a part of the rule may be refused; only what is whole becomes a rule.
std::optional<Rule> compile(const Node& item, Problems& problems) {
  const Kind* kind = only_kind(item, problems);
  auto series = series_pattern(item, problems);
  auto compiled = kind ? condition(item, *kind, problems) : std::nullopt;
  const bool delays = kind && delays_fit(item, *kind, problems);
  const auto names = series ? names_to_say(*series, kind) : std::vector<std::string>{};
  auto text = series ? parse_text(item["message"], names, problems, compiled ? compiled->message : "") : std::nullopt;
  const bool severities = compiled && severity_fits(item, *compiled, problems);
  const bool readable = compiled && series && reads_fit(item[kind->name], compiled->reads, *series, problems);
  auto publish =
      series ? parse_publish(item["publish"], series->capture_names(), names, problems) : std::vector<Publish>{};
  auto writes = series ? parse_write(item["write"], series->capture_names(), problems) : std::vector<Write>{};
  auto suppress_when = suppression(item["suppress_when"], series, problems);
  if (item.has("suppress_when") && !suppress_when) return std::nullopt;
  auto kept = snapshot(item["snapshot"], series, problems);
  if (item["snapshot"].kind == Node::Kind::map && !kept) return std::nullopt;
  if (!item.sound() || !readable || !severities || !delays || !text) return std::nullopt;
  const bool levels = !compiled->levels.empty();
  const Severity severity =
      levels ? compiled->levels.front() : severity_from(item.string("severity")).value_or(Severity::warning);
  const AlertPolicy policy{item.duration("for"),
                           item.duration("clear_after"),
                           item.string("ack") == "required",
                           item.boolean("latch"),
                           severity,
                           levels};
  return Rule{item.string("name"),
              std::move(*series),
              kind->name,
              std::move(compiled->condition),
              std::move(compiled->make),
              policy,
              severity,
              std::move(*text),
              labels_of(item),
              item.has("runbook") ? item.string("runbook") : "",
              item.duration("allowed_lateness"),
              item.boolean("good_only"),
              kind->traits,
              item["suppressed_by"].strings(),
              item.boolean("shadow"),
              item.string("chatter") == "hold",
              version_of(item),
              std::move(compiled->reads),
              std::move(compiled->join),
              std::move(suppress_when),
              std::move(publish),
              std::move(writes),
              std::move(kept),
              std::nullopt,
              item.boolean("enabled"),
              item.at};
}

/// Each of `suppressed_by` is a rule, and no two explain each other: nobody would be called for either.
void check_suppression(const Node& items, Problems& problems) {
  std::map<std::string, const Node*> by_name;
  for (const Node& item : items.items) {
    if (item.kind == Node::Kind::map && !item["name"].refused) by_name.emplace(item.string("name"), &item);
  }
  std::vector<std::string> names;
  for (const auto& [name, item] : by_name) names.push_back(name);
  // Whether the rules that explain `name`, and those that explain them, are without `goal`.
  const auto leads_to = [&](const std::string& from, const std::string& goal) {
    std::set<std::string> seen;
    std::vector<std::string> open{from};
    while (!open.empty()) {
      const std::string name = std::move(open.back());
      open.pop_back();
      if (name == goal) return true;
      const auto found = by_name.find(name);
      if (found == by_name.end() || !seen.insert(name).second || (*found->second)["suppressed_by"].refused) continue;
      for (const Node& parent : (*found->second)["suppressed_by"].items) open.push_back(parent.text);
    }
    return false;
  };
  for (const auto& [name, item] : by_name) {
    for (const Node& parent : (*item)["suppressed_by"].items) {
      if (parent.refused) continue;
      if (!by_name.contains(parent.text)) {
        problems.add(parent.at,
                     fmt::format("there is no rule '{}'{}", parent.shown(), did_you_mean(parent.text, names)));
      } else if (parent.text == name) {
        problems.add(parent.at, "a rule cannot explain itself: name another one");
      } else if (leads_to(parent.text, name)) {
        problems.add(parent.at, fmt::format("'{}' and '{}' would suppress each other, and nobody be called for either",
                                            name, parent.shown()));
      }
    }
  }
}

Shape snapshot_shape() {
  const Shape time = Shape::duration(Micros{0}, kFarthest);
  return Shape::object(
      "The samples around an alert.",
      {config::defaulted("before", time, duration_text(kBefore), "So long before its condition began."),
       config::defaulted("after", time, duration_text(kAfter), "So long after it was raised."),
       config::defaulted("series", Shape::list(Shape::text_where("a pattern of series", pattern_problem), 16), "[]",
                         "Of these series too, beside all that the rule reads: \"{device}/+\".")});
}

}  // namespace

std::string pattern_problem(std::string_view text) {
  const auto pattern = Pattern::parse(text);
  if (!pattern) return pattern.error().text;
  if (text.find('*') != std::string_view::npos)
    return fmt::format("'{}': '*' is no wildcard; write {{device}} or + for one level, # for all the rest",
                       printable(text));
  if (pattern->literal() && !valid_series_name(text))
    return fmt::format("'{}' cannot be the name of a series", printable(text));
  return "";
}

bool reads_fit(const Node& condition, std::span<const Reads> all, const Pattern& series, Problems& problems) {
  const std::vector<std::string> captures = series.capture_names();
  for (const Reads& reads : all) {
    const auto pattern = Pattern::parse(reads.name);
    if (!pattern) continue;
    for (const std::string& name : pattern->capture_names()) {
      if (std::find(captures.begin(), captures.end(), name) != captures.end()) continue;
      problems.add(condition.at, fmt::format("{{{}}} in '{}' is no capture of series \"{}\"{}", name, reads.name,
                                             series.text(), did_you_mean(name, captures)));
      return false;
    }
  }
  return true;
}

Labels labels_of(const Node& item) {
  Labels out;
  for (const Node::Entry& entry : item["labels"].entries) out.emplace_back(entry.key, entry.value.text);
  std::sort(out.begin(), out.end());
  return out;
}

Shape rule_shape() {
  static const Shape kShape = [] {
    const Shape delay = Shape::duration(Micros{0}, std::chrono::days(365));
    std::vector<Shape::Field> fields{
        config::required("name", Shape::text_where("a name", name_problem),
                         "Names the rule; alerts keep their identity by it."),
        config::required("series", Shape::text_where("a pattern of series", pattern_problem),
                         "Which series it watches: \"{device}/temperature\"; one alert for each match."),
        config::defaulted("enabled", Shape::boolean(), "true",
                          "false: checked, but not evaluated; its alerts are closed."),
        config::defaulted("for", delay, "0s", "How long the condition must hold before the alert is raised."),
        config::defaulted("clear_after", delay, "0s", "How long the condition must be gone before the alert clears."),
        config::defaulted("severity", Shape::choice({"info", "warning", "high", "critical"}), "warning",
                          "How bad it is."),
        config::defaulted("ack", Shape::choice({"auto", "required"}), "auto",
                          "required: the alert stays until somebody acknowledged it."),
        config::optional("message", Shape::text(),
                         "What to say; {device} and other captures, {value}, {unit}, {limit}, {series}, {rule}, "
                         "{severity}, {age}, {left}."),
        config::defaulted("labels", Shape::map(Shape::text(), 64), "{}", "Labels of the alert."),
        config::optional("runbook", Shape::text(), "What to do about it."),
        config::defaulted("allowed_lateness", Shape::duration(Micros{0}, std::chrono::hours(1)), "0s",
                          "So late a sample may be: it is put in its place. So much later does the rule decide."),
        config::defaulted("good_only", Shape::boolean(), "false", "true: leave samples of uncertain quality out.")};
    for (const Kind& kind : kinds()) fields.push_back(config::optional(kind.name, kind.shape, kind.doc));
    fields.insert(
        fields.end(),
        {config::defaulted("latch", Shape::boolean(), "false",
                           "true: it stays raised until somebody acknowledged it, though its condition be gone."),
         config::defaulted("chatter", Shape::choice({"hold", "tell"}), "hold",
                           "What to do when it is raised more than three times within a minute. hold: it stays raised "
                           "until its condition has been gone for a minute; tell: each time is told."),
         config::defaulted(
             "suppressed_by", Shape::list(Shape::text(), 16), "[]",
             "Names of rules: while one of them has an alert raised for the same captures, nobody is called "
             "for this one."),
         config::optional("suppress_when", Shape::text(),
                          "A condition in the expression language: while it is true, nobody is called for this rule's "
                          "alerts. \"{device}/maintenance == on\"."),
         config::defaulted("publish", publish_shape(), "[]",
                           "MQTT messages that tell machines of its alerts: a lamp, a horn, another system."),
         config::defaulted("write", write_shape(), "[]",
                           "Points of devices that its alerts set: a valve, a set point; each within its own limits."),
         config::optional("snapshot", Shape::either({Shape::boolean(), snapshot_shape()}),
                          "When its alert is raised, the samples around it are kept beyond their retention and sent "
                          "upstream. true: as with {}."),
         config::defaulted("shadow", Shape::boolean(), "false",
                           "true: on trial. It is evaluated and its alerts are kept, and nobody is called.")});
    return Shape::object("A rule: what to watch for, in which series. It has exactly one kind.", std::move(fields));
  }();
  return kShape;
}

std::vector<Rule> parse_rules(const Node& items, Problems& problems, Which which) {
  std::vector<Rule> rules;
  std::map<std::string, config::Mark> taken;
  for (const Node& item : items.items) {
    if (item.kind != Node::Kind::map) continue;  // check() has told
    claim_name(item["name"], taken, problems);
    auto rule = compile(item, problems);
    if (rule && (rule->enabled || which == Which::all)) rules.push_back(std::move(*rule));
  }
  check_suppression(items, problems);
  return rules;
}

}  // namespace tidegate::rules
