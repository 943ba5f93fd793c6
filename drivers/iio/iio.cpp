#include "drivers/iio/iio.h"

#include <fmt/format.h>

#include <map>

#include "drivers/files.h"
#include "drivers/found.h"
#include "drivers/iio/channel.h"

namespace tidegate::drivers::iio {
namespace {

namespace fs = std::filesystem;

class Devices final : public Finder {
 public:
  explicit Devices(const fs::path& root) : devices_(root / "sys/bus/iio/devices") {}

  Status find(std::vector<Found>& out, const std::stop_token&) override {
    std::error_code error;
    if (!fs::is_directory(devices_, error)) {
      return fail(Errc::not_found, "{} is not there: no driver of an IIO device is loaded", devices_.string());
    }
    std::map<std::string, std::vector<fs::path>> by_name;  // a number is given anew at each start
    for (const fs::path& device : entries(devices_)) {
      if (!device.filename().string().starts_with("iio:device")) continue;
      const std::string label = text_of(device / "label");  // of the device tree, made to tell twins apart
      by_name[as_level(label.empty() ? text_of(device / "name") : label)].push_back(device);
    }
    for (const auto& [name, twins] : by_name) {
      for (const fs::path& device : twins) add_device(name, device, twins.size() > 1, out);
    }
    return {};
  }

 private:
  static void add_device(const std::string& name, const fs::path& device, bool has_twin, std::vector<Found>& out) {
    const std::string longer = longer_name(name, device);
    const std::string& shorter = has_twin && !longer.empty() ? longer : name;
    for (const fs::path& file : entries(device)) {
      const auto channel = channel_of(file.filename().string());
      std::error_code ignored;
      if (!channel || (!channel->processed && fs::exists(device / ("in_" + channel->name + "_input"), ignored)))
        continue;
      const std::string label = text_of(device / ("in_" + channel->name + "_label"));
      const std::string level = as_level(label.empty() ? channel->name : label);
      out.push_back({shorter + '/' + level, longer.empty() ? "" : longer + '/' + level, std::string(channel->unit),
                     SeriesKind::number, value_of(*channel, device)});
    }
  }

  // By the device on its bus, which is the folder that holds iio:deviceN: .../i2c-1/1-0076/iio:device0.
  static std::string longer_name(const std::string& name, const fs::path& device) {
    std::error_code error;
    const fs::path real = fs::canonical(device, error);
    if (error || real.parent_path().filename() == "devices") return "";
    return fmt::format("{}@{}", name, as_level(real.parent_path().filename().string()));
  }

  const fs::path devices_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  return make_finding(section, std::make_unique<Devices>(section.string("root")), context, problems);
}

}  // namespace

DriverType type() {
  static const auto shape = config::Shape::object(
      "Converters and sensors of the kernel's Industrial I/O.",
      finding_fields("1s", std::chrono::milliseconds(50), "bme280/pressure, ads1115@1-0048/voltage0"));
  return {"iio", "Converters and sensors: voltages, currents, climate, light, movement.", shape, make};
}

}  // namespace tidegate::drivers::iio
