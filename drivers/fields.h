#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "drivers/options.h"
#include "drivers/payload.h"
#include "drivers/value.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"

namespace tidegate::drivers {

/// How one value becomes a series.
struct FieldRule {
  std::string name;  ///< {field} in the series' name
  std::string path;  ///< of the leaf
  ValueOptions value;
};

struct TimestampRule {
  std::string path;
  TimeFormat format = TimeFormat::automatic;
  bool may_lack = false;  ///< a record without it is not doubted
};

/// Which values of a record (a message, an answer, a line) become series, and how.
struct FieldsRule {
  bool every_leaf = true;         ///< `fields: auto`, which all but the next line and the timestamp are for
  std::vector<FieldRule> fields;  ///< named ones
  std::string root;               ///< only what is below
  Units units;
  std::vector<std::pair<Pattern, std::string>> units_from;  ///< the leaf that says the unit
  std::vector<Pattern> states;                              ///< leaves whose text becomes a state series
  std::vector<Pattern> booleans, counters;                  ///< leaves of these kinds
  std::vector<Pattern> ignore;
  std::optional<TimestampRule> timestamp;
};

config::Shape pointer_shape();
/// fields, states, ignore, units, units_from, booleans, counters, root, also, timestamp. `of_a_field`: what a named one
/// has beside the options of all points.
std::vector<config::Shape::Field> fields_fields(const std::vector<config::Shape::Field>& of_a_field = {});
FieldsRule read_fields(const config::Node& node, config::Problems& problems);

/// How a leaf of a record, which has a path, is read; nothing: it is not.
std::optional<FieldRule> rule_of(const FieldsRule& rule, std::span<const Leaf> record, const Leaf& leaf);
/// Where named fields alone are read and the record has none of them: "there is no '/tempp' in it; it has /temp,
/// /mode".
/// "" else.
std::string lack_of_named(const FieldsRule& rule, std::span<const Leaf> record);
/// What the leaf looks like; a number in quotes is a number.
SeriesKind natural_kind(const Leaf& leaf);

}  // namespace tidegate::drivers
