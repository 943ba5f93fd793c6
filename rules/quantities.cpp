#include "rules/quantities.h"

#include <fmt/format.h>

#include <span>

#include "rules/units.h"

namespace tidegate::rules {
namespace {

Result<double> converted(std::optional<double> value, const SeriesInfo& info, const std::string& unit,
                         std::string_view what) {
  if (value) return *value;
  return fail(Errc::invalid, "its unit is {}, and the {}'s {} does not convert to that{}", info.unit, what, unit,
              capitals_hint(unit, info.unit));
}

}  // namespace

std::optional<std::string_view> only_key(const config::Node& options, std::string_view kind,
                                         std::initializer_list<std::string_view> keys, std::string_view or_else,
                                         config::Problems& problems) {
  std::optional<std::string_view> only;
  for (const std::string_view key : keys) {
    if (!options.has(key)) continue;
    if (only) {
      problems.add(
          options[key].at,
          fmt::format("{} has both {} and {}: keep one, and write a second rule for the other", kind, *only, key));
      return std::nullopt;
    }
    only = key;
  }
  if (!only && !options.refused) {
    const std::span<const std::string_view> all(keys);
    problems.add(options.at, fmt::format("{} needs one of {} or {}{}", kind, fmt::join(all.first(all.size() - 1), ", "),
                                         all.back(), or_else));
  }
  return only;
}

Result<double> level_for(const Measured& info, double value, const std::string& unit, std::string_view what) {
  if (info.is_difference) return difference_for(info, value, unit, what);
  return converted(convert(value, unit, info.unit), info, unit, what);
}

Result<double> difference_for(const SeriesInfo& info, double value, const std::string& unit, std::string_view what) {
  return converted(convert_difference(value, unit, info.unit), info, unit, what);
}

Status measures(const SeriesInfo& info, std::string_view what) {
  if (info.kind != SeriesKind::state && info.kind != SeriesKind::boolean) return {};
  return fail(Errc::invalid, "it is a series of {}s, which have no {}", name(info.kind), what);
}

Status may_fall(const SeriesInfo& info) {
  if (info.kind != SeriesKind::counter) return {};
  return fail(Errc::invalid, "it is a counter, which never falls");
}

const std::string& unit_for(const SeriesInfo& info, const std::string& written) {
  return info.unit.empty() ? written : info.unit;
}

Quantities::Quantities(std::initializer_list<const config::Node*> nodes, config::Problems& problems)
    : problems_(problems) {
  for (const config::Node* node : nodes) {
    if (node->is_null() || node->refused) continue;
    const auto quantity = config::parse_quantity(node->text);
    if (!quantity || quantity->unit.empty()) continue;
    unit_ = quantity->unit;
    unit_text_ = node->shown();
    return;
  }
}

std::optional<double> Quantities::width(const config::Node& node, std::string_view key) {
  const auto value = read(node, true);
  if (!value || *value >= 0) return value;
  problems_.add(node.at, fmt::format("{} is a width: it cannot be negative", key));
  return std::nullopt;
}

std::optional<double> Quantities::read(const config::Node& node, bool difference) {
  if (node.refused) return std::nullopt;
  const auto quantity = config::parse_quantity(node.text);
  if (!quantity) {
    problems_.add(node.at, fmt::format("'{}' is not a number with a unit, like 90 °C", node.shown()));
    return std::nullopt;
  }
  const auto value = difference ? convert_difference(quantity->value, quantity->unit, unit_)
                                : convert(quantity->value, quantity->unit, unit_);
  if (!value) {
    const std::string hint = node.secret ? "" : capitals_hint(quantity->unit, unit_);
    problems_.add(node.at, fmt::format("'{}' does not convert to the unit of '{}'{}", node.shown(), unit_text_, hint));
  }
  return value;
}

}  // namespace tidegate::rules
