#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "gateway/core/text.h"
#include "rules/kinds.h"
#include "rules/message.h"
#include "rules/rule.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

constexpr std::size_t kMaxNameBytes = 100;

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

std::string pattern_problem(std::string_view text) {
  const auto pattern = Pattern::parse(text);
  if (!pattern) return pattern.error().text;
  if (pattern->literal() && !valid_series_name(text))
    return fmt::format("'{}' cannot be the name of a series", printable(text));
  return "";
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.push_back(kind.name);
  return names;
}

/// The one kind that the rule has, or nothing and a problem.
const Kind* only_kind(const Node& item, Problems& problems) {
  const Kind* only = nullptr;
  for (const Kind& kind : kinds()) {
    if (!item.has(kind.name)) continue;
    if (only != nullptr) {
      problems.add(item[kind.name].at,
                   fmt::format("rule '{}' has two kinds, {} and {}: keep one, and write a second rule for the other",
                               item["name"].shown(), only->name, kind.name));
      return nullptr;
    }
    only = &kind;
  }
  if (only == nullptr) {
    problems.add(item.at, fmt::format("rule '{}' has no kind: it needs one of {}", item["name"].shown(),
                                      fmt::join(kind_names(), ", ")));
  }
  return only;
}

std::optional<Pattern> series_pattern(const Node& item, Problems& problems) {
  auto pattern = Pattern::parse(item.string("series"));
  if (!pattern) return std::nullopt;  // check() has said so
  for (const std::string& capture : pattern->capture_names()) {
    if (!is_message_name(capture)) continue;
    problems.add(item["series"].at,
                 fmt::format("'{{{}}}' has its own meaning in messages: name the capture differently", capture));
    return std::nullopt;
  }
  return std::move(*pattern);
}

std::optional<Template> message(const Node& item, const Pattern& series, const Kind& kind, const std::string& standard,
                                Problems& problems) {
  std::vector<std::string> names = series.capture_names();
  for (const std::string_view known : message_names()) {
    if (known != "age" || kind.of_silence) names.emplace_back(known);
  }
  const bool written = item.has("message");
  auto parsed = Template::parse(written ? item.string("message") : standard, names);
  if (parsed) return std::move(*parsed);
  const bool secret = written && item["message"].secret;
  problems.add(written ? item["message"].at : item.at,
               secret ? "the referenced value is no message: look at what stands in braces" : parsed.error().text);
  return std::nullopt;
}

/// `for` is the on-delay of the rule; a kind that waits by itself has no use for a second one.
bool delays_fit(const Node& item, const Kind& kind, Problems& problems) {
  const Node& raise_after = item["for"];
  if (!kind.of_silence || raise_after.is_default || raise_after.duration() == Micros{0}) return true;
  problems.add(raise_after.at, fmt::format("{} waits by itself: write {}: {{for: {}}} and leave this one out",
                                           kind.name, kind.name, raise_after.shown()));
  return false;
}

Labels labels(const Node& item) {
  Labels out;
  for (const Node::Entry& entry : item["labels"].entries) out.emplace_back(entry.key, entry.value.text);
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<Rule> compile(const Node& item, Problems& problems) {
  const Kind* kind = only_kind(item, problems);
  auto series = series_pattern(item, problems);
  if (kind == nullptr) return std::nullopt;
  auto compiled = kind->compile(item[kind->name], problems);
  const bool delays = delays_fit(item, *kind, problems);
  if (!series) return std::nullopt;
  auto text = message(item, *series, *kind, compiled ? compiled->message : "", problems);
  if (!compiled || !delays || !text) return std::nullopt;
  const AlertPolicy policy{item.duration("for"), item.duration("clear_after"), item.string("ack") == "required"};
  return Rule{item.string("name"),
              std::move(*series),
              kind->name,
              std::move(compiled->condition),
              std::move(compiled->make),
              policy,
              severity_from(item.string("severity")).value_or(Severity::warning),
              std::move(*text),
              labels(item),
              item.has("runbook") ? item.string("runbook") : "",
              item.boolean("good_only"),
              kind->of_silence};
}

}  // namespace

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
        config::optional(
            "message", Shape::text(),
            "What to say; {device} and other captures, {value}, {unit}, {limit}, {series}, {rule}, {severity}, {age}."),
        config::defaulted("labels", Shape::map(Shape::text(), 64), "{}", "Labels of the alert."),
        config::optional("runbook", Shape::text(), "What to do about it."),
        config::defaulted("good_only", Shape::boolean(), "false", "true: leave samples of uncertain quality out.")};
    for (const Kind& kind : kinds()) fields.push_back(config::optional(kind.name, kind.shape, kind.doc));
    return Shape::object("A rule: what to watch for, in which series. It has exactly one kind.", std::move(fields));
  }();
  return kShape;
}

std::vector<Rule> parse_rules(const Node& items, Problems& problems) {
  std::vector<Rule> rules;
  std::map<std::string, config::Mark> taken;
  for (const Node& item : items.items) {
    if (!config::fits(item, rule_shape())) continue;
    const auto [first, is_new] = taken.emplace(item.string("name"), item["name"].at);
    if (!is_new) {
      problems.add(item["name"].at, fmt::format("rule name '{}' is taken by {}:{}:{}", item["name"].shown(),
                                                first->second.file ? *first->second.file : "", first->second.line,
                                                first->second.column));
      continue;
    }
    auto rule = compile(item, problems);
    if (rule && item.boolean("enabled")) rules.push_back(std::move(*rule));
  }
  return rules;
}

}  // namespace tidegate::rules
