#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "drivers/leaves.h"
#include "gateway/core/result.h"

namespace tidegate::drivers::mqtt::homeassistant {

/// What a template gives: nothing (what it asks for is not there), null, a number (NaN where it is none), yes or no, a
/// text.
using Value = std::variant<std::monostate, std::nullptr_t, double, bool, std::string>;
/// As Home Assistant compares it with payloads: "True", "21.5"; "" of nothing.
std::string text_of(const Value& value);

/// A value template of the common kinds, a part of Jinja: one expression in {{ }} of `value`, `value_json` with .name,
/// ['name'] and [0], numbers, texts, + - * / %, comparisons, `A if B else C`, `is defined`, and the filters float, int,
/// round, abs, default, lower, upper, string, is_defined. Whatever else there is in Jinja is an error: nothing is
/// guessed. Immutable; any thread.
class ValueTemplate {
 public:
  static Result<ValueTemplate> parse(std::string_view text);
  /// `leaves`: of the payload as JSON; empty where it is none.
  Value value(std::string_view payload, std::span<const Leaf> leaves) const;

  struct Expression;

 private:
  std::shared_ptr<const Expression> root_;
};

}  // namespace tidegate::drivers::mqtt::homeassistant
