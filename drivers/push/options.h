#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/fields.h"
#include "drivers/options.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/pattern.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::push {

/// How any JSON is read that is sent to the source.
struct DocumentRule {
  Template series;  ///< {source}, {field}, and what stands at JSON pointers: {/device/id}
  FieldsRule fields;
};

struct Options {
  Template series;  ///< of line protocol: {measurement}, {field}, {source}, {tags}, and tags by their keys
  Units units;      ///< by the series' names, as what follows
  std::vector<Pattern> counters;
  std::vector<Pattern> ignore;
  Micros silent_after{0};
  std::optional<DocumentRule> document = std::nullopt;
};

/// The shape of a source with `type: push`.
config::Shape shape();
/// Of a section checked against it.
Options read_options(const config::Node& section, config::Problems& problems);

}  // namespace tidegate::drivers::push
