#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::host {

/// One number read from the kernel. `path` is the series' name below the prefix ("network/eth0/received").
struct Reading {
  std::string path;
  std::string unit;
  std::optional<double> value;  ///< nothing: it is there, and this time says nothing (the first read of a rate)
};

/// What belongs together and is read together: cpu, memory, ... One thread. Rates need two reads, so the first read
/// gives them without a value, and so does a counter that ran backwards (a device that came back).
class Group {
 public:
  virtual ~Group() = default;
  /// Appends to `out`. `now` is for rates. The error says which file could not be read, or what in it makes no sense.
  virtual Status read(Timestamp now, std::vector<Reading>& out) = 0;
};

/// The names that `make_group` knows, in the order in which they are read.
const std::vector<std::string>& group_names();
/// `root` is where proc/ and sys/ are found: "/" on a real machine.
std::unique_ptr<Group> make_group(std::string_view name, const std::filesystem::path& root);

// For the groups themselves.

std::unique_ptr<Group> make_cpu(const std::filesystem::path& root);
std::unique_ptr<Group> make_memory(const std::filesystem::path& root);
std::unique_ptr<Group> make_disk(const std::filesystem::path& root);
std::unique_ptr<Group> make_network(const std::filesystem::path& root);
std::unique_ptr<Group> make_temperature(const std::filesystem::path& root);
std::unique_ptr<Group> make_uptime(const std::filesystem::path& root);

/// A whole file of /proc or /sys, at most 1 MiB of it.
Result<std::string> read_file(const std::filesystem::path& file);
/// The text between blanks.
std::vector<std::string_view> words(std::string_view line);
/// A file that holds one number, as most of /sys do.
std::optional<double> read_number(const std::filesystem::path& file);
/// `text` as one level of a series name: lower case, blanks and what may not stand there as '_'.
std::string as_level(std::string_view text);

/// Running totals to rates.
class Rates {
 public:
  /// Call once a read, before the others.
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
