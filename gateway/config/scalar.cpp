// What a scalar may be, and what to write instead: the traps of YAML 1.1, numbers without a unit, units in other words.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

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

/// "0x10", "0o17", "0b101": a number in another base, with its prefix.
std::string prefixed_number_trap(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return "";
  const char sign = lower(text.substr(1, 1))[0];
  const int base = sign == 'x' ? 16 : sign == 'o' ? 8 : sign == 'b' ? 2 : 0;
  const auto value = base ? parse_base(text.substr(2), base) : std::nullopt;
  return value ? fmt::format("{} is a number in base {}; write {}", shown_text(text), base, *value) : "";
}

/// "010": ten, or eight?
std::string octal_trap(std::string_view text) {
  if (text.size() < 2 || text[0] != '0' || !all_digits(text)) return "";
  const std::size_t first = std::min(text.find_first_not_of('0'), text.size() - 1);
  const auto octal = parse_base(text, 8);
  return fmt::format("{} begins with 0{}; write {}", shown_text(text),
                     octal ? fmt::format(", which is octal ({}) to some programs", *octal) : "", text.substr(first));
}

/// "1_000", "1,000", "1,5".
std::string separator_trap(std::string_view text) {
  const char separator = text.find('_') != std::string_view::npos ? '_' : ',';
  const auto groups = split(text, separator);
  if (groups.size() < 2 || !std::all_of(groups.begin(), groups.end() - 1, all_digits)) return "";
  double last = 0;
  if (groups.back().empty() || !is_digit(groups.back()[0]) || !parse_number(groups.back(), last)) return "";
  const bool comma = separator == ',' && groups.size() == 2 && groups.back().size() != 3;
  if (comma && !all_digits(groups.back())) return "";
  return fmt::format("{} has a '{}' in a number; write {}", shown_text(text), separator,
                     fmt::join(groups, comma ? "." : ""));
}

struct ClockText {
  std::vector<std::uint64_t> parts;  ///< two or three, most significant first
};

/// "12:30" and "12:30:00", which YAML 1.1 reads as numbers in base 60.
std::optional<ClockText> parse_clock(std::string_view text) {
  ClockText clock;
  for (const std::string_view part : split(text, ':')) {
    const auto value = all_digits(part) && part.size() < 6 ? parse_base(part, 10) : std::nullopt;
    if (!value) return std::nullopt;
    clock.parts.push_back(*value);
  }
  if (clock.parts.size() < 2 || clock.parts.size() > 3) return std::nullopt;
  return clock;
}

std::string base60_trap(std::string_view text) {
  const auto clock = parse_clock(text);
  if (!clock) return "";
  std::uint64_t value = 0;
  for (const std::uint64_t part : clock->parts) value = value * 60 + part;
  return fmt::format("{} is a number in base 60 ({}) to some programs; write one decimal number", shown_text(text),
                     value);
}

/// Text that is a number to a person or to another program, but not the one that is seen.
std::string number_trap(std::string_view text) {
  const std::string_view digits = !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
  for (const auto trap : {prefixed_number_trap, octal_trap, separator_trap, base60_trap}) {
    if (std::string what = trap(digits); !what.empty()) return what;
  }
  return "";
}

std::string quotes_trap(const Node& node) {
  // A reference counts as quoted, but it is the only way to write a number that lives elsewhere.
  if (!node.quoted || node.secret) return "";
  return fmt::format("{} is text; write it without quotes", shown(node));
}

std::string not_expected(const Node& node, const Shape::Rule& rule, std::string_view key) {
  return fmt::format("{} must be {}, not {}", key.empty() ? "this" : shown_text(key), expectation(rule), shown(node));
}

std::string integer_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (std::string what = quotes_trap(node); !what.empty()) return what;
  if (std::string what = number_trap(node.text); !what.empty() && !node.secret) return what;
  std::int64_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto result = std::from_chars(node.text.data(), end, value);
  const bool canonical = result.ec == std::errc() && result.ptr == end && number_trap(node.text).empty();
  return canonical && value >= rule.min && value <= rule.max ? "" : not_expected(node, rule, key);
}

std::string number_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (std::string what = quotes_trap(node); !what.empty()) return what;
  if (std::string what = number_trap(node.text); !what.empty() && !node.secret) return what;
  double value = 0;
  const bool decimal = is_decimal(node.text) && parse_number(node.text, value) && number_trap(node.text).empty();
  return decimal && value >= rule.min_number && value <= rule.max_number ? "" : not_expected(node, rule, key);
}

/// `every: 5` as the user wrote it, for a message about the missing unit.
std::string written(const Node& node, std::string_view key) {
  return key.empty() ? fmt::format("`{}`", node.text) : fmt::format("`{}: {}`", printable(key), node.text);
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

/// "5 sec" as "5s": the same with our unit, or "".
template <std::size_t N>
std::string in_our_units(std::string_view text, const Synonym (&words)[N]) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string unit = lower(trim(text.substr(end)));
  for (const auto& [word, ours] : words) {
    if (unit == word) return fmt::format("{}{}", text.substr(0, end), ours);
  }
  return "";
}

/// "12:30:00" as "12h30m".
std::string clock_as_duration(std::string_view text) {
  const auto clock = parse_clock(text);
  if (!clock) return "";
  std::uint64_t seconds = 0;
  for (const std::uint64_t part : clock->parts) seconds = seconds * 60 + part;
  if (clock->parts.size() == 2)
    return fmt::format("{} or {}", duration_text(std::chrono::seconds(seconds)),
                       duration_text(std::chrono::minutes(seconds)));
  return duration_text(std::chrono::seconds(seconds));
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
  if (is_decimal(node.text)) {
    return fmt::format("{} has no unit; did you mean {}?", written(node, key), with_likely_unit(node.text, rule));
  }
  if (const std::string clock = clock_as_duration(node.text); !clock.empty()) {
    return fmt::format("{} is not a duration; did you mean {}?", shown(node), clock);
  }
  if (const std::string ours = in_our_units(node.text, kDurationWords); parse_duration(ours)) {
    return fmt::format("{} is not a duration; did you mean {}?", shown(node), ours);
  }
  return not_expected(node, rule, key);
}

std::string size_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (const auto value = parse_size(node.text)) {
    return *value >= rule.min_bytes && *value <= rule.max_bytes ? "" : not_expected(node, rule, key);
  }
  if (node.secret) return not_expected(node, rule, key);
  if (is_decimal(node.text)) {
    // Few people write a size of a few bytes, and none writes one of millions of megabytes.
    const bool is_large = node.text.size() > 5;
    return fmt::format("{} has no unit; did you mean {}?", written(node, key),
                       is_large ? node.text + "B" : fmt::format("{}MB or {}B", node.text, node.text));
  }
  if (const std::string ours = in_our_units(node.text, kSizeWords); parse_size(ours)) {
    return fmt::format("{} is not a size; did you mean {}?", shown(node), ours);
  }
  return not_expected(node, rule, key);
}

std::string quantity_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  const std::string_view text = node.text;
  if (!node.secret) {
    if (std::string what = number_trap(text.substr(0, text.find(' '))); !what.empty()) return what;
  }
  return parse_quantity(text) && number_trap(text.substr(0, text.find(' '))).empty() ? ""
                                                                                     : not_expected(node, rule, key);
}

std::string choice_problem(const Node& node, const Shape::Rule& rule) {
  if (contains(rule.choices, node.text)) return "";
  const std::string hint = node.secret ? "" : did_you_mean(node.text, rule.choices);
  return fmt::format("{} is not one of {}{}", shown(node), fmt::join(rule.choices, ", "), hint);
}

std::string text_problem(const Node& node, const Shape::Rule& rule, std::string_view key) {
  if (!node.quoted && is_boolean_word(node.text)) {
    if (node.secret) return "a word that other programs read as true or false; put it in quotes";
    return fmt::format("{} is true or false to some programs; for text write \"{}\"", shown(node), node.text);
  }
  if (!rule.accept) return "";
  std::string what = rule.accept(node.text);
  // The check's own words may repeat the text.
  return what.empty() || !node.secret ? what : not_expected(node, rule, key);
}

}  // namespace

std::string shown(const Node& node) { return node.secret ? "the referenced value" : shown_text(node.text); }

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
