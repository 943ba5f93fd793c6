#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/files.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::host {

/// One number read from the kernel, or a state. `path` is the series' name below the prefix ("network/eth0/received").
struct Reading {
  std::string path;
  std::string unit;
  std::optional<double> value{};  ///< nothing: it is there, and this time says nothing (the first read of a rate)
  std::string state{};            ///< of a state; then there is no value
  SeriesKind kind = SeriesKind::number;
};
inline Reading state_reading(std::string path, std::string state) {
  return {std::move(path), "", {}, std::move(state), SeriesKind::state};
}

/// What belongs together and is read together: cpu, memory, ... One thread. Rates need two reads, so the first read
/// gives them without a value, and so does a counter that ran backwards (a device that came back).
class Group {
 public:
  virtual ~Group() = default;
  /// Appends to `out`. `now` is for rates. The error says which file could not be read, or what in it makes no sense.
  virtual Status read(Timestamp now, std::vector<Reading>& out) = 0;
};

/// What is watched by name.
struct Wanted {
  std::vector<std::string> processes, units;
};

/// The names that `make_group` knows, in the order in which they are read.
const std::vector<std::string>& group_names();
/// `root` is where proc/ and sys/ are found: "/" on a real machine.
std::unique_ptr<Group> make_group(std::string_view name, const std::filesystem::path& root, const Wanted& wanted = {});

// For the groups themselves.

std::unique_ptr<Group> make_cpu(const std::filesystem::path& root);
std::unique_ptr<Group> make_memory(const std::filesystem::path& root);
std::unique_ptr<Group> make_disk(const std::filesystem::path& root);
std::unique_ptr<Group> make_network(const std::filesystem::path& root);
std::unique_ptr<Group> make_temperature(const std::filesystem::path& root);
std::unique_ptr<Group> make_uptime(const std::filesystem::path& root);
std::unique_ptr<Group> make_wear(const std::filesystem::path& root);
std::unique_ptr<Group> make_ntp();
std::unique_ptr<Group> make_processes(const std::filesystem::path& root, std::vector<std::string> names);
/// Of systemd, asked on the system's bus.
std::unique_ptr<Group> make_units(std::vector<std::string> names);

/// The text between blanks.
std::vector<std::string_view> words(std::string_view line);

/// Running totals to rates.
class Rates {
 public:
  /// Call once a read, before the others. What the read before did not ask for is forgotten.
  void begin(Timestamp now);
  /// The change of the total since the last read, per second; nothing the first time or when it ran backwards.
  std::optional<double> per_second(const std::string& key, double total);

 private:
  struct Total {
    Timestamp time;
    double value;
  };
  Timestamp now_{};
  std::map<std::string, Total, std::less<>> last_;
};

}  // namespace tidegate::drivers::host
