#include "drivers/modbus/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "drivers/modbus/point_options.h"
#include "drivers/modbus/profiles.h"
#include "drivers/options.h"
#include "drivers/reading.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::modbus {
namespace {

using config::Node;
using config::Problems;

LineOptions read_line(const Node& section, Problems& problems) {
  using Kind = LineOptions::Kind;
  LineOptions line;
  line.timeout = section.duration("timeout");
  line.pause = section.duration("pause");
  int ways = 0;
  for (const auto& [key, kind] : {std::pair("tcp", Kind::tcp), std::pair("rtu_over_tcp", Kind::rtu_over_tcp)}) {
    if (!section.has(key)) continue;
    ++ways;
    line.kind = kind;
    std::tie(line.host, line.port) = *parse_host(section.string(key));
  }
  if (section.has("serial")) {
    const Node& serial = section["serial"];
    ++ways;
    line.kind = Kind::serial;
    line.path = serial.string("port");
    line.baud = std::stoi(serial.string("baud"));
    line.parity = serial.string("parity") == "none" ? 'N' : serial.string("parity") == "even" ? 'E' : 'O';
    line.stop_bits = static_cast<int>(serial.integer("stop_bits"));
  }
  if (ways != 1) problems.add(section.at, "a modbus source has one of tcp, rtu_over_tcp and serial");
  return line;
}

class DeviceReader {
 public:
  DeviceReader(const Node& section, Profiles& profiles, Problems& problems)
      : section_(section), profiles_(profiles), problems_(problems) {}

  DeviceOptions read(const Node& node, bool serial) {
    DeviceOptions device{node.string("name"), static_cast<int>(node.integer("unit")), {}, {}};
    check_unit(node["unit"], serial);
    const Node* profile = node.has("profile") ? profiles_.find(node["profile"], problems_) : nullptr;
    Settings settings{.every = section_.duration("every")};
    if (profile != nullptr) settings.overlay(*profile);
    settings.overlay(node);
    device.limits = settings.limits;
    check_only(node, profile);
    if (profile != nullptr) add(*profile, read_patterns(node["only"]), settings, device);
    add(node, {}, settings, device);
    const bool told = node.has("profile") && (profile == nullptr || !node["only"].items.empty());
    if (device.points.empty() && !told) problems_.add(node.at, "it has nothing to read: give it a profile, or points");
    return device;
  }

 private:
  void check_unit(const Node& unit, bool serial) {
    const std::int64_t number = unit.integer();
    if (number >= 1 && number <= 247) return;
    if (serial) problems_.add(unit.at, "a unit on a serial line is 1 to 247");
    if (number > 247 && number < 255) problems_.add(unit.at, "248 to 254 are reserved");
  }

  /// Each of them is of something: what is misspelled is never read.
  void check_only(const Node& node, const Node* profile) {
    const auto& patterns = node["only"].items;
    if (!patterns.empty() && !node.has("profile")) problems_.add(node["only"].at, "`only` is of a profile's points");
    if (profile == nullptr) return;
    std::vector<std::string> names;
    for (const Node& point : (*profile)["points"].items) names.push_back(point.string("name"));
    for (const Node& pattern : patterns) {
      const Pattern parsed = read_pattern(pattern);
      if (std::any_of(names.begin(), names.end(), [&](const auto& name) { return parsed.matches(name); })) continue;
      problems_.add(pattern.at, fmt::format("no point of its profile is '{}'{}", printable(pattern.string()),
                                            did_you_mean(pattern.string(), names)));
    }
  }

  void add(const Node& from, const std::vector<Pattern>& only, const Settings& settings, DeviceOptions& device) {
    std::set<std::string> own;
    for (const Node& node : from["points"].items) {
      const std::string name = node.string("name");
      if (!only.empty() && !any_matches(only, name)) continue;
      if (!own.insert(name).second)
        problems_.add(node["name"].at, fmt::format("'{}' is there already", printable(name)));
      PointOptions point = read_point(node, device.name, settings, problems_);
      const auto same = std::find_if(device.points.begin(), device.points.end(),
                                     [&](const PointOptions& other) { return other.series == point.series; });
      if (same != device.points.end()) {
        *same = std::move(point);
      } else {
        device.points.push_back(std::move(point));
      }
    }
  }

  const Node& section_;
  Profiles& profiles_;
  Problems& problems_;
};

}  // namespace

Options read_options(const Node& section, Problems& problems) {
  Options options{read_line(section, problems), {}};
  Profiles profiles;
  DeviceReader reader(section, profiles, problems);
  std::set<std::string> names;
  for (const Node& node : section["devices"].items) {
    if (!names.insert(node.string("name")).second) {
      problems.add(node["name"].at, fmt::format("a device '{}' is there already", printable(node.string("name"))));
    }
    options.devices.push_back(reader.read(node, options.line.kind != LineOptions::Kind::tcp));
  }
  if (options.devices.empty()) problems.add(section["devices"].at, "no device is left to read");
  return options;
}

}  // namespace tidegate::drivers::modbus
