#include "gateway/app/parts.h"

#include "dashboard/tls.h"
#include "drivers/registry.h"
#include "rules/derived.h"

namespace tidegate::app {
namespace {

dashboard::RuleView view_of(const rules::Rule& rule, const Settings& settings) {
  dashboard::RuleView view{rule.name, rule.kind, rule.condition, rule.series.text(), rule.severity};
  view.version = rule.version;
  view.file = shown_file(settings, rule.at);
  view.line = rule.at.line;
  view.editable = is_edited(settings, rule.at);
  view.enabled = rule.enabled;
  for (const RuleOff& off : settings.off) {
    if (off.name != rule.name) continue;
    view.enabled = off.enabled_else;
    view.off = {off.who, off.since, off.note};
  }
  return view;
}

/// Files that are no pair would keep the dashboard from starting.
void check_certificate(const config::Node& http, config::Problems& problems) {
  const config::Node* certificate = http.find("certificate");
  const config::Node* key = http.find("key");
  if (certificate == nullptr || key == nullptr || certificate->is_null() || key->is_null()) return;
  if (!certificate->sound() || !key->sound()) return;
  const auto pair = dashboard::Tls::load({certificate->string(), key->string()});
  if (!pair) problems.add(certificate->at, pair.error().text);
}

}  // namespace

Parts make_parts(const Settings& settings, const Surroundings& around, config::Problems& problems) {
  Parts parts;
  for (const config::Node& section : settings.sources) {
    const drivers::DriverType* type = drivers::find_type(section.string("type"));
    const drivers::Context context{section.string("name"), around.clock, around.metrics};
    parts.drivers.push_back(type == nullptr ? nullptr : type->make(section, context, problems));
  }
  for (const config::Node& section : settings.uplinks) {
    const uplink::UplinkType* type = uplink::find_type(section.string("type"));
    const uplink::Context context{section.string("name"), settings.name, around.epoch, around.catalogue};
    parts.uplinks.push_back(type == nullptr ? nullptr : type->make(section, context, problems));
  }
  parts.rules = rules::parse_rules(settings.rules, problems, rules::Which::all);
  for (const rules::Rule& rule : parts.rules) parts.rule_views.push_back(view_of(rule, settings));
  std::erase_if(parts.rules, [](const rules::Rule& rule) { return !rule.enabled; });
  parts.derived = rules::parse_derived(settings.derived, problems);
  check_certificate(settings.http, problems);
  return parts;
}

std::vector<rules::Rule> take_rules(Parts& parts) {
  std::vector<rules::Rule> all = std::move(parts.derived);
  std::move(parts.rules.begin(), parts.rules.end(), std::back_inserter(all));
  return all;
}

Parts try_parts(const Settings& settings, config::Problems& problems) {
  const GatewayClock clock;
  Metrics metrics;
  const journal::Catalogue catalogue{journal::Catalogue::Limits{}};
  Parts parts = make_parts(settings, {clock, metrics, catalogue, "nowhere"}, problems);
  parts.drivers.clear();  // they look at what ends here
  parts.uplinks.clear();
  return parts;
}

}  // namespace tidegate::app
