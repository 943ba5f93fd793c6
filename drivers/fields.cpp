#include "drivers/fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate::drivers {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;

constexpr std::size_t kMostFields = 1000;
constexpr std::size_t kMostShown = 8;  // paths of a record, in a sentence

std::string pointer_problem(std::string_view text) {
  const auto path = path_of_pointer(text);
  if (path) return "";
  std::string rooted = fmt::format("/{}", text);
  std::replace(rooted.begin(), rooted.end(), '.', '/');
  if (!text.starts_with('/') && path_of_pointer(rooted)) {
    return fmt::format("'{}' is no JSON pointer (did you mean '{}'?)", printable(text), printable(rooted));
  }
  return fmt::format("'{}' {}", printable(text), path.error().text);
}

Shape field_shape(const std::vector<Shape::Field>& more) {
  auto fields = value_fields();
  fields.insert(fields.end(), more.begin(), more.end());
  fields.insert(fields.begin(),
                optional("pointer", pointer_shape(),
                         "Where it stands, as a JSON pointer (/battery/voltage). Missing: its own name."));
  return Shape::object("A named field.", std::move(fields));
}

Shape timestamp_shape() {
  return Shape::object(
      "The device's own time. A time that is not sane gives way to the gateway's clock, and the sample is marked "
      "uncertain.",
      {required("pointer", pointer_shape(), "Where it stands, as a JSON pointer."),
       defaulted("format", Shape::choice({"auto", "seconds", "milliseconds", "rfc3339"}), "auto",
                 "Since 1970-01-01 UTC, or RFC 3339 text; auto tells them apart."),
       defaulted("optional", Shape::boolean(), "false", "A record without it takes the gateway's time and is good.")});
}

FieldRule read_field(const Node::Entry& entry, Problems& problems) {
  FieldRule rule;
  rule.name = entry.key;
  rule.path = entry.key;
  if (!valid_series_name(rule.name))
    problems.add(entry.at, fmt::format("field '{}' cannot be part of a series' name", printable(rule.name)));
  if (entry.value.kind == Node::Kind::scalar) {
    rule.path = *path_of_pointer(entry.value.string());
    return rule;
  }
  if (entry.value.has("pointer")) rule.path = *path_of_pointer(entry.value.string("pointer"));
  rule.value = read_value(entry.value, problems);
  return rule;
}

TimestampRule read_timestamp(const Node& node) {
  const std::string format = node.string("format");
  return {*path_of_pointer(node.string("pointer")),
          format == "seconds"        ? TimeFormat::seconds
          : format == "milliseconds" ? TimeFormat::milliseconds
          : format == "rfc3339"      ? TimeFormat::rfc3339
                                     : TimeFormat::automatic,
          node.boolean("optional")};
}

void read_named(const Node& map, FieldsRule& rule, Problems& problems) {
  for (const auto& entry : map.entries) {
    FieldRule field = read_field(entry, problems);
    const auto same = std::find_if(rule.fields.begin(), rule.fields.end(),
                                   [&](const FieldRule& other) { return other.path == field.path; });
    if (same != rule.fields.end()) {
      problems.add(entry.at, fmt::format("'{}' is read as '{}' already: a value becomes one series",
                                         printable(field.path), printable(same->name)));
    }
    rule.fields.push_back(std::move(field));
  }
}

/// The unit that a device names, as it is shown.
std::string unit_text(std::string_view said) {
  return said == "C" || said == "F" ? fmt::format("°{}", said) : std::string(said);
}

/// Of a leaf that no rule names.
std::optional<FieldRule> rule_of_any(const FieldsRule& rule, std::span<const Leaf> record, const Leaf& leaf) {
  std::string_view path = leaf.path;
  if (!rule.root.empty()) {
    if (!path.starts_with(rule.root) || path.size() <= rule.root.size() || path[rule.root.size()] != '/') return {};
    path.remove_prefix(rule.root.size() + 1);
  }
  FieldRule found;
  std::optional<SeriesKind>& kind = found.value.kind;
  if (any_matches(rule.states, path)) {
    kind = SeriesKind::state;
  } else if (any_matches(rule.booleans, path)) {
    kind = SeriesKind::boolean;
  } else if (any_matches(rule.counters, path)) {
    kind = SeriesKind::counter;
  }
  const bool text = kind == SeriesKind::state || kind == SeriesKind::boolean;
  if (any_matches(rule.ignore, path) || (leaf.type == Leaf::Type::text && !text)) return {};
  found.name = path;
  found.value.unit = unit_of(rule.units, path);
  for (const auto& [pattern, from] : rule.units_from) {
    if (!pattern.matches(path)) continue;
    const auto is_said = [&where = from](const Leaf& one) { return one.path == where; };
    const auto said = std::find_if(record.begin(), record.end(), is_said);
    if (said != record.end() && said->type == Reading::Type::text) found.value.unit = unit_text(said->text);
  }
  return found;
}

std::string joined_as_pointers(const std::vector<std::string_view>& paths) {
  std::string text = paths.empty() ? "no values" : "";
  for (std::size_t i = 0; i < std::min(paths.size(), kMostShown); ++i)
    text += fmt::format("{}/{}", i == 0 ? "" : ", ", printable(paths[i], 64));
  return paths.size() > kMostShown ? text + ", ..." : text;
}

}  // namespace

Shape pointer_shape() { return Shape::text_where("a JSON pointer", pointer_problem); }

std::vector<Shape::Field> fields_fields(const std::vector<Shape::Field>& of_a_field) {
  const Shape named = Shape::either({pointer_shape(), field_shape(of_a_field)});
  return {
      defaulted(
          "fields", Shape::either({Shape::choice({"auto"}), Shape::map(named, kMostFields)}), "auto",
          "Which values become series: auto (every number and boolean, nested names joined with /), or a map of names "
          "to JSON pointers or to {pointer, kind, unit, scale, offset}."),
      defaulted("states", patterns_shape(), "[]",
                "With fields: auto, texts that become state series, as paths or patterns."),
      defaulted("ignore", patterns_shape(), "[]", "With fields: auto, what is left out, as paths or patterns."),
      defaulted("units", units_shape(), "{}", "With fields: auto, units by path or pattern: {temperature: °C}."),
      defaulted("units_from", Shape::map(pointer_shape(), 100), "{}",
                "With fields: auto, where the record itself says the unit: {+/Temperature: /TempUnit}."),
      defaulted("booleans", patterns_shape(), "[]", "With fields: auto, texts like ON and off that are yes or no."),
      defaulted("counters", patterns_shape(), "[]", "With fields: auto, numbers that only grow."),
      optional("root", pointer_shape(),
               "With fields: auto, only what stands below this pointer, and named from there."),
      defaulted("also", Shape::map(named, kMostFields), "{}",
                "With fields: auto, named fields besides, wherever they stand."),
      optional("timestamp", timestamp_shape(), "Where the device's own time stands."),
  };
}

FieldsRule read_fields(const Node& node, Problems& problems) {
  FieldsRule rule;
  if (node["fields"].kind == Node::Kind::map) {
    rule.every_leaf = false;
    read_named(node["fields"], rule, problems);
    for (const char* key : {"states", "ignore", "units", "units_from", "booleans", "counters", "root", "also"}) {
      if (node.has(key) && !node[key].is_default)
        problems.add(node[key].at, fmt::format("'{}' has a meaning with 'fields: auto' only", key));
    }
  }
  read_named(node["also"], rule, problems);
  rule.states = read_patterns(node["states"]);
  rule.booleans = read_patterns(node["booleans"]);
  rule.counters = read_patterns(node["counters"]);
  rule.ignore = read_patterns(node["ignore"]);
  rule.units = read_units(node["units"], problems);
  for (const auto& entry : node["units_from"].entries) {
    if (auto parsed = Pattern::parse(entry.key)) {
      rule.units_from.emplace_back(std::move(*parsed), *path_of_pointer(entry.value.string()));
    } else {
      problems.add(entry.at, parsed.error().text);
    }
  }
  if (node.has("root")) rule.root = *path_of_pointer(node.string("root"));
  if (node.has("timestamp")) rule.timestamp = read_timestamp(node["timestamp"]);
  return rule;
}

std::optional<FieldRule> rule_of(const FieldsRule& rule, std::span<const Leaf> record, const Leaf& leaf) {
  if (rule.timestamp && rule.timestamp->path == leaf.path) return std::nullopt;
  const auto named =
      std::find_if(rule.fields.begin(), rule.fields.end(), [&](const FieldRule& f) { return f.path == leaf.path; });
  if (named != rule.fields.end()) return *named;
  return rule.every_leaf ? rule_of_any(rule, record, leaf) : std::nullopt;
}

std::string lack_of_named(const FieldsRule& rule, std::span<const Leaf> record) {
  if (rule.every_leaf) return "";
  std::vector<std::string_view> named, there;
  for (const FieldRule& field : rule.fields) named.push_back(field.path);
  for (const Leaf& leaf : record) {
    if (std::find(named.begin(), named.end(), leaf.path) != named.end()) return "";
    there.push_back(leaf.path);
  }
  return fmt::format("there is no {} in it; it has {}", joined_as_pointers(named), joined_as_pointers(there));
}

SeriesKind natural_kind(const Leaf& leaf) {
  double ignored = 0;
  const bool number = leaf.type == Leaf::Type::text && parse_number(leaf.text, ignored);
  return number ? SeriesKind::number : kind_of(leaf.type);
}

}  // namespace tidegate::drivers
