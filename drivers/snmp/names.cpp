#include "drivers/snmp/names.h"

#include <algorithm>

namespace tidegate::drivers::snmp {
namespace {

constexpr SeriesKind kNumber = SeriesKind::number, kCounter = SeriesKind::counter, kState = SeriesKind::state;
using Words = std::vector<std::pair<double, std::string>>;

const std::vector<Name>& table() {
  static const Words kAdmin = {{1, "up"}, {2, "down"}, {3, "testing"}};
  static const Words kOper = {{1, "up"},      {2, "down"},        {3, "testing"},         {4, "unknown"},
                              {5, "dormant"}, {6, "not present"}, {7, "lower layer down"}};
  static const Words kBattery = {{1, "unknown"}, {2, "normal"}, {3, "low"}, {4, "depleted"}};
  static const Words kOutput = {{1, "other"},   {2, "none"},    {3, "normal"}, {4, "bypass"},
                                {5, "battery"}, {6, "booster"}, {7, "reducer"}};
  static const Words kDevice = {{1, "unknown"}, {2, "running"}, {3, "warning"}, {4, "testing"}, {5, "down"}};
  static const std::vector<Name> all = {
      // RFC 3418: the agent itself. TimeTicks are read as seconds.
      {"sysDescr", "1.3.6.1.2.1.1.1", kState},
      {"sysUpTime", "1.3.6.1.2.1.1.3", kNumber, "s"},
      {"sysContact", "1.3.6.1.2.1.1.4", kState},
      {"sysName", "1.3.6.1.2.1.1.5", kState},
      {"sysLocation", "1.3.6.1.2.1.1.6", kState},
      // RFC 2863: interfaces.
      {"ifNumber", "1.3.6.1.2.1.2.1"},
      {"ifDescr", "1.3.6.1.2.1.2.2.1.2", kState},
      {"ifMtu", "1.3.6.1.2.1.2.2.1.4", kNumber, "B"},
      {"ifSpeed", "1.3.6.1.2.1.2.2.1.5", kNumber, "bit/s"},
      {"ifAdminStatus", "1.3.6.1.2.1.2.2.1.7", kState, "", 1, kAdmin},
      {"ifOperStatus", "1.3.6.1.2.1.2.2.1.8", kState, "", 1, kOper},
      {"ifInOctets", "1.3.6.1.2.1.2.2.1.10", kCounter, "B"},
      {"ifInUcastPkts", "1.3.6.1.2.1.2.2.1.11", kCounter},
      {"ifInDiscards", "1.3.6.1.2.1.2.2.1.13", kCounter},
      {"ifInErrors", "1.3.6.1.2.1.2.2.1.14", kCounter},
      {"ifOutOctets", "1.3.6.1.2.1.2.2.1.16", kCounter, "B"},
      {"ifOutUcastPkts", "1.3.6.1.2.1.2.2.1.17", kCounter},
      {"ifOutDiscards", "1.3.6.1.2.1.2.2.1.19", kCounter},
      {"ifOutErrors", "1.3.6.1.2.1.2.2.1.20", kCounter},
      {"ifName", "1.3.6.1.2.1.31.1.1.1.1", kState},
      {"ifHCInOctets", "1.3.6.1.2.1.31.1.1.1.6", kCounter, "B"},
      {"ifHCInUcastPkts", "1.3.6.1.2.1.31.1.1.1.7", kCounter},
      {"ifHCOutOctets", "1.3.6.1.2.1.31.1.1.1.10", kCounter, "B"},
      {"ifHCOutUcastPkts", "1.3.6.1.2.1.31.1.1.1.11", kCounter},
      {"ifHighSpeed", "1.3.6.1.2.1.31.1.1.1.15", kNumber, "Mbit/s"},
      {"ifAlias", "1.3.6.1.2.1.31.1.1.1.18", kState},
      // RFC 1628: uninterruptible power supplies.
      {"upsIdentManufacturer", "1.3.6.1.2.1.33.1.1.1", kState},
      {"upsIdentModel", "1.3.6.1.2.1.33.1.1.2", kState},
      {"upsBatteryStatus", "1.3.6.1.2.1.33.1.2.1", kState, "", 1, kBattery},
      {"upsSecondsOnBattery", "1.3.6.1.2.1.33.1.2.2", kNumber, "s"},
      {"upsEstimatedMinutesRemaining", "1.3.6.1.2.1.33.1.2.3", kNumber, "min"},
      {"upsEstimatedChargeRemaining", "1.3.6.1.2.1.33.1.2.4", kNumber, "%"},
      {"upsBatteryVoltage", "1.3.6.1.2.1.33.1.2.5", kNumber, "V", 0.1},
      {"upsBatteryCurrent", "1.3.6.1.2.1.33.1.2.6", kNumber, "A", 0.1},
      {"upsBatteryTemperature", "1.3.6.1.2.1.33.1.2.7", kNumber, "\u00b0C"},
      {"upsInputLineBads", "1.3.6.1.2.1.33.1.3.1", kCounter},
      {"upsInputFrequency", "1.3.6.1.2.1.33.1.3.3.1.2", kNumber, "Hz", 0.1},
      {"upsInputVoltage", "1.3.6.1.2.1.33.1.3.3.1.3", kNumber, "V"},
      {"upsInputCurrent", "1.3.6.1.2.1.33.1.3.3.1.4", kNumber, "A", 0.1},
      {"upsInputTruePower", "1.3.6.1.2.1.33.1.3.3.1.5", kNumber, "W"},
      {"upsOutputSource", "1.3.6.1.2.1.33.1.4.1", kState, "", 1, kOutput},
      {"upsOutputFrequency", "1.3.6.1.2.1.33.1.4.2", kNumber, "Hz", 0.1},
      {"upsOutputVoltage", "1.3.6.1.2.1.33.1.4.4.1.2", kNumber, "V"},
      {"upsOutputCurrent", "1.3.6.1.2.1.33.1.4.4.1.3", kNumber, "A", 0.1},
      {"upsOutputPower", "1.3.6.1.2.1.33.1.4.4.1.4", kNumber, "W"},
      {"upsOutputPercentLoad", "1.3.6.1.2.1.33.1.4.4.1.5", kNumber, "%"},
      {"upsAlarmsPresent", "1.3.6.1.2.1.33.1.6.1"},
      // RFC 2790: computers and printers.
      {"hrSystemUptime", "1.3.6.1.2.1.25.1.1", kNumber, "s"},
      {"hrSystemNumUsers", "1.3.6.1.2.1.25.1.5"},
      {"hrSystemProcesses", "1.3.6.1.2.1.25.1.6"},
      {"hrMemorySize", "1.3.6.1.2.1.25.2.2", kNumber, "KiB"},
      {"hrStorageDescr", "1.3.6.1.2.1.25.2.3.1.3", kState},
      {"hrStorageAllocationUnits", "1.3.6.1.2.1.25.2.3.1.4", kNumber, "B"},
      {"hrStorageSize", "1.3.6.1.2.1.25.2.3.1.5"},
      {"hrStorageUsed", "1.3.6.1.2.1.25.2.3.1.6"},
      {"hrDeviceDescr", "1.3.6.1.2.1.25.3.2.1.3", kState},
      {"hrDeviceStatus", "1.3.6.1.2.1.25.3.2.1.5", kState, "", 1, kDevice},
      {"hrProcessorLoad", "1.3.6.1.2.1.25.3.3.1.2", kNumber, "%"},
  };
  return all;
}

}  // namespace

std::span<const Name> names() { return table(); }

const Name* find_name(std::string_view name) {
  const auto found = std::find_if(table().begin(), table().end(), [&](const Name& n) { return n.name == name; });
  return found == table().end() ? nullptr : &*found;
}

const Name* name_of(std::string_view oid) {
  const auto found = std::find_if(table().begin(), table().end(), [&](const Name& n) {
    return oid.starts_with(n.oid) && (oid.size() == n.oid.size() || oid[n.oid.size()] == '.');
  });
  return found == table().end() ? nullptr : &*found;
}

const std::vector<std::string>& known_names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made;
    for (const Name& name : table()) made.emplace_back(name.name);
    return made;
  }();
  return all;
}

}  // namespace tidegate::drivers::snmp
