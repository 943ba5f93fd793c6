#include <fmt/format.h>

#include <limits>

#include "gateway/config/rule.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::config {
namespace {

using Type = Shape::Type;

/// " between 1 and 9", " of at least 1", or "" where the limits are no limits.
std::string range(bool has_min, const std::string& min, bool has_max, const std::string& max) {
  if (has_min && has_max) return " between " + min + " and " + max;
  if (has_min) return " of at least " + min;
  return has_max ? " of at most " + max : "";
}

}  // namespace

std::string expectation(const Shape::Rule& rule) {
  using Int = std::numeric_limits<std::int64_t>;
  using Double = std::numeric_limits<double>;
  const bool has_min = rule.min != Int::min();
  const bool has_max = rule.max != Int::max();
  switch (rule.type) {
    case Type::any:
      return "anything";
    case Type::text:
      return rule.what;
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "a whole number" + range(has_min, std::to_string(rule.min), has_max, std::to_string(rule.max));
    case Type::number:
      return "a number" + range(rule.min_number > Double::lowest(), number_text(rule.min_number),
                                rule.max_number < Double::max(), number_text(rule.max_number));
    case Type::duration:
      return "a duration" +
             range(has_min && rule.min > 0, duration_text(Micros(rule.min)), has_max, duration_text(Micros(rule.max))) +
             " (such as 5s or 1m30s)";
    case Type::size:
      return "a size" +
             range(rule.min_bytes > 0, size_text(rule.min_bytes),
                   rule.max_bytes != std::numeric_limits<std::uint64_t>::max(), size_text(rule.max_bytes)) +
             " (such as 64MB or 2GiB)";
    case Type::choice:
      return fmt::format("one of {}", fmt::join(rule.choices, ", "));
    case Type::quantity:
      return "a number with or without a unit (such as 90 °C)";
    case Type::list:
      return "a list ([a, b], or one `- ` line for each item)";
    case Type::map:
    case Type::object:
    case Type::variant:
      return "a map (`key: value` lines)";
    case Type::either: {
      std::vector<std::string> all;
      for (const Shape& shape : rule.of) all.push_back(expectation(shape.rule()));
      return fmt::format("{}", fmt::join(all, " or "));
    }
  }
  return "";
}

}  // namespace tidegate::config
