#include "drivers/modbus/modbus.h"

#include <fmt/format.h>

#include "drivers/modbus/device.h"

namespace tidegate::drivers::modbus {
namespace {

std::string_view way_in_words(LineOptions::Kind kind) {
  using Kind = LineOptions::Kind;
  return kind == Kind::tcp ? "Modbus TCP" : kind == Kind::serial ? "Modbus RTU" : "Modbus RTU over TCP";
}

std::string in_words(const Options& options) {
  std::size_t points = 0;
  for (const DeviceOptions& device : options.devices) points += device.points.size();
  return fmt::format("{} at {}: {} device{}, {} point{}", way_in_words(options.line.kind), options.line.text(),
                     options.devices.size(), options.devices.size() == 1 ? "" : "s", points, points == 1 ? "" : "s");
}

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  Options options = read_options(section, own);
  if (!own.empty()) {
    for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
    return nullptr;
  }
  const std::string what = in_words(options);
  const auto line = std::make_shared<Line>(options.line);
  std::vector<Polled> devices;
  for (DeviceOptions& one : options.devices) {
    std::string name = one.name;
    auto device = std::make_unique<Device>(std::move(one), line);
    std::vector<Micros> intervals = device->intervals();
    devices.push_back({std::move(name), std::move(intervals), std::move(device)});
  }
  return make_polled(std::move(devices), what, context);
}

}  // namespace

DriverType type() {
  return {"modbus", "Meters, drives, controllers and transmitters that speak Modbus: TCP, RTU, and RTU over TCP.",
          options_shape(), make};
}

}  // namespace tidegate::drivers::modbus
