#include "gateway/tools/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "gateway/core/text.h"

namespace tidegate::tools {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kFirst(500), kEach(200);

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1), next_(steady_clock::now() + kFirst) {}

bool Progress::due() {
  if (!terminal_) return false;
  const auto now = steady_clock::now();
  if (now < next_) return false;
  next_ = now + kEach;
  return true;
}

void Progress::print(std::string_view text) {
  fmt::print(stderr, "\r{}\x1b[K", text);
  shown_ = true;
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto shown = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; shown >= 1000 && unit + 1 < std::size(kUnits); ++unit) shown /= 1000;
  return fmt::format("{} {}", unit == 0 ? fmt::format("{}", bytes) : short_number(shown, 3), kUnits[unit]);
}

std::string count_text(std::uint64_t count) {
  std::string text = fmt::format("{}", count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

}  // namespace tidegate::tools
