#include "gateway/app/parts.h"

#include <algorithm>
#include <map>

#include "dashboard/tls.h"
#include "drivers/registry.h"
#include "drivers/writable.h"
#include "gateway/core/text.h"
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

void check_write(const rules::Rule& rule, const rules::Write& write, const std::vector<WritablePoint>& points,
                 config::Problems& problems) {
  const auto may_be = rules::points_of(rule, write);
  if (!may_be) return;
  std::vector<const WritablePoint*> meant;
  std::vector<std::string> names;
  for (const WritablePoint& point : points) {
    names.push_back(point.series);
    if (may_be->matches(point.series)) meant.push_back(&point);
  }
  if (meant.empty()) {
    problems.add(write.at, fmt::format("no enabled source has a point '{}' that may be set{}; `writable:` at a point "
                                       "says that it may",
                                       may_be->text(), did_you_mean(may_be->text(), names)));
  }
  for (const auto* value : {&write.raised, &write.acknowledged, &write.cleared}) {
    if (!*value) continue;
    for (const WritablePoint* point : meant) {
      const auto taken = drivers::takes(*point, (*value)->text);
      if (taken) continue;
      problems.add((*value)->at, (*value)->secret
                                     ? fmt::format("{}: the referenced value is none that it takes", point->series)
                                     : taken.error().text);
      break;
    }
  }
}

/// Of all sources, each of one alone: else it would depend on their order which device is written to.
std::vector<WritablePoint> points_of(const Parts& parts, const Settings& settings, config::Problems& problems) {
  std::vector<WritablePoint> points;
  std::map<std::string, std::string> sources;
  for (std::size_t i = 0; i < parts.drivers.size(); ++i) {
    Outlet* outlet = parts.drivers[i] == nullptr ? nullptr : parts.drivers[i]->outlet();
    if (outlet == nullptr) continue;
    const config::Node& section = settings.sources[i];
    for (WritablePoint& point : outlet->points()) {
      const auto [first, is_first] = sources.emplace(point.series, section.string("name"));
      if (!is_first) {
        problems.add(section.at,
                     fmt::format("its point '{}' may be set, and one of source '{}' of that name too: nobody "
                                 "would know which device is meant; give one of them another name",
                                 point.series, first->second));
      }
      points.push_back(std::move(point));
    }
  }
  return points;
}

/// What an enabled rule sets is a point that may be set, to what it takes. Where a driver could not be made, nobody
/// knows.
void check_writes(const Parts& parts, const Settings& settings, config::Problems& problems) {
  const std::vector<WritablePoint> points = points_of(parts, settings, problems);
  if (std::find(parts.drivers.begin(), parts.drivers.end(), nullptr) != parts.drivers.end()) return;
  for (const rules::Rule& rule : parts.rules) {
    for (const rules::Write& write : rule.write) check_write(rule, write, points, problems);
  }
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
  check_writes(parts, settings, problems);
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
