#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/config/node.h"

/// The registers of kinds of devices: those that are compiled in, and a user's own files.
namespace tidegate::drivers::modbus {

struct Profile {
  std::string_view name;
  std::string_view yaml;
};

std::span<const Profile> shipped_profiles();  ///< by name
std::optional<std::string_view> shipped_profile(std::string_view name);

/// Reads each profile once. One thread.
class Profiles {
 public:
  /// The profile that `name` names, or the file; checked and sound. nullptr where it is not, with its problems.
  const config::Node* find(const config::Node& name, config::Problems& problems);

 private:
  std::map<std::string, std::optional<config::Node>> read_;
};

}  // namespace tidegate::drivers::modbus
