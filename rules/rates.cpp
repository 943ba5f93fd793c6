#include "rules/rates.h"

#include <fmt/format.h>

namespace tidegate::rules {

std::optional<Rate> read_rate(const config::Node& node, config::Problems& problems) {
  if (node.refused) return std::nullopt;
  const auto quantity = config::parse_quantity(node.text);
  const auto unit = quantity ? parse_rate_unit(quantity->unit) : std::nullopt;
  if (!unit) {
    problems.add(
        node.at,
        fmt::format(
            "'{}' is not a rate: write the change in a time, like 2 °C/min, 5 %/h or, in the series' own unit, 3 /d",
            node.shown()));
    return std::nullopt;
  }
  return Rate{quantity->value, *unit};
}

std::optional<double> read_rate_like(const std::optional<Rate>& limit, const config::Node& limit_node,
                                     const config::Node& node, config::Problems& problems) {
  const auto written = read_rate(node, problems);
  if (!limit || !written) return std::nullopt;
  const auto value = convert_difference(written->value, written->unit.unit, limit->unit.unit);
  if (value) return rounded(*value * limit->unit.seconds / written->unit.seconds);
  problems.add(node.at, fmt::format("'{}' does not convert to the unit of '{}'", node.shown(), limit_node.shown()));
  return std::nullopt;
}

}  // namespace tidegate::rules
