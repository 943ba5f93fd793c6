#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/core/types.h"

namespace tidegate::config {

/// What a value may be. One table of shapes validates, fills in defaults, documents and prints the JSON Schema.
/// Immutable once made, shared by value (a pointer inside); build each once in a function-local static.
class Shape {
 public:
  enum class Type : unsigned char {
    any,
    text,
    boolean,
    integer,
    number,
    duration,
    size,
    choice,
    quantity,
    list,
    map,
    object,
    variant,
    either
  };

  /// A key of an object.
  struct Field;
  struct Rule;  ///< the innards, in rule.h: for this folder alone

  /// Any single text. Plain YAML words that other programs read as booleans (yes, no, on, off, y, n, true, false) and
  /// null words must be quoted; `secret` keeps it out of every output.
  static Shape text();
  static Shape secret();
  /// Of a file or a folder. After check() a relative one stands on the folder that check() is given.
  static Shape path();
  static Shape boolean();                                    ///< true or false, nothing else
  static Shape integer(std::int64_t min, std::int64_t max);  ///< decimal only: 010, 0x10 and 1_000 are errors
  static Shape number(double min, double max);
  static Shape duration(Micros min, Micros max);            ///< "5s"; a bare number is an error that says so
  static Shape size(std::uint64_t min, std::uint64_t max);  ///< "64MB", "64MiB"; units B kB KB MB GB KiB MiB GiB
  static Shape choice(std::vector<std::string> values);
  /// A number with an optional unit behind it, "90 °C"; read with parse_quantity() by those who know units.
  static Shape quantity();
  /// A text that `check` accepts: it returns what is wrong, or "" (topic patterns, templates, addresses).
  static Shape text_where(std::string_view what, std::function<std::string(std::string_view)> check);
  static Shape list(Shape of, std::size_t max_items = 10'000);
  /// A map with keys of the user's own.
  static Shape map(Shape of, std::size_t max_entries = 10'000);
  static Shape object(std::string_view doc, std::vector<Field> fields);
  /// An object whose key `tag` says which: {type: mqtt, ...}. Each alternative is an object shape; `common` fields
  /// belong to all. The tag itself stands among neither, and no key among both.
  static Shape variant(std::string_view doc, std::string_view tag, std::vector<Field> common,
                       std::vector<std::pair<std::string, Shape>> alternatives);
  /// Whichever of the shapes fits by YAML kind (scalar, list, map): "above: 90" or "above: {warning: 80}". Of several
  /// scalar shapes the first that accepts the text.
  static Shape either(std::vector<Shape> shapes);
  static Shape any();

  Type type() const;
  const Rule& rule() const { return *rule_; }

 private:
  static Shape of(Rule rule);
  explicit Shape(std::shared_ptr<const Rule> rule) : rule_(std::move(rule)) {}
  std::shared_ptr<const Rule> rule_;
};

struct Shape::Field {
  std::string key;
  Shape shape;
  std::string doc;  ///< one sentence for the reference and the JSON Schema
  enum class Presence : unsigned char { required, optional, defaulted } presence;
  std::string default_text;  ///< as it would stand in YAML (flow style for lists and maps)
};

/// Must be written.
Shape::Field required(std::string key, Shape shape, std::string doc);
/// May be missing; then the node is null.
Shape::Field optional(std::string key, Shape shape, std::string doc);
/// May be missing; then it is `default_text`.
Shape::Field defaulted(std::string key, Shape shape, std::string default_text, std::string doc);

/// Checks `node` against `shape`, adds every problem (with the nearest valid key), fills in defaults, and refuses what
/// does not fit: what does can be looked at further (Node::sound), so that all problems are told at once. `folder` is
/// what relative paths start at.
void check(Node& node, const Shape& shape, Problems& problems, const std::filesystem::path& folder = {});

/// The JSON Schema (draft 2020-12) of a shape, as text, two-space indent.
std::string json_schema(const Shape& shape, std::string_view title);
/// The reference as Markdown: a table a section.
std::string markdown(const Shape& shape);

/// "90 °C" -> {90, "°C"}; the unit may be missing, a finite number may not.
struct Quantity {
  double value;
  std::string unit;
};
std::optional<Quantity> parse_quantity(std::string_view text);
/// "64MB" (10^6), "64MiB" (2^20).
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace tidegate::config
