#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "drivers/line_protocol.h"

namespace tidegate::test {

inline std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != special.npos) out += '\\';
    out += c;
  }
  return out;
}

inline std::string written(const drivers::Reading& value) {
  using Type = drivers::Reading::Type;
  if (value.type == Type::text) return '"' + escaped(value.text, "\"\\") + '"';
  if (value.type == Type::boolean) return value.number != 0 ? "true" : "false";
  if (value.type == Type::not_a_number) return "1e999";
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value.number).ptr};
}

/// A line as its reader reads it again.
inline std::string written(const drivers::Line& line) {
  std::string out = escaped(line.measurement, ", ");
  for (const auto& [key, value] : line.tags) out += "," + escaped(key, "=, ") + "=" + escaped(value, "=, ");
  char next = ' ';
  for (const auto& [key, value] : line.fields) {
    out += next + escaped(key, "=, ") + "=" + written(value);
    next = ',';
  }
  if (line.time) out += " " + std::to_string(*line.time);
  return out;
}

}  // namespace tidegate::test
