#include "gateway/app/rule_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/app/settings.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/surroundings.h"
#include "rules/derived.h"
#include "rules/rule.h"

namespace tidegate::app {
namespace {

using rules::Rule;

std::string severity(const Rule& rule) {
  return fmt::format("{}{}", name(rule.severity), rule.policy.levels ? " and up, by level" : "");
}

Status list(const std::vector<Rule>& all, tools::Format format) {
  constexpr std::array<std::string_view, 7> kColumns = {"rule", "kind",        "series",   "severity",
                                                        "for",  "clear_after", "condition"};
  tools::Output output;
  const auto rows = tools::Rows::make(format, output);
  if (Status status = rows->columns(kColumns); !status) return status;
  for (const Rule& rule : all) {
    const bool alerts = !rule.derives;
    const std::string level = alerts ? severity(rule) : "",
                      raise = alerts ? duration_text(rule.policy.raise_after) : "",
                      clear = alerts ? duration_text(rule.policy.clear_after) : "";
    const std::array<tools::Value, 7> cells = {
        std::string_view(rule.name),     std::string_view(rule.kind), std::string_view(rule.series.text()),
        std::string_view(level),         std::string_view(raise),     std::string_view(clear),
        std::string_view(rule.condition)};
    if (Status status = rows->row(cells); !status) return status;
  }
  if (Status status = rows->end(); !status) return status;
  return output.flush();
}

std::string in_words(const rules::Reads& reads) {
  switch (reads.kind) {
    case rules::Reads::Kind::own:
      return "value: the series itself";
    case rules::Reads::Kind::sibling:
      return fmt::format("{}: the series of that name beside it", reads.name);
    case rules::Reads::Kind::path:
      return reads.name;
    case rules::Reads::Kind::pattern:
      break;
  }
  return fmt::format("{}: every series that matches", reads.name);
}

void line(std::string_view what, std::string_view text) { fmt::print("  {:<12} {}\n", what, text); }

/// How it lives, as far as its author said anything about it.
void explain_life(const Rule& rule) {
  const rules::AlertPolicy& policy = rule.policy;
  line("raised",
       policy.raise_after > Micros{0} ? "when it has held for " + duration_text(policy.raise_after) : "at once");
  line("cleared",
       policy.clear_after > Micros{0} ? "when it has been gone for " + duration_text(policy.clear_after) : "at once");
  if (policy.latch) line("", "not before somebody has acknowledged it (latch)");
  if (policy.acknowledge_required) line("", "and then it stays until somebody has acknowledged it (ack: required)");
  if (!rule.holds_chatter) line("chatter", "is told each time");
  for (const std::string& parent : rule.suppressed_by)
    line("suppressed", "while '" + parent + "' is raised for the same");
  if (rule.suppress_when) {
    line("suppressed", "while " + rule.suppress_when->condition);
    for (const rules::Reads& reads : rule.suppress_when->reads) line("", in_words(reads));
  }
  for (const rules::Publish& one : rule.publish) line("publishes", fmt::format("to uplink '{}': {}", one.to, one.text));
  for (const rules::Write& one : rule.write)
    line("writes", fmt::format("{} (tried for {})", one.text, duration_text(one.within)));
  if (rule.shadow) line("on trial", "nobody is called for it (shadow)");
}

void explain_snapshot(const rules::SnapshotPolicy& snapshot) {
  line("keeps", fmt::format("what it reads, {} before and {} after it is raised, and sends it upstream (snapshot)",
                            duration_text(snapshot.before), duration_text(snapshot.after)));
  for (const rules::Reads& more : snapshot.series) line("", more.name + " too");
}

void explain_derived(const Rule& rule) {
  fmt::print("{}\n", rule.name);
  line("version", rule.version);
  line("made of", rule.condition);
  if (rule.derives->has_from) line("from", rule.series.text() + ": one for each series that matches");
  for (const rules::Reads& reads : rule.reads) line("reads", in_words(reads));
  if (rule.derives->every > Micros{0}) line("every", duration_text(rule.derives->every));
  if (rule.derives->repeat > Micros{0}) line("repeat", duration_text(rule.derives->repeat));
  if (rule.good_only) line("leaves out", "samples of uncertain quality");
  for (const auto& [key, value] : rule.labels) line("label", fmt::format("{}={}", key, value));
}

void explain(const Rule& rule) {
  if (rule.derives) return explain_derived(rule);
  fmt::print("{}\n", rule.name);
  line("version", rule.version);
  line("fires when", rule.condition);
  line("kind", rule.kind);
  line("watches", fmt::format("{}: {}", rule.series.text(),
                              rule.series.literal() ? "one alert" : "one alert for each series that matches"));
  for (const rules::Reads& reads : rule.reads) line("reads", in_words(reads));
  line("severity", severity(rule));
  explain_life(rule);
  if (rule.snapshot) explain_snapshot(*rule.snapshot);
  if (rule.allowed_lateness > Micros{0})
    line("waits", duration_text(rule.allowed_lateness) + " for samples that come late");
  if (rule.good_only) line("leaves out", "samples of uncertain quality");
  if (!rule.runbook.empty()) line("runbook", rule.runbook);
  for (const auto& [key, value] : rule.labels) line("label", fmt::format("{}={}", key, value));
}

}  // namespace

int list_rules(const RuleList& options) {
  config::Problems problems;
  const Settings settings = load_to_look(options.configuration, problems);
  std::vector<Rule> all = rules::parse_derived(settings.derived, problems);
  const std::vector<Rule> rules = rules::parse_rules(settings.rules, problems);
  all.insert(all.end(), rules.begin(), rules.end());
  if (!problems.empty()) {
    fmt::print(stderr, "{}", problems.text());
    return tools::kConfigurationWrong;
  }
  if (options.name.empty()) {
    const Status listed = list(all, options.format);
    if (!listed) fmt::print(stderr, "{}\n", listed.error().text);
    return listed ? 0 : tools::kFailed;
  }
  std::vector<std::string> names;
  for (const Rule& rule : all) names.push_back(rule.name);
  const auto found = std::find(names.begin(), names.end(), options.name);
  if (found == names.end()) {
    fmt::print(stderr, "there is no enabled rule or derived series '{}'{}\n", printable(options.name),
               did_you_mean(options.name, names));
    return tools::kFailed;
  }
  explain(all[static_cast<std::size_t>(found - names.begin())]);
  return 0;
}

}  // namespace tidegate::app
