#include "gateway/core/types.h"

#include <algorithm>
#include <array>

#include "gateway/core/text.h"

namespace tidegate {

std::string_view name(Quality quality) {
  constexpr std::array<std::string_view, 3> kNames = {"good", "uncertain", "bad"};
  return kNames.at(static_cast<std::size_t>(quality));
}

std::string_view name(Reason reason) {
  constexpr std::array<std::string_view, 7> kNames = {"none",         "retained",   "not_a_number", "no_answer",
                                                      "device_fault", "wrong_type", "clock"};
  return kNames.at(static_cast<std::size_t>(reason));
}

std::string_view name(SeriesKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"number", "counter", "boolean", "state"};
  return kNames.at(static_cast<std::size_t>(kind));
}

namespace {

bool forbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '+' || c == '#' || c == '{' || c == '}';
}

// U+0080..U+009F, the controls beyond ASCII.
bool has_c1_control(std::string_view text) {
  for (std::size_t at = text.find('\xC2'); at != std::string_view::npos; at = text.find('\xC2', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace

bool valid_series_name(std::string_view text) {
  constexpr std::size_t kMaxBytes = 255;
  if (text.empty() || text.size() > kMaxBytes) return false;
  if (text.front() == '/' || text.back() == '/' || text.find("//") != std::string_view::npos) return false;
  return std::none_of(text.begin(), text.end(), forbidden) && valid_utf8(text) && !has_c1_control(text);
}

}  // namespace tidegate
