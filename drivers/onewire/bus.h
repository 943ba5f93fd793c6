#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "drivers/found.h"

namespace tidegate::drivers::onewire {

/// A bus: the folder of its master, as /sys/devices/w1_bus_master1, and those of the thermometers on it.
struct Bus {
  std::filesystem::path master;
  std::vector<std::filesystem::path> thermometers;
};

/// The thermometers in /sys/bus/w1/devices by their buses.
std::vector<Bus> buses_in(const std::filesystem::path& devices);

/// Each thermometer with its value. All measure at once where the gateway may ask the bus for that, else one after
/// another while they are read. A stop ends it early, and what was not read is left out. Any thread, one a bus.
std::vector<Found> read_bus(const Bus& bus, const std::stop_token& stop);

}  // namespace tidegate::drivers::onewire
