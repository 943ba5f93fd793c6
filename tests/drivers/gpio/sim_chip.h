#pragma once

#include <filesystem>
#include <string>

#include "tests/drivers/gpio/pins.h"

namespace tidegate::drivers::gpio {

/// A chip of the kernel's gpio-sim (Documentation/admin-guide/gpio/gpio-sim.rst; Linux 5.17 and newer), which lines of
/// this machine lead to: libgpiod and all beneath it are those of a gateway. It goes with this object. One thread.
class SimChip final : public Pins {
 public:
  /// Why there can be none; empty: there can. Loads the kernel's module.
  static std::string lacks();

  /// Throws where the kernel refuses a step.
  SimChip();
  ~SimChip() override;
  SimChip(const SimChip&) = delete;

  std::unique_ptr<Lines> lines() override { return system_lines(); }
  LineOptions line(std::size_t pin) const override { return {label_, std::to_string(pin)}; }
  /// A line's own name.
  std::string name(std::size_t pin) const { return label_ + '-' + std::to_string(pin); }
  void set(std::size_t pin, bool high) override;
  bool level(std::size_t pin) override;
  void unplug(bool unplugged) override;
  /// Its device, where there is one of it.
  std::filesystem::path device() const;

 private:
  std::filesystem::path bank() const { return folder_ / "bank0"; }
  std::filesystem::path attribute(std::size_t pin, const char* name) const;
  void remove();

  const std::string label_;
  const std::filesystem::path folder_;  ///< of configfs
};

}  // namespace tidegate::drivers::gpio
