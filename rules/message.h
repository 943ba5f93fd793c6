#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/core/event.h"
#include "gateway/core/pattern.h"
#include "gateway/core/types.h"
#include "rules/rule.h"

namespace tidegate::rules {

/// What may stand in braces in a message beside the captures: value unit limit series rule severity age left left_band.
std::span<const std::string_view> message_names();
bool is_message_name(std::string_view name);
/// Some of them are of one kind of rule alone: age, left, left_band.
bool is_told(std::string_view name, const Traits& traits);

/// The facts of a forecast's evidence between which its limit is reached, in seconds; the latter may be missing.
inline constexpr std::string_view kEarliest = "earliest", kLatest = "latest";

/// "rule:capture1:capture2"; for a pattern with an anonymous wildcard, whose captures do not tell two matches apart,
/// the whole series name in their place. '%' and ':' within a part are written %25 and %3A, so that no two collide.
std::string alert_id(const Rule& rule, std::string_view series);

/// A text of a rule with `names` in braces, or what is the matter with it. Where none is written: `standard`, if any.
std::optional<Template> parse_text(const config::Node& written, const std::vector<std::string>& names,
                                   config::Problems& problems, const std::optional<std::string>& standard = {});

/// The rule's message, or another text of it, for an alert whose other fields, evidence too, are filled in. `states`
/// are a state series' texts by code, shown in place of the code. Where there is no unit the space before it goes too.
std::string render(const Template& text, const Rule& rule, const AlertRecord& alert, SeriesKind kind,
                   std::span<const std::string> states);

}  // namespace tidegate::rules
