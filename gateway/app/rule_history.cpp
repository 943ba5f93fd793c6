#include "gateway/app/rule_history.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <vector>

#include "gateway/config/load.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/state/state_view.h"
#include "gateway/tools/output.h"
#include "rules/version.h"

namespace tidegate::app {
namespace {

using config::Node;
using state::StateView;
using Facts = std::map<std::string, std::string>;  ///< "threshold.above" -> "90 °C"

struct Version {
  std::string version;
  Facts facts;
};
using Versions = std::map<std::string, Version>;  ///< by the rule's name

/// What a reference stood for is not kept, and asking for it now might tell another thing.
config::References nothing() {
  return {[](const std::string&) { return std::optional<std::string>(""); },
          [](const std::filesystem::path&) { return Result<std::string>(""); },
          [](const std::filesystem::path&) { return Result<config::References::PrivateFile>({}); }};
}

void spread(const Node& node, const std::string& path, Facts& facts) {
  if (node.kind == Node::Kind::scalar) facts[path] = node.shown();
  for (const Node::Entry& entry : node.entries)
    spread(entry.value, path.empty() ? entry.key : path + '.' + entry.key, facts);
  for (std::size_t i = 0; i < node.items.size(); ++i) spread(node.items[i], fmt::format("{}[{}]", path, i), facts);
}

Versions rules_of(const StateView::Configuration& configuration) {
  Versions versions;
  for (const auto& [file, text] : configuration.texts) {
    config::Problems problems;  // it ran: what is wrong with it now is a reference
    const Node root = config::parse(text, file, {}, nothing(), problems);
    if (!root.has("rules")) continue;
    for (const Node& rule : root["rules"].items) {
      if (rule.kind != Node::Kind::map || !rule.has("name")) continue;
      Version& version = versions[rule.string("name")];
      version.version = rules::version_of(rule);
      spread(rule, "", version.facts);
    }
  }
  return versions;
}

std::string difference(const Facts& before, const Facts& now) {
  std::vector<std::string> all;
  for (const auto& [key, value] : before) {
    const auto found = now.find(key);
    if (found == now.end()) {
      all.push_back(fmt::format("{} {} is gone", key, value));
    } else if (found->second != value) {
      all.push_back(fmt::format("{} {} -> {}", key, value, found->second));
    }
  }
  for (const auto& [key, value] : now) {
    if (!before.contains(key)) all.push_back(fmt::format("{} {} is new", key, value));
  }
  return all.empty() ? "written otherwise" : fmt::format("{}", fmt::join(all, "; "));
}

struct Change {
  std::string rule, version, what;
};

/// In order of their names.
std::vector<Change> changes(const Versions& before, const Versions& now) {
  std::map<std::string, Change> all;
  for (const auto& [rule, version] : now) {
    const auto old = before.find(rule);
    if (old == before.end()) {
      all[rule] = {rule, version.version, "made"};
    } else if (old->second.version != version.version) {
      all[rule] = {rule, version.version, difference(old->second.facts, version.facts)};
    }
  }
  for (const auto& [rule, version] : before) {
    if (!now.contains(rule)) all[rule] = {rule, "", "removed"};
  }
  std::vector<Change> sorted;
  for (auto& [rule, change] : all) sorted.push_back(std::move(change));
  return sorted;
}

using Tell = std::function<Status(const StateView::Configuration&, const Change&)>;

/// False: one of them is damaged, and passed over.
Result<bool> walk(const std::vector<StateView::Configuration>& all, const Tell& tell) {
  bool sound = true;
  Versions before;
  for (const auto& configuration : all) {
    if (!configuration.sound) {
      fmt::print(stderr, "configuration {} is damaged; what it changed shows with the next\n", configuration.id);
      sound = false;
      continue;
    }
    Versions now = rules_of(configuration);
    for (const Change& change : changes(before, now)) {
      if (Status status = tell(configuration, change); !status) return fail(std::move(status.error()));
    }
    before = std::move(now);
  }
  return sound;
}

}  // namespace

Result<int> rule_history(const RuleHistory& options, const tools::Surroundings& surroundings) {
  auto view = StateView::open(surroundings.store);
  if (!view) return fail(std::move(view.error()));
  const auto all = view->configurations();
  if (!all) return fail(all.error());
  tools::Output output;
  const auto rows = tools::Rows::make(options.format, output);
  constexpr std::array<std::string_view, 5> kColumns = {"rule", "version", "since", "configuration", "change"};
  if (Status status = rows->columns(kColumns); !status) return fail(std::move(status.error()));
  std::size_t told = 0;
  const auto sound = walk(*all, [&](const StateView::Configuration& configuration, const Change& change) -> Status {
    if (!options.name.empty() && change.rule != options.name) return {};
    ++told;
    const std::string since = rfc3339_seconds(configuration.since);
    const std::array<tools::Value, 5> cells = {std::string_view(change.rule), std::string_view(change.version),
                                               std::string_view(since), configuration.id,
                                               std::string_view(change.what)};
    return rows->row(cells);
  });
  if (!sound) return fail(sound.error());
  Status status = rows->end();
  if (status) status = output.flush();
  if (!status) return fail(std::move(status.error()));
  if (told == 0 && !options.name.empty()) {
    return fail(Errc::not_found, "no configuration that ran here had a rule '{}'; `tidegate rules history` lists all",
                printable(options.name));
  }
  return *sound ? tools::kDone : tools::kDamaged;
}

}  // namespace tidegate::app
