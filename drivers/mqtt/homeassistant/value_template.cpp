#include "drivers/mqtt/homeassistant/value_template.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "drivers/mqtt/homeassistant/expression.h"
#include "gateway/core/text.h"

namespace tidegate::drivers::mqtt::homeassistant {

namespace {

using Expression = ValueTemplate::Expression;
using Is = Expression::Is;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

struct Message {
  std::string_view payload;
  std::span<const Leaf> leaves;
};

Value compute(const Expression& e, const Message& message);

bool nothing(const Value& value) { return std::holds_alternative<std::monostate>(value); }

double number_of(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1 : 0;
  double number = 0;
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && parse_number(trim(*text), number) ? number : kNoNumber;
}

bool truth_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (nothing(value) || std::holds_alternative<std::nullptr_t>(value)) return false;
  return number_of(value) != 0;
}

Value leaf_value(const Leaf& leaf) {
  switch (leaf.type) {
    case Reading::Type::number:
      return leaf.number;
    case Reading::Type::boolean:
      return leaf.number != 0;
    case Reading::Type::text:
      return std::string(leaf.text);
    case Reading::Type::null:
      return nullptr;
    case Reading::Type::not_a_number:
      return kNoNumber;
  }
  return {};
}

Value at_path(const Message& message, std::string_view path) {
  for (const Leaf& leaf : message.leaves) {
    if (leaf.path == path) return leaf_value(leaf);
  }
  return {};
}

Value arithmetic(const Expression& e, const Message& message) {
  const Value a = compute(e.parts[0], message), b = compute(e.parts[1], message);
  if (nothing(a) || nothing(b)) return {};
  // Jinja computes with numbers alone, and says so of a text; a number in quotes is none.
  const bool text = std::holds_alternative<std::string>(a) || std::holds_alternative<std::string>(b);
  const double x = text ? kNoNumber : number_of(a), y = text ? kNoNumber : number_of(b);
  switch (e.word[0]) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return x / y;
    default:
      return x - y * std::floor(x / y);  // the sign of Python's
  }
}

Value comparison(const Expression& e, const Message& message) {
  const Value a = compute(e.parts[0], message), b = compute(e.parts[1], message);
  const bool texts = std::holds_alternative<std::string>(a) && std::holds_alternative<std::string>(b);
  const auto kind = [](const Value& v) { return std::holds_alternative<bool>(v) ? 2 : v.index(); };
  if (e.word == "==" || e.word == "!=") {
    const bool same = kind(a) == kind(b) && (kind(a) == 2 ? number_of(a) == number_of(b) : a == b);
    return same == (e.word == "==");
  }
  if (texts || nothing(a) || nothing(b)) return {};
  const double x = number_of(a), y = number_of(b);
  if (e.word == "<") return x < y;
  if (e.word == ">") return x > y;
  return e.word == "<=" ? x <= y : x >= y;
}

double rounded(double value, double digits) {
  const double scale = std::pow(10.0, std::clamp(std::trunc(digits), 0.0, 12.0));
  const double made = std::nearbyint(value * scale) / scale;
  return std::isfinite(made) ? made : value;
}

Value filtered(const Expression& e, const Message& message) {
  Value of = compute(e.parts[0], message);
  const auto argument = [&]() -> Value { return e.parts.size() > 1 ? compute(e.parts[1], message) : Value{}; };
  if (e.word == "default") return nothing(of) ? argument() : of;
  if (nothing(of) && (e.word != "float" && e.word != "int")) return of;
  if (e.word == "is_defined") return of;
  if (e.word == "string") return text_of(of);
  if (e.word == "lower" || e.word == "upper") {
    std::string text = text_of(of);
    const char first = e.word == "lower" ? 'A' : 'a';
    for (char& c : text) c = c >= first && c <= first + 25 ? static_cast<char>(c ^ 0x20) : c;
    return text;
  }
  const double number = number_of(of);
  if (e.word == "round") return rounded(number, nothing(argument()) ? 0 : number_of(argument()));
  if (e.word == "abs") return std::abs(number);
  // float and int, with what stands for what is no number.
  if (!std::isfinite(number)) return e.parts.size() > 1 ? argument() : nothing(of) ? of : Value{number};
  return e.word == "int" ? std::trunc(number) : number;
}

Value compute(const Expression& e, const Message& message) {
  switch (e.is) {
    case Is::constant:
      return e.constant;
    case Is::payload:
      return std::string(message.payload);
    case Is::path:
      return at_path(message, e.word);
    case Is::negative: {
      const Value of = compute(e.parts[0], message);
      return nothing(of) ? of : Value{-number_of(of)};
    }
    case Is::arithmetic:
      return arithmetic(e, message);
    case Is::comparison:
      return comparison(e, message);
    case Is::choice:
      return compute(truth_of(compute(e.parts[0], message)) ? e.parts[1] : e.parts[2], message);
    case Is::defined:
      return nothing(compute(e.parts[0], message)) == (e.word == "not");
    case Is::filter:
      return filtered(e, message);
  }
  return {};
}

}  // namespace

std::string text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "True" : "False";
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number) ? number_text(*number) : "nan";
  return nothing(value) ? "" : "None";
}

Result<ValueTemplate> ValueTemplate::parse(std::string_view text) {
  std::string_view inside = trim(text);
  if (!inside.starts_with("{{") || !inside.ends_with("}}") || inside.size() < 4)
    return fail(Errc::invalid, "more than one expression in {{{{ }}}}");
  inside = inside.substr(2, inside.size() - 4);
  if (inside.starts_with('-')) inside.remove_prefix(1);  // {{- and -}}: what space around it is worth
  if (inside.ends_with('-')) inside.remove_suffix(1);
  auto root = parse_expression(inside);
  if (!root) return fail(std::move(root.error()));
  ValueTemplate made;
  made.root_ = std::make_shared<const Expression>(std::move(*root));
  return made;
}

Value ValueTemplate::value(std::string_view payload, std::span<const Leaf> leaves) const {
  return compute(*root_, {payload, leaves});
}

}  // namespace tidegate::drivers::mqtt::homeassistant
