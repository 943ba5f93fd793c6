#pragma once

#include <string>

namespace tidegate::app {

/// `tidegate drivers` and `tidegate drivers TYPE`: what this build can read, and the options of one kind.
struct DriverList {
  std::string type;  ///< to describe; empty: list all
  bool json = false;
};
/// The exit code.
int list_drivers(const DriverList& options);

}  // namespace tidegate::app
