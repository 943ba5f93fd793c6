#include "gateway/app/unstored.h"

#include <utility>

#include "gateway/core/pattern.h"

namespace tidegate::app {

/// What they are made of stands before them.
Unstored::Unstored(const journal::StoreView& view, std::vector<rules::Rule> derived) : derived_(std::move(derived)) {
  for (std::size_t i = 0; i < derived_.size(); ++i) {
    const rules::Rule& rule = derived_[i];
    const rules::Reads series{rules::Reads::Kind::path, rule.derives->series};
    std::map<std::string, Made> more;
    const auto offer = [&](const std::string& from) {
      std::string name = rules::input_name(rule, series, from);
      if (!view.find(name)) more.emplace(std::move(name), Made{i, from});
    };
    if (!rule.derives->has_from) {
      offer(rule.derives->series);
      made_.merge(more);
      continue;
    }
    for (const auto& stored : view.series()) {
      if (rule.series.matches(stored.name)) offer(stored.name);
    }
    for (const auto& [name, made] : made_) {
      if (rule.series.matches(name)) offer(name);
    }
    made_.merge(more);
  }
}

void Needed::add(const std::string& name) {
  if (const auto place = view_.find(name)) {
    places_.insert(*place);
    return;
  }
  const auto found = unstored_.series().find(name);
  if (found == unstored_.series().end() || !made_.insert(name).second) return;
  const rules::Rule& rule = unstored_.rules()[found->second.rule];
  if (rule.derives->has_from) add(found->second.from);
  add_reads(rule, found->second.from);
}

void Needed::add_reads(const rules::Rule& rule, std::string_view own) {
  std::vector<rules::Reads> all = rule.reads;
  if (rule.suppress_when) all.insert(all.end(), rule.suppress_when->reads.begin(), rule.suppress_when->reads.end());
  for (const rules::Reads& reads : all) {
    const std::string name = rules::input_name(rule, reads, own);
    if (reads.kind != rules::Reads::Kind::pattern) {
      add(name);
    } else if (const auto pattern = Pattern::parse(name)) {
      const auto members = view_.matching({&*pattern, 1});
      places_.insert(members.begin(), members.end());
      for (const auto& [made, how] : unstored_.series()) {
        if (pattern->matches(made)) add(made);
      }
    }
  }
}

}  // namespace tidegate::app
