#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/config/node.h"
#include "gateway/core/event.h"
#include "gateway/core/pattern.h"
#include "rules/reads.h"

/// What the items of `rules:` and of `derived:` have in common.
namespace tidegate::rules {

/// Why the text is no pattern of series, or "".
std::string pattern_problem(std::string_view text);
/// Captures in what it reads are those of `series`; else a problem at the condition.
bool reads_fit(const config::Node& condition, std::span<const Reads> all, const Pattern& series,
               config::Problems& problems);
/// Its `labels`, sorted.
Labels labels_of(const config::Node& item);

}  // namespace tidegate::rules
