#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "dashboard/server.h"
#include "gateway/core/event.h"
#include "gateway/core/types.h"
#include "gateway/journal/catalogue.h"
#include "gateway/journal/journal.h"

namespace tidegate::dashboard {

/// Keeps the order of docs/api.md, so that what goes out reads like what is written there.
using Json = nlohmann::ordered_json;

/// One line of valid UTF-8: ill-formed bytes become U+FFFD, NaN and infinity become null.
std::string text(const Json& json);
/// Microseconds since 1970; null for epoch 0, which means never.
Json time_or_null(Timestamp time);
inline std::int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }

Json alert_json(const AlertRecord& alert);
Json flood_event_json(Seq seq, Timestamp time, const Flood& flood);
Json alert_event_json(Seq seq, Timestamp time, const AlertTransition& transition);
Json snapshot_json(Seq seq, const Snapshot& snapshot);
/// Parts of State alone.
Json sources_json(const GatewayView& view);
Json uplinks_json(const GatewayView& view);
/// A rule of /api/v1/rules: more than State has.
Json written_rule_json(const RuleView& rule);
Json source_change_json(Timestamp time, const SourceChange& change);

/// What State shows beside the gateway's own view.
struct StateContext {
  const Options* options = nullptr;
  std::string_view epoch;
  journal::Stats stats{};
};
/// State without `gateway.time`, so that two of them compare equal when nothing happened.
Json state_json(const GatewayView& view, const StateContext& context);

// The paths that carry every series are text, not trees: what does not change of a series is made once.

/// `text` as a JSON string with its quotes.
std::string json_string(std::string_view text);
/// How many series to show, given the newest sample of each: up to the last one that has any. What is beyond is known
/// to the catalogue, and perhaps not yet to the disk.
std::size_t shown_count(const std::vector<Sample>& latest);
/// `{"name", "unit", "states", "points": [reading, ...]}` for each series, of samples series by series.
void append_points(std::string& out, const journal::Catalogue& catalogue, std::span<const Sample> samples);
/// `[t, value, "quality", "reason"]`
void append_reading(std::string& out, const Sample& sample);
/// A finite number, or null.
void append_number(std::string& out, double value);
/// A Series object up to `"stale_after":`.
std::string series_head(const journal::Catalogue::Entry& entry);
/// The whole Series object; a sample of epoch 0 is `"last":null`.
void append_series(std::string& out, std::string_view head, Micros stale_after, const Sample& last);

}  // namespace tidegate::dashboard
