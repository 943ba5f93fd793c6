// What a scalar may be, and what to write instead: the traps of YAML 1.1, numbers without a unit, units in other words.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config/rule.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::config {
namespace {

using Type = Shape::Type;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <class Range>
bool contains(const Range& words, std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// What YAML 1.1 reads as something other than text.
bool is_boolean_word(std::string_view text) {
  constexpr std::string_view kWords[] = {"yes", "no", "on", "off", "y", "n", "true", "false"};
  return contains(kWords, lower(text));
}

bool is_decimal(std::string_view text) {
  double value = 0;
  return trim(text) == text && parse_number(text, value);
}

std::string shown_text(std::string_view text) { return "'" + printable(text, 80) + "'"; }

std::optional<std::uint64_t> parse_base(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value, base);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

/// Why digits are not the number that is seen, and what to write instead.
struct Trap {
  std::string why;
  std::string write;
};

/// "0x10", "0o17", "0b101": a number in another base, with its prefix.
std::optional<Trap> prefix_trap(std::string_view digits) {
  if (digits.size() < 3 || digits[0] != '0') return std::nullopt;
  const char sign = lower(digits.substr(1, 1))[0];
  const int base = sign == 'x' ? 16 : sign == 'o' ? 8 : sign == 'b' ? 2 : 0;
  const auto value = base ? parse_base(digits.substr(2), base) : std::nullopt;
  if (!value) return std::nullopt;
  return Trap{fmt::format("is a number in base {}", base), std::to_string(*value)};
}

/// "010": ten, or eight?
std::optional<Trap> octal_trap(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0' || !all_digits(digits)) return std::nullopt;
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  const auto octal = parse_base(digits, 8);
  const std::string reading = octal ? fmt::format(", which is octal ({}) to some programs", *octal) : "";
  return Trap{"begins with 0" + reading, std::string(digits.substr(first))};
}

/// "1_000", "1,000", "1,5".
std::optional<Trap> separator_trap(std::string_view digits) {
  const char separator = digits.find('_') != std::string_view::npos ? '_' : ',';
  const auto groups = split(digits, separator);
  if (groups.size() < 2 || !std::all_of(groups.begin(), groups.end() - 1, all_digits)) return std::nullopt;
  double last = 0;
  if (groups.back().empty() || !is_digit(groups.back()[0]) || !parse_number(groups.back(), last)) return std::nullopt;
  const bool decimal_comma = separator == ',' && groups.size() == 2 && groups.back().size() != 3;
  if (decimal_comma && !all_digits(groups.back())) return std::nullopt;
  return Trap{fmt::format("has a '{}' in a number", separator),
              fmt::format("{}", fmt::join(groups, decimal_comma ? "." : ""))};
}

/// "12:30" and "12:30:00", which YAML 1.1 reads as numbers in base 60: two or three parts, most significant first.
std::vector<std::uint64_t> parse_clock(std::string_view text) {
  std::vector<std::uint64_t> parts;
  for (const std::string_view part : split(text, ':')) {
    const auto value = all_digits(part) && part.size() < 6 ? parse_base(part, 10) : std::nullopt;
    if (!value) return {};
    parts.push_back(*value);
  }
  return parts.size() == 2 || parts.size() == 3 ? parts : std::vector<std::uint64_t>();
}

std::uint64_t base60(const std::vector<std::uint64_t>& parts) {
  std::uint64_t value = 0;
  for (const std::uint64_t part : parts) value = value * 60 + part;
  return value;
}

std::optional<Trap> base60_trap(std::string_view digits) {
  const auto clock = parse_clock(digits);
  if (clock.empty()) return std::nullopt;
  const std::uint64_t value = base60(clock);
  return Trap{fmt::format("is a number in base 60 ({}) to some programs", value), std::to_string(value)};
}

/// What is wrong with text that is a number to a person or to another program, but not the one that is seen; or "".
std::string number_trap(std::string_view text) {
  const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  for (const auto find : {prefix_trap, octal_trap, separator_trap, base60_trap}) {
    const auto trap = find(text.substr(sign));
    if (!trap) continue;
    const std::string_view minus = text[0] == '-' ? "-" : "";
    return fmt::format("{} {}; write {}{}", shown_text(text), trap->why, minus, trap->write);
  }
  return "";
}

std::string quotes_trap(const Node& node) {
  // A reference counts as quoted, but it is the only way to write a number that lives elsewhere.
  if (!node.quoted || node.secret) return "";
  return fmt::format("{} is text; write it without quotes", quoted(node));
}

std::string not_expected(const Node& node, const Shape::Rule& rule, std::string_view key) {
  return fmt::format("{} must be {}, not {}", key.empty() ? "this" : shown_text(key), expectation(rule), quoted(node));
}

/// number_trap() of `digits`, which are of the node; of a secret no digit is repeated.
std::string trap_problem(const Node& node, std::string_view digits, const Shape::Rule& rule, std::string_view key) {
  std::string what = number_trap(digits);
  return what.empty() || !node.secret ? what : not_expected(node, rule, key);
}

std::string integer_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (std::string what = quotes_trap(node); !what.empty()) return what;
  if (std::string what = trap_problem(node, node.text, rule, key); !what.empty()) return what;
  std::int64_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto result = std::from_chars(node.text.data(), end, value);
  const bool whole = result.ec == std::errc() && result.ptr == end;
  return whole && value >= rule.min && value <= rule.max ? "" : not_expected(node, rule, key);
}

std::string number_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (std::string what = quotes_trap(node); !what.empty()) return what;
  if (std::string what = trap_problem(node, node.text, rule, key); !what.empty()) return what;
  double value = 0;
  const bool decimal = trim(node.text) == node.text && parse_number(node.text, value);
  return decimal && value >= rule.min_number && value <= rule.max_number ? "" : not_expected(node, rule, key);
}

/// `every: 5` as the user wrote it, for a message about the missing unit.
std::string written(const Node& node, std::string_view key) {
  return key.empty() ? fmt::format("`{}`", printable(node.text))
                     : fmt::format("`{}: {}`", printable(key), printable(node.text));
}

struct Synonym {
  std::string_view word;
  std::string_view unit;
};
constexpr Synonym kDurationWords[] = {
    {"msec", "ms"},   {"msecs", "ms"}, {"millis", "ms"}, {"sec", "s"},    {"secs", "s"},    {"second", "s"},
    {"seconds", "s"}, {"min", "m"},    {"mins", "m"},    {"minute", "m"}, {"minutes", "m"}, {"hr", "h"},
    {"hrs", "h"},     {"hour", "h"},   {"hours", "h"},   {"day", "d"},    {"days", "d"},    {"week", "w"},
    {"weeks", "w"},   {"usec", "us"},  {"s", "s"},       {"m", "m"},      {"h", "h"},       {"d", "d"},
    {"w", "w"},       {"ms", "ms"},    {"us", "us"}};
constexpr Synonym kSizeWords[] = {{"b", "B"},     {"byte", "B"},  {"bytes", "B"}, {"k", "kB"},   {"kb", "kB"},
                                  {"ki", "KiB"},  {"kib", "KiB"}, {"m", "MB"},    {"mb", "MB"},  {"mi", "MiB"},
                                  {"mib", "MiB"}, {"g", "GB"},    {"gb", "GB"},   {"gi", "GiB"}, {"gib", "GiB"}};

/// "1,5" as "1.5"; "1,500" stays, since it may be either.
std::string with_decimal_point(std::string_view number) {
  std::string text(number);
  const std::size_t comma = text.find(',');
  if (comma != std::string::npos && text.size() - comma != 4) text[comma] = '.';
  return text;
}

/// "5 sec" as "5s", "1,5m" as "1.5m": the same with our unit and decimal mark, or "".
template <std::size_t N>
std::string in_our_units(std::string_view text, const Synonym (&words)[N]) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789.,"), text.size());
  const std::string unit = lower(trim(text.substr(end)));
  for (const auto& [word, ours] : words) {
    if (unit == word) return with_decimal_point(text.substr(0, end)) + std::string(ours);
  }
  return "";
}

/// "12:30:00" as "12h30m".
std::string clock_as_duration(std::string_view text) {
  const auto clock = parse_clock(text);
  if (clock.empty()) return "";
  const auto value = static_cast<std::int64_t>(base60(clock));
  const std::string seconds = duration_text(std::chrono::seconds(value));
  return clock.size() == 3 ? seconds : fmt::format("{} or {}", seconds, duration_text(std::chrono::minutes(value)));
}

/// Seconds, or the smallest larger unit that is allowed here.
std::string with_likely_unit(std::string_view number, const Shape::Rule& rule) {
  for (const char unit : {'s', 'm', 'h', 'd'}) {
    std::string text = fmt::format("{}{}", number, unit);
    const auto value = parse_duration(text);
    if (value && value->count() >= rule.min && value->count() <= rule.max) return text;
  }
  return fmt::format("{}s", number);
}

std::string duration_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (const auto value = parse_duration(node.text)) {
    return value->count() >= rule.min && value->count() <= rule.max ? "" : not_expected(node, rule, key);
  }
  if (node.secret) return not_expected(node, rule, key);
  if (parse_duration(node.text + "s") && is_decimal(node.text)) {
    return fmt::format("{} has no unit; did you mean {}?", written(node, key), with_likely_unit(node.text, rule));
  }
  if (const std::string clock = clock_as_duration(node.text); !clock.empty()) {
    return fmt::format("{} is not a duration; did you mean {}?", quoted(node), clock);
  }
  if (const std::string ours = in_our_units(node.text, kDurationWords); parse_duration(ours)) {
    return fmt::format("{} is not a duration; did you mean {}?", quoted(node), ours);
  }
  return not_expected(node, rule, key);
}

std::string size_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (const auto value = parse_size(node.text)) {
    return *value >= rule.min_bytes && *value <= rule.max_bytes ? "" : not_expected(node, rule, key);
  }
  if (node.secret) return not_expected(node, rule, key);
  if (parse_size(node.text + "B") && is_decimal(node.text)) {
    // Few people write a size of a few bytes, and none writes one of millions of megabytes.
    const bool is_large = node.text.size() > 5;
    return fmt::format("{} has no unit; did you mean {}?", written(node, key),
                       is_large ? node.text + "B" : fmt::format("{}MB or {}B", node.text, node.text));
  }
  if (const std::string ours = in_our_units(node.text, kSizeWords); parse_size(ours)) {
    return fmt::format("{} is not a size; did you mean {}?", quoted(node), ours);
  }
  return not_expected(node, rule, key);
}

std::string quantity_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  const std::string_view number = std::string_view(node.text).substr(0, node.text.find(' '));
  if (std::string what = trap_problem(node, number, rule, key); !what.empty()) return what;
  return parse_quantity(node.text) ? "" : not_expected(node, rule, key);
}

std::string choice_problem(const Node& node, const Shape::Rule& rule) {
  if (contains(rule.choices, node.text)) return "";
  const std::string hint = node.secret ? "" : did_you_mean(node.text, rule.choices);
  return fmt::format("{} is not one of {}{}", quoted(node), fmt::join(rule.choices, ", "), hint);
}

std::string text_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (!node.quoted && is_boolean_word(node.text)) {
    if (node.secret) return "a word that other programs read as true or false; put it in quotes";
    return fmt::format("{} is true or false to some programs; for text write \"{}\"", quoted(node), node.text);
  }
  if (rule.path && node.text.empty()) return not_expected(node, rule, key);
  if (!rule.accept) return "";
  std::string what = rule.accept(node.text);
  // The check's own words may repeat the text.
  return what.empty() || !node.secret ? what : not_expected(node, rule, key);
}

}  // namespace

std::string quoted(const Node& node) { return node.secret ? "the referenced value" : shown_text(node.text); }

std::string scalar_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  switch (rule.type) {
    case Type::text:
      return text_problem(node, rule, key);
    case Type::boolean:
      if (std::string what = quotes_trap(node); !what.empty()) return what;
      return node.text == "true" || node.text == "false" ? "" : not_expected(node, rule, key);
    case Type::integer:
      return integer_problem(node, rule, key);
    case Type::number:
      return number_problem(node, rule, key);
    case Type::duration:
      return duration_problem(node, rule, key);
    case Type::size:
      return size_problem(node, rule, key);
    case Type::choice:
      return choice_problem(node, rule);
    case Type::quantity:
      return quantity_problem(node, rule, key);
    default:
      return "";
  }
}

}  // namespace tidegate::config
