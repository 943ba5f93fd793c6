#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "gateway/config/node.h"
#include "rules/expr/expression.h"
#include "rules/kinds.h"

namespace tidegate::rules {

/// An expression that a user wrote, a condition or a number, or nothing and a problem at its column.
std::optional<expr::Expression> read_expression(const config::Node& text, config::Problems& problems);

/// The same of a condition.
std::optional<expr::Expression> read_condition(const config::Node& text, config::Problems& problems);

/// Of the options of kind `when`, or of any text that is a condition by itself.
std::optional<Compiled> compile_when(const config::Node& options, config::Problems& problems);

/// Where in the file a part of an expression stands; a text over several lines is told by its beginning.
config::Mark place_in(const config::Node& text, const expr::Span& part);

/// What an expression needs to know of a series. A negative `stale_after`: three of the series' own intervals.
expr::Input input_of(const Known& known, Micros stale_after);

/// Binds an expression to its series, null where one was not seen yet. Errc::invalid where it makes no sense for them.
/// `own`: which of its inputs is the watched series, or Joint::kNone.
struct Bound {
  expr::Program program;
  std::size_t own;
};
Result<Bound> bind_to(const expr::Expression& expression, std::span<const Known* const> known, Micros stale_after);

/// Of a kind that is a short form of an expression, which is made of conditions that read_condition() has seen. What is
/// wrong with the whole, such as its size, is told at `at`.
std::optional<Compiled> compile_condition(std::string_view text, const config::Node& at, config::Problems& problems);

}  // namespace tidegate::rules
