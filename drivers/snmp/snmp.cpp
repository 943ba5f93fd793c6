#include "drivers/snmp/snmp.h"

#include <fmt/format.h>

#include "drivers/polled.h"
#include "drivers/snmp/device.h"

namespace tidegate::drivers::snmp {
namespace {

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  Options options = read_options(section, own);
  for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  std::string what = fmt::format("{}:{}: {} points, {} tables", options.access.host, options.access.port,
                                 options.points.size(), options.tables.size());
  auto device = std::make_unique<Device>(std::move(options));
  std::vector<Polled> devices;
  auto intervals = device->intervals();
  devices.push_back({"", std::move(intervals), std::move(device)});
  return make_polled(std::move(devices), std::move(what), context);
}

}  // namespace

DriverType type() { return {"snmp", "Switches, UPSs, printers and computers that answer SNMP.", shape(), make}; }

}  // namespace tidegate::drivers::snmp
