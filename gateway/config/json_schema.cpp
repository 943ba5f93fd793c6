#include <nlohmann/json.hpp>

#include "gateway/config/rule.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::config {
namespace {

using Json = nlohmann::ordered_json;
using Type = Shape::Type;
using Presence = Shape::Field::Presence;

constexpr const char* kDurationPattern = "^([0-9]+(\\.[0-9]+)?(us|µs|ms|s|m|h|d|w))+$";
constexpr const char* kSizePattern = "^[0-9]+(\\.[0-9]+)?(B|kB|KB|MB|GB|KiB|MiB|GiB)$";
constexpr const char* kQuantityPattern = "^[-+]?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?( *[^-+.,:_0-9 ].*)?$";

Json schema_of(const Shape& shape);

Json integer_schema(const Shape::Rule& rule) {
  Json schema = {{"type", "integer"}};
  if (rule.min != std::numeric_limits<std::int64_t>::min()) schema["minimum"] = rule.min;
  if (rule.max != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = rule.max;
  return schema;
}

Json number_schema(const Shape::Rule& rule) {
  Json schema = {{"type", "number"}};
  if (rule.min_number > std::numeric_limits<double>::lowest()) schema["minimum"] = rule.min_number;
  if (rule.max_number < std::numeric_limits<double>::max()) schema["maximum"] = rule.max_number;
  return schema;
}

/// A default as its JSON value.
Json value_of(const Node& node, const Shape::Rule& rule) {
  if (node.is_null()) return nullptr;
  if (node.kind == Node::Kind::list) {
    Json list = Json::array();
    for (const Node& item : node.items) list.push_back(value_of(item, rule.of.empty() ? rule : rule.of.front().rule()));
    return list;
  }
  if (node.kind == Node::Kind::map) {
    Json map = Json::object();
    for (const auto& [key, at, value] : node.entries)
      map[key] = value_of(value, rule.of.empty() ? rule : rule.of.front().rule());
    return map;
  }
  if (rule.type == Type::boolean) return node.boolean();
  if (rule.type == Type::integer) return node.integer();
  if (rule.type == Type::number) return node.number();
  return node.text;
}

/// An empty key (`rules:` with every line below commented out) is as good as none.
void allow_null(Json& schema) {
  if (schema.contains("enum")) {
    schema["enum"].push_back(nullptr);
  } else if (schema.contains("type")) {
    Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    types.push_back("null");
    schema["type"] = types;
  } else if (!schema.empty()) {
    schema = {{"anyOf", Json::array({schema, {{"type", "null"}}})}};
  }
}

Json field_schema(const Shape::Field& field) {
  Json schema = schema_of(field.shape);
  if (field.presence != Presence::required) allow_null(schema);
  if (!field.doc.empty()) schema["description"] = field.doc;
  if (field.presence == Presence::defaulted) schema["default"] = value_of(default_node(field), field.shape.rule());
  return schema;
}

void add_fields(const std::vector<Shape::Field>& fields, Json& properties, Json& required) {
  for (const Shape::Field& field : fields) {
    properties[field.key] = field_schema(field);
    if (field.presence == Presence::required) required.push_back(field.key);
  }
}

Json closed_object(const std::string& doc, Json properties, Json required) {
  Json schema = {{"type", "object"}};
  if (!doc.empty()) schema["description"] = doc;
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

Json object_schema(const Shape::Rule& rule) {
  Json properties = Json::object();
  Json required = Json::array();
  add_fields(rule.fields, properties, required);
  return closed_object(rule.doc, std::move(properties), std::move(required));
}

Json variant_schema(const Shape::Rule& rule) {
  Json alternatives = Json::array();
  for (const auto& [name, shape] : rule.alternatives) {
    Json properties = {{rule.tag, {{"const", name}, {"description", shape.rule().doc}}}};
    Json required = Json::array({rule.tag});
    add_fields(rule.fields, properties, required);
    add_fields(shape.rule().fields, properties, required);
    alternatives.push_back(closed_object(shape.rule().doc, std::move(properties), std::move(required)));
  }
  return {{"description", rule.doc}, {"oneOf", std::move(alternatives)}};
}

Json either_schema(const Shape::Rule& rule) {
  Json all = Json::array();
  for (const Shape& shape : rule.of) all.push_back(schema_of(shape));
  return {{"anyOf", std::move(all)}};
}

Json schema_of(const Shape& shape) {
  const Shape::Rule& rule = shape.rule();
  switch (rule.type) {
    case Type::any:
      return Json::object();
    // `name: 7` is text to us: every spelling of a number is kept as it was written.
    case Type::text:
      return {{"type", {"string", "number"}}};
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::integer:
      return integer_schema(rule);
    case Type::number:
      return number_schema(rule);
    case Type::duration:
      return {{"type", "string"}, {"pattern", kDurationPattern}};
    case Type::size:
      return {{"type", "string"}, {"pattern", kSizePattern}};
    case Type::choice:
      return {{"enum", rule.choices}};
    case Type::quantity:
      return {{"type", {"number", "string"}}, {"pattern", kQuantityPattern}};
    case Type::list:
      return {{"type", "array"}, {"items", schema_of(rule.of.front())}, {"maxItems", rule.max_count}};
    case Type::map:
      return {
          {"type", "object"}, {"additionalProperties", schema_of(rule.of.front())}, {"maxProperties", rule.max_count}};
    case Type::object:
      return object_schema(rule);
    case Type::variant:
      return variant_schema(rule);
    case Type::either:
      return either_schema(rule);
  }
  return Json::object();
}

}  // namespace

std::string json_schema(const Shape& shape, std::string_view title) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  schema.update(schema_of(shape));
  return schema.dump(2) + "\n";
}

}  // namespace tidegate::config
