#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gateway/config/schema.h"

namespace tidegate::config {

/// A shape's innards. Only what its type needs is set.
struct Shape::Rule {
  Type type = Type::any;
  bool secret = false;
  bool path = false;
  std::int64_t min = std::numeric_limits<std::int64_t>::min();  ///< integer; duration in µs
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  double min_number = std::numeric_limits<double>::lowest();
  double max_number = std::numeric_limits<double>::max();
  std::uint64_t min_bytes = 0;
  std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::string> choices{};
  std::string what{};                                     ///< text: as in "must be {what}"
  std::function<std::string(std::string_view)> accept{};  ///< text_where; returns what is wrong
  std::vector<Shape> of{};                                ///< list, map: the one inside; either: the candidates
  std::size_t max_count = 0;                              ///< list, map
  std::string doc{};                                      ///< object, variant
  std::vector<Field> fields{};                            ///< object; of a variant the common ones
  std::string tag{};                                      ///< variant
  std::vector<std::pair<std::string, Shape>> alternatives{};

  const Shape* alternative(std::string_view name) const;
};

/// What a value of this shape is, to stand behind "must be": "a whole number between 1 and 65535".
std::string expectation(const Shape::Rule& rule);
bool is_scalar(Shape::Type type);
/// The names of a variant's alternatives.
std::vector<std::string> alternative_names(const Shape::Rule& rule);
/// A field's default as a tree; null where it has none.
Node default_node(const Shape::Field& field);

/// What is wrong with a scalar, or "". `key` is where it stands, empty within a list. Secrets are not repeated.
std::string scalar_problem(const Node& node, const Shape::Rule& rule, std::string_view key);
/// The text of a scalar to stand in a message: quoted and printable, or "the referenced value".
std::string quoted(const Node& node);

std::string size_text(std::uint64_t bytes);

}  // namespace tidegate::config
