#include "gateway/app/parts.h"

#include "drivers/registry.h"

namespace tidegate::app {

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
  parts.rules = rules::parse_rules(settings.rules, problems);
  return parts;
}

std::size_t try_parts(const Settings& settings, config::Problems& problems) {
  const GatewayClock clock;
  Metrics metrics;
  const journal::Catalogue catalogue{journal::Catalogue::Limits{}};
  return make_parts(settings, {clock, metrics, catalogue, "nowhere"}, problems).rules.size();
}

}  // namespace tidegate::app
