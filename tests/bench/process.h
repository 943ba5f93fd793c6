#pragma once

#include <stdlib.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

/// What a benchmark asks of its own process, and where it writes.
namespace tidegate::bench {

/// User and system time.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A counter of /proc/self/io: "wchar", bytes given to the kernel to write; "write_bytes", sent to a disk.
inline double io_counter(std::string_view counter) {
  std::ifstream io("/proc/self/io");
  double value = 0;
  for (std::string key; io >> key >> value;) {
    if (key.substr(0, key.size() - 1) == counter) return value;
  }
  return 0;
}

/// A folder in the working directory rather than in /tmp, which may be no disk at all; removed at the end.
struct Scratch {
  Scratch() {
    std::string pattern = (std::filesystem::current_path() / "bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path = pattern;
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace tidegate::bench
