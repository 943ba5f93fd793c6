#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "gateway/config/rule.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::config {
namespace {

using Type = Shape::Type;
using Presence = Shape::Field::Presence;

/// " between 1 and 9", " of at least 1", or "" where the limits are no limits.
std::string range(bool has_min, const std::string& min, bool has_max, const std::string& max) {
  if (has_min && has_max) return " between " + min + " and " + max;
  if (has_min) return " of at least " + min;
  return has_max ? " of at most " + max : "";
}

/// Where in the configuration: "sources.field.subscriptions.#2". Items go by their name where they have one.
struct Place {
  std::string path;
  std::string_view key;  ///< the last step; empty for an item of a list

  Place down(std::string_view step) const { return {join(step), step}; }
  Place item(const Node& node, std::size_t index) const {
    const Node* name = node.find("name");
    const bool named = name && name->kind == Node::Kind::scalar && !name->secret && !name->text.empty();
    return {join(named ? name->text : fmt::format("#{}", index + 1)), {}};
  }
  std::string shown() const { return path.empty() ? "the configuration" : "'" + printable(path) + "'"; }

 private:
  std::string join(std::string_view step) const {
    return path.empty() ? std::string(step) : fmt::format("{}.{}", path, step);
  }
};

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a single value";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "";
}

Node::Kind kind_of(Type type) {
  if (type == Type::list) return Node::Kind::list;
  return type == Type::map || type == Type::object || type == Type::variant ? Node::Kind::map : Node::Kind::scalar;
}

class Checker {
 public:
  explicit Checker(Problems& problems) : problems_(problems) {}

  void check(Node& node, const Shape& shape, const Place& place) {
    const Shape::Rule& rule = shape.rule();
    if (rule.type == Type::any || (node.refused && node.kind != Node::Kind::map)) return;
    if (rule.type == Type::either) return check_either(node, rule, place);
    if (node.is_null() && kind_of(rule.type) == Node::Kind::map) node.kind = Node::Kind::map;
    if (node.kind != kind_of(rule.type)) return wrong_kind(node, rule, place);
    switch (rule.type) {
      case Type::list:
        return check_list(node, rule, place);
      case Type::map:
        return check_map(node, rule, place);
      case Type::object:
        return check_object(node, {&rule.fields}, nullptr, place);
      case Type::variant:
        return check_variant(node, rule, place);
      default:
        return check_scalar(node, rule, place);
    }
  }

 private:
  using FieldLists = std::vector<const std::vector<Shape::Field>*>;

  void wrong_kind(const Node& node, const Shape::Rule& rule, const Place& place) {
    if (node.is_null())
      return problems_.add(node.at, fmt::format("{} has no value; it must be {}", place.shown(), expectation(rule)));
    problems_.add(node.at,
                  fmt::format("{} must be {}, not {}", place.shown(), expectation(rule), kind_name(node.kind)));
  }

  void check_scalar(Node& node, const Shape::Rule& rule, const Place& place) {
    if (rule.secret) node.secret = true;
    std::string what = scalar_problem(node, rule, place.key);
    if (!what.empty()) problems_.add(node.at, std::move(what));
  }

  void check_count(const Node& node, std::size_t count, const Shape::Rule& rule, const Place& place) {
    if (count <= rule.max_count) return;
    problems_.add(node.at,
                  fmt::format("{} has {} entries; at most {} are allowed", place.shown(), count, rule.max_count));
  }

  void check_list(Node& node, const Shape::Rule& rule, const Place& place) {
    check_count(node, node.items.size(), rule, place);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      check(node.items[i], rule.of.front(), place.item(node.items[i], i));
    }
  }

  void check_map(Node& node, const Shape::Rule& rule, const Place& place) {
    check_count(node, node.entries.size(), rule, place);
    for (Node::Entry& entry : node.entries) check(entry.value, rule.of.front(), place.down(entry.key));
  }

  /// `tag` is a key that was checked already, or null.
  void check_object(Node& node, const FieldLists& lists, const std::string* tag, const Place& place) {
    report_unknown_keys(node, lists, tag, place);
    for (const auto* fields : lists) {
      for (const Shape::Field& field : *fields) check_field(node, field, place);
    }
  }

  void report_unknown_keys(Node& node, const FieldLists& lists, const std::string* tag, const Place& place) {
    std::vector<std::string> known;
    if (tag) known.push_back(*tag);
    for (const auto* fields : lists) {
      for (const Shape::Field& field : *fields) known.push_back(field.key);
    }
    for (const Node::Entry& entry : node.entries) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      const std::string hint = did_you_mean(entry.key, known);
      problems_.add(entry.at, fmt::format("unknown key '{}' in {}{}", printable(entry.key), place.shown(),
                                          hint.empty() ? fmt::format("; valid are {}", fmt::join(known, ", ")) : hint));
    }
  }

  void check_field(Node& node, const Shape::Field& field, const Place& place) {
    Node* value = node.find(field.key);
    const bool is_missing = !value || (value->is_null() && !value->refused);
    if (is_missing && field.presence != Presence::required) return fill_in(node, value, field, place);
    if (value) return check(*value, field.shape, place.down(field.key));
    if (!node.refused) {
      problems_.add(node.at, fmt::format("the required key '{}' is missing in {}", field.key, place.shown()));
    }
  }

  void fill_in(Node& node, Node* value, const Shape::Field& field, const Place& place) {
    if (!value) {
      node.entries.push_back({field.key, node.at, {}});
      value = &node.entries.back().value;
    }
    *value = default_node(field);
    mark_default(*value, node.at);
    [[maybe_unused]] const bool was_empty = problems_.empty();
    if (!value->is_null()) check(*value, field.shape, place.down(field.key));
    assert((!was_empty || problems_.empty()) && "a default must be valid");
  }

  static void mark_default(Node& node, const Mark& at) {
    node.at = at;
    node.is_default = true;
    for (Node& item : node.items) mark_default(item, at);
    for (Node::Entry& entry : node.entries) {
      entry.at = at;
      mark_default(entry.value, at);
    }
  }

  void check_variant(Node& node, const Shape::Rule& rule, const Place& place) {
    const Node* tag = node.find(rule.tag);
    if (tag && tag->refused) return;
    if (!tag || tag->kind != Node::Kind::scalar) {
      if (!tag && node.refused) return;
      return problems_.add(tag && tag->at.file ? tag->at : node.at,
                           fmt::format("the required key '{}' is missing in {}; it is one of {}", rule.tag,
                                       place.shown(), fmt::join(alternative_names(rule), ", ")));
    }
    const Shape* alternative = rule.alternative(tag->text);
    if (alternative) return check_object(node, {&rule.fields, &alternative->rule().fields}, &rule.tag, place);
    const auto names = alternative_names(rule);
    problems_.add(tag->at, fmt::format("unknown {} {}{}", rule.tag, shown(*tag), unknown_name_hint(*tag, names)));
  }

  static std::string unknown_name_hint(const Node& tag, const std::vector<std::string>& names) {
    const std::string hint = tag.secret ? "" : did_you_mean(tag.text, names);
    return hint.empty() ? fmt::format("; known are {}", fmt::join(names, ", ")) : hint;
  }

  void check_either(Node& node, const Shape::Rule& rule, const Place& place) {
    std::vector<const Shape*> candidates;
    for (const Shape& shape : rule.of) {
      if (shape.type() == Type::any || kind_of(shape.type()) == node.kind) candidates.push_back(&shape);
    }
    if (candidates.empty()) return wrong_kind(node, rule, place);
    for (std::size_t i = 0; candidates.size() > 1 && i < candidates.size(); ++i) {
      Problems tried;
      Node copy = node;
      Checker(tried).check(copy, *candidates[i], place);
      if (!tried.empty()) continue;
      node = std::move(copy);
      return;
    }
    check(node, *candidates.front(), place);
  }

  Problems& problems_;
};

}  // namespace

std::string expectation(const Shape::Rule& rule) {
  using Int = std::numeric_limits<std::int64_t>;
  using Double = std::numeric_limits<double>;
  const bool has_min = rule.min != Int::min();
  const bool has_max = rule.max != Int::max();
  switch (rule.type) {
    case Type::any:
      return "anything";
    case Type::text:
      return rule.what;
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "a whole number" + range(has_min, std::to_string(rule.min), has_max, std::to_string(rule.max));
    case Type::number:
      return "a number" + range(rule.min_number > Double::lowest(), number_text(rule.min_number),
                                rule.max_number < Double::max(), number_text(rule.max_number));
    case Type::duration:
      return "a duration" +
             range(has_min && rule.min > 0, duration_text(Micros(rule.min)), has_max, duration_text(Micros(rule.max))) +
             ", such as 5s or 1m30s";
    case Type::size:
      return "a size" +
             range(rule.min_bytes > 0, size_text(rule.min_bytes),
                   rule.max_bytes != std::numeric_limits<std::uint64_t>::max(), size_text(rule.max_bytes)) +
             ", such as 64MB or 2GiB";
    case Type::choice:
      return fmt::format("one of {}", fmt::join(rule.choices, ", "));
    case Type::quantity:
      return "a number, with its unit where it has one, such as 90 °C";
    case Type::list:
      return "a list (one `- ` line for each item)";
    case Type::map:
    case Type::object:
    case Type::variant:
      return "a map (`key: value` lines)";
    case Type::either: {
      std::vector<std::string> all;
      for (const Shape& shape : rule.of) all.push_back(expectation(shape.rule()));
      return fmt::format("{}", fmt::join(all, " or "));
    }
  }
  return "";
}

void check(Node& node, const Shape& shape, Problems& problems) { Checker(problems).check(node, shape, {}); }

}  // namespace tidegate::config
