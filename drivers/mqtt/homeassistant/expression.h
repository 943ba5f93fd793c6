#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drivers/mqtt/homeassistant/value_template.h"

namespace tidegate::drivers::mqtt::homeassistant {

struct ValueTemplate::Expression {
  enum class Is : std::uint8_t { constant, payload, path, negative, arithmetic, comparison, choice, defined, filter };
  Is is = Is::constant;
  Value constant{};
  std::string word{};  ///< an operator, a filter's name, a path of leaves
  std::vector<Expression> parts{};
};

/// What stands between {{ and }}. Bounded in length and depth.
Result<ValueTemplate::Expression> parse_expression(std::string_view text);

}  // namespace tidegate::drivers::mqtt::homeassistant
