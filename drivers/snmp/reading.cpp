#include "drivers/snmp/reading.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/files.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::snmp {

namespace {

bool readable(std::string_view text) {
  const auto control = [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F'; };
  return valid_utf8(text) && std::none_of(text.begin(), text.end(), control);
}

// Line ends of a sysDescr, and the NULs with which some agents fill a field up.
std::string_view without_ends(std::string_view text) {
  while (!text.empty() && (text.back() == '\0' || text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return trim(text);
}

}  // namespace

std::string shown(const std::string& bytes) {
  constexpr std::size_t kMostBytes = 64;
  const std::string_view text = without_ends(bytes);
  if (text.empty()) return "(empty)";
  if (readable(text)) return std::string(text);
  std::string hex;
  for (const char c : std::string_view(bytes).substr(0, kMostBytes)) {
    hex += fmt::format(fmt::runtime(hex.empty() ? "{:02x}" : ":{:02x}"), static_cast<unsigned char>(c));
  }
  return hex;
}

Reading reading_of(const Varbind& varbind, std::string& text) {
  if (varbind.type != Varbind::Type::text) return {Reading::Type::number, varbind.number};
  text = shown(varbind.text);
  return {Reading::Type::text, 0, text};
}

SeriesKind kind_of(const Varbind& varbind) {
  switch (varbind.type) {
    case Varbind::Type::counter32:
    case Varbind::Type::counter64:
      return SeriesKind::counter;
    case Varbind::Type::text:
      return SeriesKind::state;
    default:
      return SeriesKind::number;
  }
}

std::string row_level(const Varbind* name, const Oid& index) {
  constexpr std::size_t kMostBytes = 64;
  if (name == nullptr || name->type == Varbind::Type::nothing) return as_level(index.text());
  if (name->type != Varbind::Type::text) return as_level(number_text(name->number));
  const std::string text = shown(name->text);
  return text == "(empty)" ? as_level(index.text()) : as_level(std::string_view(text).substr(0, kMostBytes));
}

}  // namespace tidegate::drivers::snmp
