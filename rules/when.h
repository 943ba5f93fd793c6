#pragma once

#include <optional>
#include <string_view>

#include "gateway/config/node.h"
#include "rules/expr/expression.h"
#include "rules/kinds.h"

namespace tidegate::rules {

/// The condition that a user wrote, or nothing and a problem at its column.
std::optional<expr::Expression> read_condition(const config::Node& text, config::Problems& problems);

/// Of the options of kind `when`, or of any text that is a condition by itself.
std::optional<Compiled> compile_when(const config::Node& options, config::Problems& problems);

/// Of a kind that is a short form of an expression, which is made of conditions that read_condition() has seen. What is
/// wrong with the whole, such as its size, is told at `at`.
std::optional<Compiled> compile_condition(std::string_view text, const config::Node& at, config::Problems& problems);

}  // namespace tidegate::rules
