#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::tools {

/// A line on standard error that says how far a long command is, written over itself; nothing where that is no
/// terminal, and nothing in the first half second.
class Progress {
 public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap when it is called often: the text is made a few times a second.
  template <class Text>
  void show(const Text& text) {
    if (due()) print(text());
  }
  /// Before anything else is written to the terminal.
  void clear();

 private:
  bool due();
  void print(std::string_view text);

  const bool terminal_;
  std::chrono::steady_clock::time_point next_;
  bool shown_ = false;
};

/// "12.3 MB"
std::string bytes_text(std::uint64_t bytes);
/// "1,234,567"
std::string count_text(std::uint64_t count);
/// "1 file", "2 files"
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace tidegate::tools
