#include "rules/quantities.h"

#include <fmt/format.h>

#include "rules/units.h"

namespace tidegate::rules {

Quantities::Quantities(std::initializer_list<const config::Node*> nodes, config::Problems& problems)
    : problems_(problems) {
  for (const config::Node* node : nodes) {
    if (node->is_null()) continue;
    const auto quantity = config::parse_quantity(node->text);
    if (!quantity || quantity->unit.empty()) continue;
    unit_ = quantity->unit;
    unit_text_ = node->shown();
    return;
  }
}

void Quantities::complain(const config::Node& node, std::string what) {
  problems_.add(node.at, std::move(what));
  ok_ = false;
}

double Quantities::read(const config::Node& node, bool difference) {
  const auto quantity = config::parse_quantity(node.text);
  if (!quantity) {
    complain(node, fmt::format("'{}' is not a number with a unit, like 90 °C", node.shown()));
    return 0;
  }
  const auto value = difference ? convert_difference(quantity->value, quantity->unit, unit_)
                                : convert(quantity->value, quantity->unit, unit_);
  if (!value) {
    complain(node, fmt::format("'{}' does not convert to the unit of '{}'", node.shown(), unit_text_));
    return 0;
  }
  return *value;
}

}  // namespace tidegate::rules
