#include "drivers/onewire/onewire.h"

#include <future>

#include "drivers/found.h"
#include "drivers/onewire/bus.h"

namespace tidegate::drivers::onewire {
namespace {

namespace fs = std::filesystem;

class Thermometers final : public Finder {
 public:
  explicit Thermometers(const fs::path& root) : devices_(root / "sys/bus/w1/devices") {}

  Status find(std::vector<Found>& out, const std::stop_token& stop) override {
    std::error_code error;
    if (!fs::is_directory(devices_, error)) {
      return fail(Errc::not_found, "{} is not there: load w1-gpio (on a Raspberry Pi: dtoverlay=w1-gpio) and w1-therm",
                  devices_.string());
    }
    // Each bus by a thread, so that none waits while another measures. A single one needs none, and what gets none is
    // read when its turn comes.
    const std::vector<Bus> buses = buses_in(devices_);
    const auto how = buses.size() == 1 ? std::launch::deferred : std::launch::async | std::launch::deferred;
    std::vector<std::future<std::vector<Found>>> reads;
    for (const Bus& bus : buses) reads.push_back(std::async(how, read_bus, std::cref(bus), std::cref(stop)));
    for (auto& read : reads) {
      for (Found& found : read.get()) out.push_back(std::move(found));
    }
    return {};
  }

 private:
  const fs::path devices_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  return make_finding(section, std::make_unique<Thermometers>(section.string("root")), context, problems);
}

}  // namespace

DriverType type() {
  static const auto shape = config::Shape::object("Thermometers on a 1-Wire bus.",
                                                  finding_fields("10s", std::chrono::seconds(1), "28-0316a2791aff"));
  return {"onewire", "Thermometers on a 1-Wire bus, such as the DS18B20.", shape, make};
}

}  // namespace tidegate::drivers::onewire
