#include "drivers/host/readings.h"

#include <algorithm>
#include <array>

namespace tidegate::drivers::host {

namespace {

using Root = std::filesystem::path;
using Maker = std::unique_ptr<Group> (*)(const Root&, const Wanted&);
constexpr std::array<std::pair<std::string_view, Maker>, 10> kGroups = {{
    {"cpu", [](const Root& root, const Wanted&) { return make_cpu(root); }},
    {"memory", [](const Root& root, const Wanted&) { return make_memory(root); }},
    {"disk", [](const Root& root, const Wanted&) { return make_disk(root); }},
    {"wear", [](const Root& root, const Wanted&) { return make_wear(root); }},
    {"network", [](const Root& root, const Wanted&) { return make_network(root); }},
    {"temperature", [](const Root& root, const Wanted&) { return make_temperature(root); }},
    {"uptime", [](const Root& root, const Wanted&) { return make_uptime(root); }},
    {"ntp", [](const Root&, const Wanted&) { return make_ntp(); }},
    {"process", [](const Root& root, const Wanted& wanted) { return make_processes(root, wanted.processes); }},
    {"units", [](const Root&, const Wanted& wanted) { return make_units(wanted.units); }},
}};

}  // namespace

const std::vector<std::string>& group_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, make] : kGroups) all.emplace_back(name);
    return all;
  }();
  return names;
}

std::unique_ptr<Group> make_group(std::string_view name, const std::filesystem::path& root, const Wanted& wanted) {
  for (const auto& [known, make] : kGroups) {
    if (known == name) return make(root, wanted);
  }
  return nullptr;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  while (true) {
    const std::size_t start = line.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) return found;
    const std::size_t size = std::min(line.find_first_of(" \t\n", start), line.size()) - start;
    found.push_back(line.substr(start, size));
    line.remove_prefix(start + size);
  }
}

void Rates::begin(Timestamp now) {
  std::erase_if(last_, [&](const auto& known) { return known.second.time < now_; });  // gone since
  now_ = now;
}

std::optional<double> Rates::per_second(const std::string& key, double total) {
  const auto [at, is_new] = last_.try_emplace(key, Total{now_, total});
  const Total before = std::exchange(at->second, Total{now_, total});
  const double seconds = std::chrono::duration<double>(now_ - before.time).count();
  if (is_new || seconds <= 0 || total < before.value) return std::nullopt;
  return (total - before.value) / seconds;
}

}  // namespace tidegate::drivers::host
