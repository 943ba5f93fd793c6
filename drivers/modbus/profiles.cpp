#include "drivers/modbus/profiles.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/modbus/options.h"
#include "gateway/config/load.h"

namespace tidegate::drivers::modbus {
namespace {

using config::Node;
using config::Problems;

std::string all_names() {
  std::string names;
  for (const Profile& profile : shipped_profiles()) {
    names += (names.empty() ? "" : ", ") + std::string(profile.name);
  }
  return names;
}

std::optional<Node> read(const Node& name, Problems& problems) {
  std::string file = name.string(), text;
  if (const auto shipped = shipped_profile(file)) {
    text = *shipped;
    file = "profile " + file;
  } else {
    Result<std::string> read = config::References::system().read_file(file);
    if (!read) {
      problems.add(name.at, fmt::format("{}; a profile is a file beside the configuration, or one of those shipped: {}",
                                        read.error().text, all_names()));
      return std::nullopt;
    }
    text = std::move(*read);
  }
  Problems own;
  Node node = config::parse(text, file, {}, {}, own);
  config::check(node, profile_shape(), own);
  for (const config::Problem& problem : own.sorted()) problems.add(problem.at, problem.what);
  return own.empty() ? std::optional(std::move(node)) : std::nullopt;
}

}  // namespace

std::optional<std::string_view> shipped_profile(std::string_view name) {
  const auto all = shipped_profiles();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Profile& profile) { return profile.name == name; });
  return found == all.end() ? std::nullopt : std::optional(found->yaml);
}

const Node* Profiles::find(const Node& name, Problems& problems) {
  const auto [at, is_new] = read_.try_emplace(name.string());
  if (is_new) at->second = read(name, problems);
  return at->second ? &*at->second : nullptr;
}

}  // namespace tidegate::drivers::modbus
