#include <set>

#include "drivers/host/readings.h"

namespace tidegate::drivers::host {

namespace {

namespace fs = std::filesystem;

// hwmon (Documentation/hwmon/sysfs-interface) names its sensors well; thermal zones stand in where there is none.
class Temperature final : public Group {
 public:
  explicit Temperature(const fs::path& root) : hwmon_(root / "sys/class/hwmon"), thermal_(root / "sys/class/thermal") {}

  Status read(Timestamp, std::vector<Reading>& out) override {
    taken_.clear();
    Status status = add_hwmon(out);
    if (taken_.empty() && status) status = add_thermal(out);
    return status;
  }

 private:
  Status add_hwmon(std::vector<Reading>& out) {
    Status status;
    for (const fs::path& chip : entries(hwmon_)) {
      for (const fs::path& file : entries(chip)) {
        const std::string name = file.filename().string();
        if (!name.starts_with("temp") || !name.ends_with("_input")) continue;
        const std::string stem = name.substr(0, name.size() - std::string_view("_input").size());
        const std::string label = text_of(chip / (stem + "_label"));
        add(file, text_of(chip / "name") + '_' + (label.empty() ? stem : label), out, status);
      }
    }
    return status;
  }

  Status add_thermal(std::vector<Reading>& out) {
    Status status;
    for (const fs::path& zone : entries(thermal_)) {
      if (!zone.filename().string().starts_with("thermal_zone")) continue;
      add(zone / "temp", text_of(zone / "type"), out, status);
    }
    return status;
  }

  void add(const fs::path& file, std::string_view label, std::vector<Reading>& out, Status& status) {
    constexpr double kMillidegrees = 1000;
    std::string name = as_level(label);
    for (int twin = 2; !taken_.insert(name).second; ++twin) name = as_level(label) + '_' + std::to_string(twin);
    const auto value = read_number(file);
    if (!value) {
      status = fail(value.error());
    } else {
      out.push_back({"temperature/" + name, "\u00b0C", *value / kMillidegrees});
    }
  }

  const fs::path hwmon_, thermal_;
  std::set<std::string> taken_;
};

}  // namespace

std::unique_ptr<Group> make_temperature(const fs::path& root) { return std::make_unique<Temperature>(root); }

}  // namespace tidegate::drivers::host
