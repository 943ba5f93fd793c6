#include "drivers/modbus/point_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "drivers/modbus/decode.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::modbus {
namespace {

using config::Node;
using config::Problems;

constexpr std::array<std::pair<std::string_view, Type>, 11> kTypes = {{{"int16", Type::int16},
                                                                       {"int32", Type::int32},
                                                                       {"int64", Type::int64},
                                                                       {"uint16", Type::uint16},
                                                                       {"uint32", Type::uint32},
                                                                       {"uint64", Type::uint64},
                                                                       {"float32", Type::float32},
                                                                       {"float64", Type::float64},
                                                                       {"bcd16", Type::bcd16},
                                                                       {"bcd32", Type::bcd32},
                                                                       {"string", Type::string}}};
constexpr std::array<std::pair<std::string_view, Order>, 4> kOrders = {
    {{"abcd", Order::abcd}, {"badc", Order::badc}, {"cdab", Order::cdab}, {"dcba", Order::dcba}}};
constexpr std::array<std::pair<std::string_view, Table>, 4> kTables = {
    {{"holding", Table::holding}, {"input", Table::input}, {"coil", Table::coil}, {"discrete", Table::discrete}}};

template <class Known>
auto named(const Known& known, std::string_view name) {
  return std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == name; })->second;
}

/// The number that all of `text` is.
std::optional<unsigned> whole_number(std::string_view text, int base) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Where a point is: the key that says so. Nothing, and a problem, where there is none or more.
const Node::Entry* place_of(const Node& point, Problems& problems) {
  const Node::Entry* found = nullptr;
  for (const Node::Entry& entry : point.entries) {
    const bool table = std::any_of(kTables.begin(), kTables.end(), [&](const auto& t) { return t.first == entry.key; });
    if (!table || entry.value.is_null()) continue;
    if (found != nullptr) {
      problems.add(entry.at, fmt::format("a point is in one table: {} or {}", found->key, entry.key));
      return nullptr;
    }
    found = &entry;
  }
  if (found == nullptr) {
    problems.add(point.at, fmt::format("'{}' says not where it is: add its address as holding, input, coil or discrete",
                                       point.string("name")));
  }
  return found;
}

/// On the wire; may lie outside of what there is.
int address_of(const Node& address, const Settings& settings) {
  return parse_address(address.string()).value_or(0) + settings.base - settings.addresses_from;
}

void read_bits(const Node& node, PointOptions& point, Problems& problems) {
  const bool one = node.has("bit"), some = node.has("bits");
  if (!one && !some) return;
  const Node& at = node[one ? "bit" : "bits"];
  if (one && some) return problems.add(at.at, "bit and bits exclude each other");
  Format& format = point.format;
  if (format.type != Type::uint16 && format.type != Type::uint32) {
    return problems.add(at.at, "bits are of a uint16 or a uint32");
  }
  if (one) {
    format.first_bit = static_cast<std::uint8_t>(node.integer("bit"));
    format.bits = 1;
  } else {
    std::tie(format.first_bit, format.bits) = *parse_bits(node.string("bits"));
  }
  if (format.first_bit + format.bits > 16 * width(format)) {
    problems.add(at.at, fmt::format("it has bits 0 to {}", 16 * width(format) - 1));
  }
}

void read_format(const Node& node, PointOptions& point, const Settings& settings, Problems& problems) {
  Format& format = point.format;
  format.order = node.has("order") ? named(kOrders, node.string("order")) : settings.order;
  if (is_bits(point.span.table)) {
    format.type = Type::bit;
    for (const char* key : {"type", "length", "bit", "bits", "exponent"}) {
      if (node.has(key))
        problems.add(node[key].at, fmt::format("a {} is one bit: leave {} out", name(point.span.table), key));
    }
    return;
  }
  if (node.has("type")) format.type = named(kTypes, node.string("type"));
  if (format.type == Type::string) {
    if (!node.has("length")) problems.add(node["type"].at, "a string needs its length, in registers");
    format.length = static_cast<std::uint8_t>(node.has("length") ? node.integer("length") : 1);
  } else if (node.has("length")) {
    problems.add(node["length"].at, "only a string has a length");
  }
  read_bits(node, point, problems);
  point.span.count = width(format);
}

void read_exponent(const Node& node, PointOptions& point, const Settings& settings, Problems& problems) {
  if (!node.has("exponent")) return;
  const int address = address_of(node["exponent"], settings);
  if (!is_integer(point.format.type) || point.format.bits != 0) {
    problems.add(node["exponent"].at, "only a whole number has a power of ten in another register");
  } else if (address < 0 || address > 65535) {
    problems.add(node["exponent"].at, fmt::format("there is no register {}", address));
  } else {
    point.exponent = static_cast<std::uint16_t>(address);
  }
}

/// What a point says that it takes its registers hold: else it is told when somebody needs it.
void check_values(const Node& how, const PointOptions& point, Problems& problems) {
  const auto check = [&](const Node& at, std::string_view value) {
    if (const auto held = registers_for(point, value); !held) problems.add(at.at, held.error().text);
  };
  for (const char* limit : {"min", "max"}) {
    if (how.has(limit)) check(how[limit], number_text(how.number(limit)));
  }
  for (const std::string& word : point.writable->point.states) check(how, word);
}

void read_writing(const Node& node, PointOptions& point, Problems& problems) {
  if (!node.has("writable")) return;
  const Node& how = node["writable"];
  const auto refuse = [&](std::string why) { problems.add(how.at, std::move(why)); };
  if (point.span.table != Table::holding && point.span.table != Table::coil) {
    return refuse("only a coil or a holding register can be written");
  }
  if (point.format.type == Type::string || point.format.bits != 0 || point.exponent) {
    return refuse("a string, some bits of a register and a value with an exponent cannot be written");
  }
  point.writes_multiple = how.string("function") == "multiple" || point.span.count > 1;
  point.writable = drivers::read_writable(how, point.series, natural_kind(point.format), point.value, problems);
  if (!point.writable) return;
  check_values(how, point, problems);
  if (is_integer(point.format.type)) point.writable->point.step = std::abs(point.value.scale.factor);
}

/// To the last digits that undoing a scale leaves, and a float32.
bool is_held(const Format& format, double wanted, double held) {
  constexpr double kScaled = 1e-12, kHalfDigitOfFloat = 6e-8;
  if (format.type == Type::float32) return std::abs(held - wanted) <= kHalfDigitOfFloat * std::abs(wanted);
  constexpr double kSmall = 1e6;  // a millionth of a register's step is none
  return std::abs(held - wanted) <= kScaled * std::max(std::abs(wanted), is_integer(format.type) ? kSmall : 0);
}

}  // namespace

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const auto& type : kTypes) names.emplace_back(type.first);
  return names;
}

std::vector<std::string> baud_names() {
  return {"1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200", "230400", "460800", "921600"};
}

std::optional<std::uint16_t> parse_address(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const auto value = whole_number(hex ? text.substr(2) : text, hex ? 16 : 10);
  return value && *value <= 65535 ? std::optional(static_cast<std::uint16_t>(*value)) : std::nullopt;
}

std::optional<std::pair<std::uint8_t, std::uint8_t>> parse_bits(std::string_view text) {
  constexpr unsigned kLast = 31;
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto first = whole_number(text.substr(0, dash), 10), last = whole_number(text.substr(dash + 1), 10);
  if (!first || !last || *first > *last || *last > kLast) return std::nullopt;
  return std::pair(static_cast<std::uint8_t>(*first), static_cast<std::uint8_t>(*last - *first + 1));
}

void Settings::overlay(const Node& node) {
  if (node.has("every")) every = node.duration("every");
  if (node.has("order")) order = named(kOrders, node.string("order"));
  if (node.has("addresses_from")) addresses_from = static_cast<int>(node.integer("addresses_from"));
  if (node.has("base")) base = parse_address(node.string("base")).value_or(0);
  const auto limit = [&](const char* key, std::uint16_t& value) {
    if (node.has(key)) value = static_cast<std::uint16_t>(node.integer(key));
  };
  limit("max_registers", limits.registers);
  limit("max_bits", limits.bits);
  limit("max_gap", limits.gap);
}

PointOptions read_point(const Node& node, const std::string& device, const Settings& settings, Problems& problems) {
  PointOptions point;
  point.series = device + '/' + node.string("name");
  point.every = node.has("every") ? node.duration("every") : settings.every;
  point.value = read_value(node, problems);
  const Node::Entry* place = place_of(node, problems);
  if (place == nullptr) return point;
  point.span.table = named(kTables, place->key);
  const int address = address_of(place->value, settings);
  point.span.first = static_cast<std::uint16_t>(address);
  read_format(node, point, settings, problems);
  if (address < 0 || address + point.span.count > 65536) {
    problems.add(place->value.at,
                 fmt::format("address {} on the wire does not exist: they go from 0 to 65535 (base and "
                             "addresses_from count)",
                             address));
  }
  if (!is_bits(point.span.table) && point.span.count > settings.limits.registers) {
    problems.add(place->value.at, fmt::format("it has {} registers, more than max_registers allows", point.span.count));
  }
  read_exponent(node, point, settings, problems);
  read_writing(node, point, problems);
  return point;
}

Result<std::vector<std::uint16_t>> registers_for(const PointOptions& point, std::string_view wished) {
  const auto wanted = to_device(*point.writable, wished);
  if (!wanted) return fail(wanted.error());
  auto registers = encode(*wanted, point.format);
  if (!registers) return fail(Errc::invalid, "{}: {}", point.series, registers.error().text);
  std::string no_text;
  const Reading held = decode(*registers, point.format, no_text);
  if (is_held(point.format, wanted->number, held.number)) return registers;
  return fail(Errc::invalid, "{} cannot be set to {}: the nearest that its registers hold is {}", point.series,
              printable(wished, 64), shown(*point.writable, held));
}

}  // namespace tidegate::drivers::modbus
