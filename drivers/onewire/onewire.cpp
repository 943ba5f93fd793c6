#include "drivers/onewire/onewire.h"

#include "drivers/files.h"
#include "drivers/found.h"
#include "drivers/onewire/thermometer.h"

namespace tidegate::drivers::onewire {
namespace {

namespace fs = std::filesystem;

class Bus final : public Finder {
 public:
  explicit Bus(const fs::path& root) : devices_(root / "sys/bus/w1/devices") {}

  Status find(std::vector<Found>& out) override {
    std::error_code error;
    if (!fs::is_directory(devices_, error)) {
      return fail(Errc::not_found, "{} is not there: load w1-gpio (on a Raspberry Pi: dtoverlay=w1-gpio) and w1-therm",
                  devices_.string());
    }
    for (const fs::path& device : entries(devices_)) {
      const std::string id = device.filename().string();
      if (!is_thermometer(id)) continue;
      const auto text = read_file(device / "w1_slave");
      out.push_back({id, "", "\u00b0C", SeriesKind::number, text ? parse_thermometer(*text) : fail(text.error())});
    }
    return {};
  }

 private:
  const fs::path devices_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  return make_finding(section, std::make_unique<Bus>(section.string("root")), context, problems);
}

}  // namespace

DriverType type() {
  static const auto shape = config::Shape::object("Thermometers on a 1-Wire bus.",
                                                  finding_fields("10s", std::chrono::seconds(1), "28-0316a2791aff"));
  return {"onewire", "Thermometers on a 1-Wire bus, such as the DS18B20.", shape, make};
}

}  // namespace tidegate::drivers::onewire
