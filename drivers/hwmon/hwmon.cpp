#include "drivers/hwmon/hwmon.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "drivers/files.h"
#include "drivers/found.h"

namespace tidegate::drivers::hwmon {
namespace {

namespace fs = std::filesystem;

/// Documentation/hwmon/sysfs-interface of the kernel: what a file's name begins with, and what it counts in.
struct Quantity {
  std::string_view stem, unit;
  double parts;  ///< the file's number is the value times this
  SeriesKind kind = SeriesKind::number;
};
constexpr std::array<Quantity, 8> kQuantities = {{{"in", "V", 1e3},
                                                  {"temp", "\u00b0C", 1e3},
                                                  {"fan", "rpm", 1},
                                                  {"curr", "A", 1e3},
                                                  {"power", "W", 1e6},
                                                  {"energy", "J", 1e6, SeriesKind::counter},
                                                  {"humidity", "%", 1e3},
                                                  {"freq", "Hz", 1}}};

/// Of "temp1_input", or of "power1_average" where the chip has no power1_input: the quantity, and "temp1".
struct Sensor {
  const Quantity* quantity;
  std::string stem;
};

std::optional<Sensor> sensor_of(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::size_t end = name.find('_');
  if (end == std::string::npos) return std::nullopt;
  const std::string stem = name.substr(0, end), rest = name.substr(end);
  std::error_code ignored;
  const bool average = rest == "_average" && !fs::exists(file.parent_path() / (stem + "_input"), ignored);
  if (rest != "_input" && !average) return std::nullopt;
  const std::size_t letters = stem.find_first_of("0123456789");
  for (const Quantity& quantity : kQuantities) {
    if (stem.substr(0, letters) == quantity.stem) return Sensor{&quantity, stem};
  }
  return std::nullopt;
}

Result<double> value_of(const fs::path& file, const Sensor& sensor) {
  if (text_of(file.parent_path() / (sensor.stem + "_fault")) == "1") {
    return fail(Errc::corrupt, "the chip says that the sensor is broken or not connected");
  }
  const auto value = read_number(file);
  if (!value) return fail(value.error());
  return *value / sensor.quantity->parts;
}

class Chips final : public Finder {
 public:
  explicit Chips(const fs::path& root) : class_(root / "sys/class/hwmon") {}

  Status find(std::vector<Found>& out, const std::stop_token&) override {
    std::error_code error;
    if (!fs::is_directory(class_, error)) return fail(Errc::not_found, "{} is not there", class_.string());
    std::map<std::string, std::vector<fs::path>> chips;  // by name: a number is given anew at each start
    for (const fs::path& chip : entries(class_)) {
      std::string name = text_of(chip / "name");
      if (name.empty()) name = text_of(chip / "device/name");  // of old drivers
      chips[as_level(name)].push_back(chip);
    }
    for (const auto& [name, twins] : chips) {
      for (const fs::path& chip : twins) add_chip(name, chip, twins.size() > 1, out);
    }
    return {};
  }

 private:
  static void add_chip(const std::string& name, const fs::path& chip, bool has_twin, std::vector<Found>& out) {
    std::error_code error;
    const fs::path device = fs::read_symlink(chip / "device", error);
    const std::string where = error ? "" : as_level(device.filename().string());
    const std::string longer = where.empty() ? "" : fmt::format("{}@{}", name, where);
    const std::string shorter = has_twin && !longer.empty() ? longer : name;
    for (const fs::path& file : entries(chip)) {
      const auto sensor = sensor_of(file);
      if (!sensor) continue;
      const std::string label = text_of(chip / (sensor->stem + "_label"));
      const std::string level = label.empty() ? sensor->stem : as_level(label);
      out.push_back({unique(shorter + '/' + level, sensor->stem, out), longer.empty() ? "" : longer + '/' + level,
                     std::string(sensor->quantity->unit), sensor->quantity->kind, value_of(file, *sensor)});
    }
  }

  // Two sensors of a chip may have the same label.
  static std::string unique(std::string id, const std::string& stem, const std::vector<Found>& out) {
    const bool taken = std::any_of(out.begin(), out.end(), [&](const Found& other) { return other.id == id; });
    return taken ? id + '_' + stem : id;
  }

  const fs::path class_;
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  return make_finding(section, std::make_unique<Chips>(section.string("root")), context, problems);
}

}  // namespace

DriverType type() {
  static const auto shape =
      config::Shape::object("Sensor chips of the kernel's hwmon.",
                            finding_fields("5s", std::chrono::milliseconds(200), "ina226/in1, ina226@1-0040/in1"));
  return {"hwmon", "Sensor chips: temperatures, voltages, currents, power, fans, humidity.", shape, make};
}

}  // namespace tidegate::drivers::hwmon
