#include "drivers/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "gateway/core/text.h"

namespace tidegate::drivers {

namespace ondemand = simdjson::ondemand;

/// simdjson's parser and the walk over a document.
struct JsonWalk::Parser {
  ondemand::parser parser;
  std::vector<char> buffer;  ///< the payload with simdjson's padding behind it

  bool walk(ondemand::value value, std::size_t depth, Leaves& out);
  bool walk_object(ondemand::value& value, std::size_t depth, Leaves& out);
  bool walk_array(ondemand::value& value, std::size_t depth, Leaves& out);
  bool scalar(ondemand::value& value, Leaf& leaf, Leaves& out);
  bool number(ondemand::value& value, Leaf& leaf, Leaves& out);
  bool word_beyond_json(ondemand::value& value, Leaf& leaf);
  static bool broken(simdjson::error_code error, Leaves& out) {
    return out.broken(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  }
};

bool JsonWalk::Parser::walk_object(ondemand::value& value, std::size_t depth, Leaves& out) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return broken(error, out);
  for (auto item : object) {
    ondemand::field field;
    std::string_view key;
    if (const auto error = std::move(item).get(field)) return broken(error, out);
    if (const auto error = field.unescaped_key().get(key)) return broken(error, out);
    const std::size_t mark = out.descend(key);
    if (!walk(field.value(), depth + 1, out)) return false;
    out.ascend(mark);
  }
  return true;
}

bool JsonWalk::Parser::walk_array(ondemand::value& value, std::size_t depth, Leaves& out) {
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) return broken(error, out);
  std::size_t position = 0;
  for (auto item : array) {
    ondemand::value element;
    // NOLINTNEXTLINE(performance-move-const-arg): get() takes rvalues only
    if (const auto error = std::move(item).get(element)) return broken(error, out);
    const std::size_t mark = out.descend(position++);
    if (!walk(element, depth + 1, out)) return false;
    out.ascend(mark);
  }
  return true;
}

bool JsonWalk::Parser::walk(ondemand::value value, std::size_t depth, Leaves& out) {
  ondemand::json_type type{};
  Leaf leaf;
  if (value.type().get(type) != simdjson::SUCCESS) {
    return word_beyond_json(value, leaf) ? out.add(leaf)
                                         : out.broken("not valid JSON: a value is neither text nor number");
  }
  if (type == ondemand::json_type::object || type == ondemand::json_type::array) {
    if (!out.nest(depth)) return false;
    return type == ondemand::json_type::object ? walk_object(value, depth, out) : walk_array(value, depth, out);
  }
  switch (type) {
    case ondemand::json_type::number:
      return number(value, leaf, out) && out.add(leaf);
    default:
      return scalar(value, leaf, out) && out.add(leaf);
  }
}

bool JsonWalk::Parser::number(ondemand::value& value, Leaf& leaf, Leaves& out) {
  leaf.type = Leaf::Type::number;
  if (value.get_double().get(leaf.number) == simdjson::SUCCESS) return true;
  // simdjson refuses what a double cannot hold (1e400), which is a number all the same; -Infinity begins like one too.
  return word_beyond_json(value, leaf) || out.broken("not valid JSON: a number is malformed");
}

/// NaN and the infinities as Python and JavaScript programs write them, and numbers beyond a double.
bool JsonWalk::Parser::word_beyond_json(ondemand::value& value, Leaf& leaf) {
  const std::string_view token = trim(value.raw_json_token());
  if (token.empty() || token.front() == '+' || token.front() == '.') return false;
  return read_number(token, leaf);
}

bool JsonWalk::Parser::scalar(ondemand::value& value, Leaf& leaf, Leaves& out) {
  const std::string_view token = trim(value.raw_json_token());
  if (token.front() == '"') {
    leaf.type = Leaf::Type::text;
    const auto error = value.get_string().get(leaf.text);
    return error ? broken(error, out) : true;
  }
  if (token.front() == 'n') {
    // "nan" begins like "null".
    bool null = false;
    if (value.is_null().get(null) == simdjson::SUCCESS && null) return true;
    return word_beyond_json(value, leaf) || out.broken("not valid JSON: a word that is none of true, false, null");
  }
  bool truth = false;
  if (const auto error = value.get_bool().get(truth)) return broken(error, out);
  leaf.type = Leaf::Type::boolean;
  leaf.number = truth ? 1 : 0;
  return true;
}

JsonWalk::JsonWalk() : parser_(std::make_unique<Parser>()) {}
JsonWalk::~JsonWalk() = default;

void JsonWalk::walk(std::string_view payload, Leaves& out) {
  auto& [parser, buffer] = *parser_;
  if (buffer.size() < payload.size() + simdjson::SIMDJSON_PADDING)
    buffer.resize(payload.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(buffer.data(), payload.data(), payload.size());
  // The padding is read as text where a number stands at the very end of a broken document: let it always be the same.
  std::memset(buffer.data() + payload.size(), ' ', simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  ondemand::value root;
  auto error = parser.iterate(buffer.data(), payload.size(), buffer.size()).get(document);
  if (!error) error = document.get_value().get(root);
  if (error) {
    Parser::broken(error, out);
    return;
  }
  if (parser_->walk(root, 0, out) && document.current_location().error() == simdjson::SUCCESS)
    out.broken("not valid JSON: something stands behind the end");
}

}  // namespace tidegate::drivers
