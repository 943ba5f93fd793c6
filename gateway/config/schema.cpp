#include "gateway/config/schema.h"

#include <cassert>
#include <cmath>

#include "gateway/config/load.h"
#include "gateway/config/rule.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// The length of the decimal number that `text` begins with; 0 where it begins with none.
std::size_t number_prefix(std::string_view text) {
  const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  std::size_t end = skip_digits(text, sign);
  if (end == sign) return 0;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) end = skip_digits(text, end + 1);
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t digits = end + 1;
    if (digits < text.size() && (text[digits] == '-' || text[digits] == '+')) ++digits;
    if (digits < text.size() && is_digit(text[digits])) end = skip_digits(text, digits);
  }
  return end;
}

bool is_unit(std::string_view unit) {
  constexpr std::size_t kMaxUnitBytes = 32;
  if (unit.size() > kMaxUnitBytes || !valid_utf8(unit)) return false;
  for (const char c : unit) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return unit.empty() || std::string_view("0123456789+-.,:_").find(unit[0]) == std::string_view::npos;
}

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
// Largest first, so that size_text() finds the shortest text.
constexpr SizeUnit kSizeUnits[] = {{"GiB", 1ULL << 30}, {"GB", 1'000'000'000}, {"MiB", 1ULL << 20}, {"MB", 1'000'000},
                                   {"KiB", 1ULL << 10}, {"kB", 1'000},         {"KB", 1'000},       {"B", 1}};

}  // namespace

const Shape* Shape::Rule::alternative(std::string_view name) const {
  for (const auto& [key, shape] : alternatives) {
    if (key == name) return &shape;
  }
  return nullptr;
}

std::vector<std::string> alternative_names(const Shape::Rule& rule) {
  std::vector<std::string> names;
  for (const auto& [name, shape] : rule.alternatives) names.push_back(name);
  return names;
}

bool is_scalar(Shape::Type type) { return type >= Shape::Type::text && type <= Shape::Type::quantity; }

Node default_node(const Shape::Field& field) {
  if (field.presence != Shape::Field::Presence::defaulted) return {};
  Problems problems;
  Node node = parse(field.default_text, "default of " + field.key, {}, {}, problems);
  assert(problems.empty() && "a default must be valid YAML");
  return node;
}

Shape Shape::of(Rule rule) { return Shape(std::make_shared<const Rule>(std::move(rule))); }
Shape::Type Shape::type() const { return rule_->type; }

Shape Shape::any() { return of({}); }
Shape Shape::boolean() { return of({.type = Type::boolean}); }
Shape Shape::quantity() { return of({.type = Type::quantity}); }
Shape Shape::text() { return of({.type = Type::text, .what = "text"}); }
Shape Shape::secret() { return of({.type = Type::text, .secret = true, .what = "text"}); }
Shape Shape::integer(std::int64_t min, std::int64_t max) { return of({.type = Type::integer, .min = min, .max = max}); }
Shape Shape::number(double min, double max) { return of({.type = Type::number, .min_number = min, .max_number = max}); }
Shape Shape::path() { return of({.type = Type::text, .path = true, .what = "a path"}); }
Shape Shape::duration(Micros min, Micros max) {
  return of({.type = Type::duration, .min = min.count(), .max = max.count()});
}
Shape Shape::size(std::uint64_t min, std::uint64_t max) {
  return of({.type = Type::size, .min_bytes = min, .max_bytes = max});
}
Shape Shape::choice(std::vector<std::string> values) {
  return of({.type = Type::choice, .choices = std::move(values)});
}
Shape Shape::text_where(std::string_view what, std::function<std::string(std::string_view)> check) {
  return of({.type = Type::text, .what = std::string(what), .accept = std::move(check)});
}
Shape Shape::list(Shape item, std::size_t max_items) {
  return of({.type = Type::list, .of = {std::move(item)}, .max_count = max_items});
}
Shape Shape::map(Shape value, std::size_t max_entries) {
  return of({.type = Type::map, .of = {std::move(value)}, .max_count = max_entries});
}
Shape Shape::object(std::string_view doc, std::vector<Field> fields) {
  return of({.type = Type::object, .doc = std::string(doc), .fields = std::move(fields)});
}
Shape Shape::variant(std::string_view doc, std::string_view tag, std::vector<Field> common,
                     std::vector<std::pair<std::string, Shape>> alternatives) {
  return of({.type = Type::variant,
             .doc = std::string(doc),
             .fields = std::move(common),
             .tag = std::string(tag),
             .alternatives = std::move(alternatives)});
}
Shape Shape::either(std::vector<Shape> shapes) { return of({.type = Type::either, .of = std::move(shapes)}); }

Shape::Field required(std::string key, Shape shape, std::string doc) {
  return {std::move(key), std::move(shape), std::move(doc), Shape::Field::Presence::required, ""};
}

Shape::Field optional(std::string key, Shape shape, std::string doc) {
  return {std::move(key), std::move(shape), std::move(doc), Shape::Field::Presence::optional, ""};
}

Shape::Field defaulted(std::string key, Shape shape, std::string default_text, std::string doc) {
  return {std::move(key), std::move(shape), std::move(doc), Shape::Field::Presence::defaulted, std::move(default_text)};
}

std::optional<Quantity> parse_quantity(std::string_view text) {
  text = trim(text);
  const std::size_t end = number_prefix(text);
  Quantity quantity{0, std::string(trim(text.substr(end)))};
  if (end == 0 || !parse_number(text.substr(0, end), quantity.value) || !is_unit(quantity.unit)) return std::nullopt;
  return quantity;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::size_t end = number_prefix(text);
  double value = 0;
  if (end == 0 || !is_digit(text[0]) || !parse_number(text.substr(0, end), value)) return std::nullopt;
  for (const auto& [name, bytes] : kSizeUnits) {
    if (text.substr(end) != name) continue;
    const double total = std::round(value * static_cast<double>(bytes));
    constexpr double kLimit = 9007199254740992.0;  // 2^53: beyond it a double does not count bytes any more
    if (total > kLimit) return std::nullopt;
    return static_cast<std::uint64_t>(total);
  }
  return std::nullopt;
}

std::string size_text(std::uint64_t bytes) {
  for (const auto& [name, unit] : kSizeUnits) {
    if (bytes >= unit && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, name);
  }
  return "0B";
}

}  // namespace tidegate::config
