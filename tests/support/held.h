#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <ostream>
#include <string>

namespace tidegate::test {

/// What a process holds, and gives back if it leaves nothing behind.
struct Held {
  long descriptors = 0, threads = 0;
  friend bool operator==(const Held&, const Held&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Held& held) {
    return out << held.descriptors << " descriptors, " << held.threads << " threads";
  }
};

/// Of this process where no other is said; what it takes to look is counted too.
inline Held held_by(pid_t process = ::getpid()) {
  const std::filesystem::path folder = "/proc/" + std::to_string(process);
  const auto entries = [&](const char* of) {
    return std::distance(std::filesystem::directory_iterator(folder / of), std::filesystem::directory_iterator{});
  };
  return {entries("fd"), entries("task")};
}

}  // namespace tidegate::test
