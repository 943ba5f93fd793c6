#pragma once

#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "rules/rule.h"

/// Series that are made of others by an expression: docs/derived-series.md.
namespace tidegate::rules {

/// The shape of one item of `derived:` (for the root schema).
config::Shape derived_shape();

/// Compiles the items of `derived:`, which check() has seen, to rules that make series: what one is made of before it,
/// so that the engine makes them in that order. The enabled ones; every problem of all is added at its place, also
/// where one would be made of itself, or two of them the same series.
std::vector<Rule> parse_derived(const config::Node& derived, config::Problems& problems);

}  // namespace tidegate::rules
