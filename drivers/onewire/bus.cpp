#include "drivers/onewire/bus.h"

#include <fcntl.h>

#include <map>

#include "drivers/files.h"
#include "drivers/onewire/thermometer.h"
#include "gateway/core/fd.h"
#include "gateway/core/sleep.h"
#include "gateway/core/write_all.h"

namespace tidegate::drivers::onewire {
namespace {

namespace fs = std::filesystem;

// The kernel's word, which it takes in one piece with its end of line (therm_bulk_read_store in w1_therm.c). It is back
// when the slowest has measured, 750 ms later.
bool trigger(const fs::path& file) {
  const Fd bus(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  return bus && write_all(bus.get(), "trigger\n");
}

// It says -1 while it measures, 1 when there is something to read, 0 when there is not; "" where it is gone.
bool measures(const fs::path& file) {
  const std::string state = text_of(file);
  return !state.empty() && state != "0" && state != "1";
}

// What the thermometers measure here is what the next read of w1_slave gives, as of `temperature` (w1_slave_show in
// w1_therm.c since bulk reads came, though the kernel's text tells of `temperature` alone); one that was not asked,
// since the file is missing, may not be written or does not cover its family (DS28EA00), measures when it is read.
Status measure_together(const Bus& bus, const std::stop_token& stop) {
  constexpr Micros kLongest = std::chrono::milliseconds(1500), kStep = std::chrono::milliseconds(10);
  const fs::path file = bus.master / "therm_bulk_read";
  if (!trigger(file)) return {};
  for (Micros waited{0}; measures(file); waited += kStep) {
    if (waited >= kLongest) return fail(Errc::io, "{} says that it still measures, after 1.5 s", file.string());
    if (!sleep_for(kStep, stop)) break;
  }
  return {};
}

Result<double> temperature_of(const fs::path& thermometer, const Status& measured) {
  const auto text = read_file(thermometer / "w1_slave");
  if (!text) return fail(text.error());
  if (text->empty() && !measured) return fail(measured.error());
  return parse_thermometer(*text);
}

}  // namespace

std::vector<Bus> buses_in(const fs::path& devices) {
  std::map<fs::path, Bus> by_master;
  for (const fs::path& device : entries(devices)) {
    if (!is_thermometer(device.filename().string())) continue;
    std::error_code error;
    const fs::path real = fs::canonical(device, error);  // .../w1_bus_master1/28-0316a2791aff
    const fs::path master = (error ? device : real).parent_path();
    Bus& bus = by_master[master];
    bus.master = master;
    bus.thermometers.push_back(device);
  }
  std::vector<Bus> buses;
  for (auto& [master, bus] : by_master) buses.push_back(std::move(bus));
  return buses;
}

std::vector<Found> read_bus(const Bus& bus, const std::stop_token& stop) {
  std::vector<Found> found;
  const Status measured = measure_together(bus, stop);
  for (const fs::path& thermometer : bus.thermometers) {
    if (stop.stop_requested()) break;
    found.push_back(
        {thermometer.filename().string(), "", "\u00b0C", SeriesKind::number, temperature_of(thermometer, measured)});
  }
  return found;
}

}  // namespace tidegate::drivers::onewire
