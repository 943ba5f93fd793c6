#include "drivers/modbus/registers.h"

#include <fmt/format.h>

namespace tidegate::drivers::modbus {

std::string_view name(Table table) {
  static constexpr std::string_view kNames[] = {"coil", "discrete", "holding", "input"};
  return kNames[static_cast<std::size_t>(table)];
}

std::string text(const Span& span) {
  if (span.count == 1) return fmt::format("{} {}", name(span.table), span.first);
  return fmt::format("{} {}-{}", name(span.table), span.first, span.end() - 1);
}

std::uint16_t width(const Format& format) {
  switch (format.type) {
    case Type::int32:
    case Type::uint32:
    case Type::float32:
    case Type::bcd32:
      return 2;
    case Type::int64:
    case Type::uint64:
    case Type::float64:
      return 4;
    case Type::string:
      return format.length;
    default:
      return 1;
  }
}

SeriesKind natural_kind(const Format& format) {
  if (format.type == Type::string) return SeriesKind::state;
  return format.boolean() ? SeriesKind::boolean : SeriesKind::number;
}

}  // namespace tidegate::drivers::modbus
