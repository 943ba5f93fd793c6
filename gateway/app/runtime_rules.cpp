// Rules that are edited while the gateway runs. What changes anything is done by the main thread, like a reload: so the
// text that was checked is the one that is written and the one that is at work, whoever else saves or reloads.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "gateway/app/next_file.h"
#include "gateway/app/runtime.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/state/state_file.h"
#include "gateway/state/state_view.h"
#include "rules/message.h"

namespace tidegate::app {
namespace {

namespace fs = std::filesystem;
using dashboard::RuleSaved;
using dashboard::RuleText;
using dashboard::RuleView;
using state::StateView;

RuleText with_etag(std::string text) {
  constexpr std::size_t kDigits = 16;
  std::string etag = state::seal_of(text).substr(0, kDigits);
  return {std::move(text), std::move(etag)};
}

/// Empty where the file is not there.
Result<std::string> read_text(const fs::path& file) {
  auto text = config::References::system().read_file(file);
  if (!text && text.error().code == Errc::not_found) return "";
  return text;
}

/// The outside world as it will be when this file has that text.
config::References with_text(const fs::path& file, const std::string& text) {
  config::References references = config::References::system();
  references.read_file = [read = references.read_file, file, text](const fs::path& asked) {
    return asked == file ? Result<std::string>(text) : read(asked);
  };
  return references;
}

std::vector<dashboard::FileProblem> shown(const Settings& settings, const config::Problems& problems) {
  std::vector<dashboard::FileProblem> all;
  for (const config::Problem& problem : problems.sorted()) {
    all.push_back({shown_file(settings, problem.at), problem.at.line, problem.at.column, problem.what});
  }
  return all;
}

bool is_at_work(const RuleView& rule) { return rule.enabled && !rule.off; }

void compare(const std::vector<RuleView>& before, const std::vector<RuleView>& now, dashboard::RuleCheck& check) {
  std::map<std::string, const RuleView*> old;
  for (const RuleView& rule : before) old.emplace(rule.name, &rule);
  for (const RuleView& rule : now) {
    const auto found = old.find(rule.name);
    if (found == old.end()) {
      check.added.push_back(rule.name);
      continue;
    }
    const RuleView& was = *found->second;
    if (was.version != rule.version || is_at_work(was) != is_at_work(rule)) check.changed.push_back(rule.name);
    old.erase(found);
  }
  for (const auto& [name, rule] : old) check.removed.push_back(name);
}

/// Somebody was told of it, and it is not over.
bool is_up(const AlertRecord& alert) { return rules::raised(alert.phase) || !alert.acknowledged; }

/// Whether a rule goes on with an alert that stands on `series`.
bool keeps(const rules::Rule& rule, const AlertRecord& alert, const journal::Catalogue& catalogue) {
  if (!rule.series.matches(alert.series) || rules::alert_id(rule, alert.series) != alert.id) return false;
  const auto series = catalogue.find(alert.series);
  if (!series || !rule.make) return true;
  const auto entry = catalogue.entry(*series);
  return rule.make(entry.info, entry.labels).has_value();
}

Result<std::vector<RuleOff>> read_off(const fs::path& file) {
  const auto text = read_text(file);
  if (!text) return fail(text.error());
  config::Problems told;  // when it was read; it goes
  return parse_rules_off(*text, file.string(), told);
}

std::vector<RuleOff>::iterator find(std::vector<RuleOff>& off, const std::string& name) {
  return std::find_if(off.begin(), off.end(), [&](const RuleOff& one) { return one.name == name; });
}

}  // namespace

Result<RuleText> Runtime::rules_text() const {
  return read_text(settings_.storage.directory / kRulesFile).map(with_etag);
}

Result<RuleText> Runtime::rules_text(std::int64_t version) const {
  auto view = StateView::open(settings_.storage.directory);
  if (!view) return fail(std::move(view.error()));
  return view->text_of(version, kRulesText).map(with_etag);
}

Result<std::vector<dashboard::RuleVersion>> Runtime::rule_versions() const {
  auto view = StateView::open(settings_.storage.directory);
  if (!view) return fail(std::move(view.error()));
  auto stored = view->versions(kRulesText);
  if (!stored) return fail(std::move(stored.error()));
  std::vector<dashboard::RuleVersion> versions;
  for (auto one = stored->rbegin(); one != stored->rend(); ++one) {
    versions.push_back({one->id, one->since, std::move(one->who), std::move(one->why), std::move(one->note)});
  }
  return versions;
}

dashboard::RuleCheck Runtime::check_rules(const std::string& text) const {
  config::Problems problems;
  const fs::path& data = settings_.storage.directory;
  const Settings settings =
      load_settings(settings_.file, problems, {.data = data, .references = with_text(data / kRulesFile, text)});
  const Parts parts = try_parts(settings, problems);
  dashboard::RuleCheck check{shown(settings, problems), {}, {}, {}, {}};
  if (!check.problems.empty()) return check;
  std::vector<RuleView> before;
  {
    const std::lock_guard lock(parts_mutex_);
    before = rule_views_;
  }
  compare(before, parts.rule_views, check);
  check.ended = alerts_without(parts.rules);
  return check;
}

/// Those that are up and would be ended by these rules.
std::vector<std::string> Runtime::alerts_without(const std::vector<rules::Rule>& rules) const {
  std::vector<std::string> ended;
  const auto alerts = ground_->journal->alerts();
  if (!alerts) return ended;
  for (const AlertRecord& alert : *alerts) {
    if (!is_up(alert)) continue;
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& one) { return one.name == alert.rule; });
    if (rule == rules.end() || !keeps(*rule, alert, ground_->journal->catalogue())) ended.push_back(alert.id);
  }
  return ended;
}

Result<RuleSaved> Runtime::save_rules(const dashboard::RuleSave& wish) {
  return by_main_thread([this, wish] { return save(wish); });
}

Result<RuleSaved> Runtime::switch_rule(const dashboard::RuleSwitch& wish) {
  return by_main_thread([this, wish] { return turn(wish); });
}

Result<RuleSaved> Runtime::save(const dashboard::RuleSave& wish) {
  const auto now = rules_text();
  if (!now) return fail(now.error());
  const bool is_expected = std::any_of(wish.expected.begin(), wish.expected.end(),
                                       [&](const std::string& etag) { return etag == "*" || etag == now->etag; });
  if (!is_expected) return fail(changed_meanwhile());
  if (wish.text == now->text) return RuleSaved{{}, "that is the text already; nothing was changed", now->etag};
  return replace_file(kRulesFile, wish.text, {wish.who, wish.why, wish.note});
}

Error Runtime::changed_meanwhile() const {
  std::string who;
  if (const auto versions = rule_versions(); versions && !versions->empty() && !versions->front().who.empty()) {
    const dashboard::RuleVersion& newest = versions->front();
    who = fmt::format(" by {} at {}{}{}", printable(newest.who), rfc3339_seconds(newest.since),
                      newest.note.empty() ? "" : ": ", printable(newest.note));
  }
  return {Errc::conflict,
          fmt::format("the rules were changed meanwhile{}; read them again and put your change there", who)};
}

Result<RuleSaved> Runtime::turn(const dashboard::RuleSwitch& wish) {
  auto off = read_off(settings_.storage.directory / kRulesOffFile);
  if (!off) return fail(std::move(off.error()));
  const auto found = find(*off, wish.name);
  if (wish.off) {
    std::vector<std::string> names;
    {
      const std::lock_guard lock(parts_mutex_);
      for (const RuleView& rule : rule_views_) names.push_back(rule.name);
    }
    if (std::find(names.begin(), names.end(), wish.name) == names.end()) {
      return fail(Errc::not_found, "there is no rule '{}'{}", printable(wish.name), did_you_mean(wish.name, names));
    }
    if (found != off->end()) {
      return fail(Errc::conflict, "'{}' is off already, by {} since {}", printable(wish.name), printable(found->who),
                  rfc3339_seconds(found->since));
    }
    off->push_back({wish.name, wish.who, ground_->clock.now(), wish.note});
  } else {
    if (found == off->end()) return fail(Errc::conflict, "'{}' is not off", printable(wish.name));
    off->erase(found);
  }
  const std::string what = wish.off ? "rule off" : "rule on";
  auto saved =
      replace_file(kRulesOffFile, rules_off_text(*off), {wish.who, fmt::format("{} {}", what, wish.name), wish.note});
  if (saved && saved->problems.empty()) audit({wish.who, what, wish.name, wish.note});
  return saved;
}

/// Each step is whole on disk before the next: the text beside the file, what the history says of it, the file itself.
Result<RuleSaved> Runtime::replace_file(const char* name, const std::string& text, const Origin& origin) {
  const fs::path file = settings_.storage.directory / name;
  config::Problems problems;
  Candidate candidate = load(settings_.file, with_text(file, text), problems);
  if (!problems.empty()) return RuleSaved{shown(candidate.settings, problems), {}, {}};
  auto next = NextFile::write(file, text);
  if (!next) return fail(std::move(next.error()));
  adopt(candidate.settings.texts, origin);
  if (const Status placed = next->take_place(); !placed) {
    adopt(settings_.texts, {std::string(state::kItself), "not saved", placed.error().text});
    return fail(placed.error());
  }
  const std::string later = put_to_work(std::move(candidate));
  const std::string told = fmt::format("{}, by {}{}", origin.why, printable(origin.who),
                                       later.empty() ? "" : "; changes in " + later + " need a restart");
  spdlog::info("{}", told);
  note("configuration", told);
  const auto now = rules_text();
  if (!now) return fail(now.error());
  return RuleSaved{{}, told, now->etag};
}

}  // namespace tidegate::app
