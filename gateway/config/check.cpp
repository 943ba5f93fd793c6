#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "gateway/config/rule.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

using Type = Shape::Type;
using Presence = Shape::Field::Presence;

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

std::string found(const Node& node) {
  if (node.kind == Node::Kind::scalar) return quoted(node);
  return node.kind == Node::Kind::list ? "a list" : "a map";
}

Node::Kind kind_of(Type type) {
  if (type == Type::list) return Node::Kind::list;
  return type == Type::map || type == Type::object || type == Type::variant ? Node::Kind::map : Node::Kind::scalar;
}

using FieldLists = std::vector<const std::vector<Shape::Field>*>;

constexpr std::string_view kDecimalMark = "the decimal mark is a point";

bool is_whole_number(const Node& node) {
  std::string_view text = node.text;
  if (text.starts_with('-')) text.remove_prefix(1);
  return node.kind == Node::Kind::scalar && !node.quoted && !text.empty() &&
         text.find_first_not_of("0123456789") == text.npos;
}

/// `{above: 90,5 °C}`: what stands behind the comma reads as a key without a value. Or "".
std::string decimal_comma_hint(const Node& map, std::size_t entry) {
  const Node::Entry& rest = map.entries[entry];
  const bool begins_with_digit = rest.key.find_first_of("0123456789") == 0;
  if (entry == 0 || !begins_with_digit || !rest.value.is_null()) return "";
  const Node::Entry& before = map.entries[entry - 1];
  if (!is_whole_number(before.value)) return "";
  return fmt::format("; {}: write {}: {}.{}", kDecimalMark, before.key, before.value.text, printable(rest.key));
}

/// `absence: 5m` where a map is meant: the first key that takes such a value. Or "".
std::string as_map_hint(const Node& node, const Shape::Rule& rule) {
  if (node.kind != Node::Kind::scalar || node.secret || rule.type != Type::object) return "";
  for (const Shape::Field& field : rule.fields) {
    const bool several = field.shape.type() == Type::either;
    const Shape& shape = several ? field.shape.rule().of.front() : field.shape;
    if (!is_scalar(shape.type()) || !scalar_problem(node, shape.rule(), field.key).empty()) continue;
    return fmt::format("; did you mean {{{}: {}}}?", field.key, printable(node.text, 80));
  }
  return "";
}

/// The section among `lists` that has this key: `above: 90` beside `threshold` instead of in it. Or "".
std::string section_with(std::string_view key, const FieldLists& lists) {
  for (const auto* fields : lists) {
    for (const Shape::Field& field : *fields) {
      if (field.shape.type() != Type::object) continue;
      for (const Shape::Field& inner : field.shape.rule().fields) {
        if (inner.key == key) return field.key;
      }
    }
  }
  return "";
}

class Checker {
 public:
  Checker(Problems& problems, const std::filesystem::path& folder) : problems_(problems), folder_(folder) {}

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
  void refuse(Node& node, std::string what) {
    problems_.add(node.at, std::move(what));
    node.refused = true;
  }

  void wrong_kind(Node& node, const Shape::Rule& rule, const Place& place) {
    refuse(node, node.is_null() ? fmt::format("{} has no value; it must be {}", place.shown(), expectation(rule))
                                : fmt::format("{} must be {}, not {}{}", place.shown(), expectation(rule), found(node),
                                              as_map_hint(node, rule)));
  }

  void check_scalar(Node& node, const Shape::Rule& rule, const Place& place) {
    if (rule.secret) node.secret = true;
    std::string what = scalar_problem(node, rule, place.key);
    if (!what.empty()) return refuse(node, std::move(what));
    if (rule.path) node.text = (folder_ / node.text).lexically_normal().string();
  }

  void check_count(Node& node, std::size_t count, const Shape::Rule& rule, const Place& place) {
    if (count <= rule.max_count) return;
    const bool of_numbers = rule.of.front().type() == Type::quantity || rule.of.front().type() == Type::number;
    const std::string hint = of_numbers ? fmt::format("; {}", kDecimalMark) : "";
    refuse(node,
           fmt::format("{} has {} entries; at most {} are allowed{}", place.shown(), count, rule.max_count, hint));
  }

  void check_list(Node& node, const Shape::Rule& rule, const Place& place) {
    check_count(node, node.items.size(), rule, place);
    const Shape& shape = rule.of.front();
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      Node& item = node.items[i];
      if (item.is_null() && !item.refused && shape.type() != Type::any) {
        refuse(item, fmt::format("{} is empty", place.item(item, i).shown()));
      } else {
        check(item, shape, place.item(item, i));
      }
    }
  }

  void check_map(Node& node, const Shape::Rule& rule, const Place& place) {
    check_count(node, node.entries.size(), rule, place);
    for (Node::Entry& entry : node.entries) check(entry.value, rule.of.front(), place.down(entry.key));
  }

  /// `tag` is a key that was checked already, or null.
  void check_object(Node& node, const FieldLists& lists, const std::string* tag, const Place& place) {
    refuse_unknown_keys(node, lists, tag, place);
    for (const auto* fields : lists) {
      for (const Shape::Field& field : *fields) check_field(node, field, place);
    }
  }

  /// The key that was probably meant is refused with it: that it is missing is told.
  void refuse_unknown_keys(Node& node, const FieldLists& lists, const std::string* tag, const Place& place) {
    std::vector<std::string> known;
    if (tag) known.push_back(*tag);
    for (const auto* fields : lists) {
      for (const Shape::Field& field : *fields) known.push_back(field.key);
    }
    const std::size_t written = node.entries.size();
    for (std::size_t i = 0; i < written; ++i) {
      Node::Entry& entry = node.entries[i];
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      std::string meant = section_with(entry.key, lists);
      std::string hint =
          meant.empty() ? did_you_mean(entry.key, known) : fmt::format("; write {}: {{{}: ...}}", meant, entry.key);
      if (hint.empty()) hint = decimal_comma_hint(node, i);
      problems_.add(entry.at, fmt::format("unknown key '{}' in {}{}", printable(entry.key), place.shown(),
                                          hint.empty() ? fmt::format("; valid are {}", fmt::join(known, ", ")) : hint));
      entry.value.refused = true;
      if (meant.empty()) meant = nearest(entry.key, known);
      if (!meant.empty() && !node.find(meant)) node.entries.push_back({meant, node.at, Node::refusal(node.at)});
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
    node.entries.push_back({field.key, node.at, Node::refusal(node.at)});
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
    const Shape* alternative = alternative_of(node, rule, place);
    if (alternative) return check_object(node, {&rule.fields, &alternative->rule().fields}, &rule.tag, place);
    for (const Shape::Field& field : rule.fields) check_field(node, field, place);
    node.refused = true;
  }

  /// The one that the tag names, or null and a problem.
  const Shape* alternative_of(Node& node, const Shape::Rule& rule, const Place& place) {
    const auto names = alternative_names(rule);
    Node* tag = node.find(rule.tag);
    if (!tag) {
      if (!node.refused) {
        problems_.add(node.at, fmt::format("the required key '{}' is missing in {}; it is one of {}", rule.tag,
                                           place.shown(), fmt::join(names, ", ")));
      }
      return nullptr;
    }
    if (tag->refused) return nullptr;
    if (tag->kind != Node::Kind::scalar) {
      wrong_kind(*tag, {.type = Type::choice, .choices = names}, place.down(rule.tag));
      return nullptr;
    }
    const Shape* alternative = rule.alternative(tag->text);
    if (!alternative) {
      refuse(*tag, fmt::format("unknown {} {}{}", rule.tag, quoted(*tag), unknown_name_hint(*tag, names)));
    }
    return alternative;
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
      Checker(tried, folder_).check(copy, *candidates[i], place);
      if (!tried.empty()) continue;
      node = std::move(copy);
      return;
    }
    check(node, *candidates.front(), place);
  }

  Problems& problems_;
  const std::filesystem::path& folder_;
};

}  // namespace

void check(Node& node, const Shape& shape, Problems& problems, const std::filesystem::path& folder) {
  Checker(problems, folder).check(node, shape, {});
}

}  // namespace tidegate::config
