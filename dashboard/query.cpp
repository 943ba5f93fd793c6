#include "dashboard/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::dashboard {
namespace {

constexpr std::string_view kRepeatable = "series";
constexpr std::int64_t kLargestExact = 9'007'199'254'740'991;  ///< 2^53 - 1: what a JSON number of JavaScript holds

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

Result<std::int64_t> parameter(const Query& query, const std::string& name, std::int64_t fallback, std::int64_t min,
                               std::int64_t max) {
  const auto found = query.find(name);
  if (found == query.end()) return fallback;
  const auto value = whole_number(found->second);
  if (!value || *value < min || *value > max) {
    return fail(Errc::invalid, "{}: '{}' is no whole number from {} to {}", name, printable(found->second, 64), min,
                max);
  }
  return *value;
}

Result<Timestamp> time_parameter(const Query& query, const std::string& name, Timestamp fallback) {
  return parameter(query, name, fallback.time_since_epoch().count(), 0, kLargestExact).map([](std::int64_t value) {
    return Timestamp{Micros{value}};
  });
}

// A bound on nesting before the parser builds anything.
bool nested_deeper_than(std::string_view json, int max) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_string) {
      if (json[i] == '\\')
        ++i;
      else if (json[i] == '"')
        in_string = false;
    } else if (json[i] == '"') {
      in_string = true;
    } else if (json[i] == '{' || json[i] == '[') {
      if (++depth > max) return true;
    } else if (json[i] == '}' || json[i] == ']') {
      --depth;
    }
  }
  return false;
}

std::string nearest_or_all(const std::string& name, std::span<const std::string_view> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  std::string hint = did_you_mean(name, names);
  if (!hint.empty()) return hint;
  return names.empty() ? "; there is none here" : fmt::format("; known are {}", fmt::join(names, ", "));
}

Result<std::string> string_field(const nlohmann::json& object, const char* name, std::size_t max_bytes) {
  const auto found = object.find(name);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return fail(Errc::invalid, "\"{}\" must be a string", name);
  auto value = found->get<std::string>();
  if (value.size() > max_bytes) return fail(Errc::invalid, "\"{}\" is longer than {} bytes", name, max_bytes);
  return value;
}

constexpr std::size_t kMaxNote = 2048;

Result<nlohmann::json> parse_object(std::string_view body) {
  constexpr int kMaxDepth = 32;
  if (nested_deeper_than(body, kMaxDepth)) return fail(Errc::invalid, "the body is nested deeper than {}", kMaxDepth);
  auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    return fail(Errc::invalid, "the body must be a JSON object such as {{\"id\": \"rule:device\"}}");
  return json;
}

Status check_fields(const nlohmann::json& object, std::span<const std::string_view> known) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return fail(Errc::invalid, "unknown field '{}'{}", printable(name, 64), nearest_or_all(name, known));
  }
  return {};
}

Result<nlohmann::json> parse_known(std::string_view body, std::span<const std::string_view> fields) {
  auto json = parse_object(body);
  if (!json) return json;
  if (const Status known = check_fields(*json, fields); !known) return fail(known.error());
  return json;
}

Result<std::int64_t> number_field(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return fail(Errc::invalid, "\"{}\" must be a number", name);
  return found->get<std::int64_t>();
}

Result<std::string> id_field(const nlohmann::json& object) {
  constexpr std::size_t kMaxId = 1024;
  auto id = string_field(object, "id", kMaxId);
  if (id && id->empty()) return fail(Errc::invalid, "\"id\" must name the alert");
  return id;
}

/// Until when `for` or `out_of_service` says; one of them, and not both.
Result<Timestamp> shelf_end(const nlohmann::json& object, Timestamp now) {
  const auto out = object.find("out_of_service");
  if (out != object.end() && !out->is_boolean()) return fail(Errc::invalid, "\"out_of_service\" must be true or false");
  const bool out_of_service = out != object.end() && out->get<bool>();
  if (out_of_service == object.contains("for"))
    return fail(Errc::invalid, "say either \"for\", such as \"1h\", or \"out_of_service\": true");
  if (out_of_service) return kOutOfService;
  constexpr std::size_t kMaxDuration = 64;
  const auto text = string_field(object, "for", kMaxDuration);
  if (!text) return fail(text.error());
  const auto duration = parse_duration(*text);
  if (!duration || *duration < kShortestShelf || *duration > kLongestShelf) {
    return fail(Errc::invalid, "\"for\": '{}' is no duration from {} to {}, such as \"1h\"", printable(*text),
                duration_text(kShortestShelf), duration_text(kLongestShelf));
  }
  return now + *duration;
}

}  // namespace

Status check_names(const Query& query, std::span<const std::string_view> known) {
  for (const auto& [name, value] : query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      const std::size_t times = query.count(name);
      if (times == 1 || name == kRepeatable) continue;
      return fail(Errc::invalid, "{}: it is given {} times, once is meant", name, times);
    }
    return fail(Errc::invalid, "unknown parameter '{}'{}", printable(name, 64), nearest_or_all(name, known));
  }
  return {};
}

std::optional<EventId> parse_event_id(std::string_view text) {
  constexpr std::size_t kLongestId = 128;
  const auto colon = text.rfind(':');
  if (text.size() > kLongestId || colon == text.npos || colon == 0) return {};
  const auto seq = whole_number(text.substr(colon + 1));
  if (!seq || *seq < 0 || *seq > kLargestExact) return {};
  return EventId{std::string(text.substr(0, colon)), Seq{*seq}};
}

Result<std::vector<Pattern>> parse_selection(const Query& query) {
  if (const std::size_t given = query.count("series"); given > kMostPatterns) {
    return fail(Errc::invalid, "{} patterns of series; at most {}", given, kMostPatterns);
  }
  std::vector<Pattern> patterns;
  const auto [first, last] = query.equal_range("series");
  for (auto at = first; at != last; ++at) {
    auto pattern = Pattern::parse(at->second);
    if (!pattern) return fail(Errc::invalid, "series: {}", pattern.error().text);
    patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

Result<HistoryQuery> parse_history(const Query& query, Timestamp now) {
  HistoryQuery history;
  if (const std::size_t given = query.count("series"); given > HistoryQuery::kMaxSeries) {
    return fail(Errc::invalid, "{} series in one request; at most {}", given, HistoryQuery::kMaxSeries);
  }
  const auto [first, last] = query.equal_range("series");
  for (auto at = first; at != last; ++at) {
    if (std::find(history.series.begin(), history.series.end(), at->second) == history.series.end()) {
      history.series.push_back(at->second);
    }
  }
  if (history.series.empty()) return fail(Errc::invalid, "say which series: ?series=device/metric");
  const auto points = parameter(query, "points", 300, 1, HistoryQuery::kMaxPoints);
  if (!points) return fail(points.error());
  history.points = static_cast<std::size_t>(*points);
  if (history.points * history.series.size() > HistoryQuery::kMaxPointsInAll) {
    return fail(Errc::invalid, "{} series of {} points; at most {} points in one request", history.series.size(),
                history.points, HistoryQuery::kMaxPointsInAll);
  }
  const auto to = time_parameter(query, "to", now);
  if (!to) return fail(to.error());
  const auto from = time_parameter(query, "from", std::max(Timestamp{}, *to - std::chrono::hours(1)));
  if (!from) return fail(from.error());
  if (*from >= *to) return fail(Errc::invalid, "'from' must be before 'to'");
  history.from = *from;
  history.to = *to;
  return history;
}

Result<std::size_t> parse_limit(const Query& query, std::size_t fallback, std::size_t max) {
  return parameter(query, "limit", static_cast<std::int64_t>(fallback), 1, static_cast<std::int64_t>(max))
      .map([](std::int64_t value) { return static_cast<std::size_t>(value); });
}

Result<std::optional<std::int64_t>> parse_ordinal(const Query& query, const std::string& name) {
  if (!query.contains(name)) return std::optional<std::int64_t>();
  return parameter(query, name, 0, 1, kLargestExact).map([](std::int64_t value) { return std::optional(value); });
}

Result<ListPage> parse_list_page(const Query& query, std::size_t fallback, std::size_t max) {
  const auto limit = parse_limit(query, fallback, max);
  if (!limit) return fail(limit.error());
  const auto found = query.find("before");
  if (found == query.end()) return ListPage{*limit, {}};
  const std::string_view cursor = found->second;
  const std::size_t dot = std::min(cursor.find('.'), cursor.size());
  const auto id = whole_number(cursor.substr(0, dot));
  const auto ordinal = dot == cursor.size() ? std::optional<std::int64_t>(0) : whole_number(cursor.substr(dot + 1));
  constexpr std::int64_t kMostOrdinal = 1'000'000'000;
  if (!id || *id < 0 || !ordinal || *ordinal < 0 || *ordinal > kMostOrdinal) {
    return fail(Errc::invalid, "before: '{}' is no cursor; take `next` of the page before", printable(cursor, 64));
  }
  return ListPage{*limit, *id, static_cast<int>(*ordinal)};
}

Result<Seq> parse_snapshot(const Query& query) {
  if (!query.contains("id")) return fail(Errc::invalid, "id: which snapshot? /api/v1/snapshots lists them");
  return parameter(query, "id", 0, 1, INT64_MAX).map([](std::int64_t value) { return Seq{value}; });
}

Result<Acknowledge> parse_acknowledge(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kFields = {"id", "note"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  auto id = id_field(*json);
  if (!id) return fail(id.error());
  auto note = string_field(*json, "note", kMaxNote);
  if (!note) return fail(note.error());
  return Acknowledge{std::move(*id), {}, std::move(*note)};
}

Result<Shelve> parse_shelve(std::string_view body, Timestamp now) {
  static constexpr std::array<std::string_view, 4> kFields = {"id", "for", "out_of_service", "why"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  auto id = id_field(*json);
  if (!id) return fail(id.error());
  const auto until = shelf_end(*json, now);
  if (!until) return fail(until.error());
  auto why = string_field(*json, "why", kMaxNote);
  if (!why) return fail(why.error());
  if (trim(*why).empty()) return fail(Errc::invalid, "\"why\" must say why nobody is to be called");
  return Shelve{std::move(*id), {}, std::move(*why), *until};
}

Result<Shelve> parse_unshelve(std::string_view body) {
  static constexpr std::array<std::string_view, 1> kFields = {"id"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  auto id = id_field(*json);
  if (!id) return fail(id.error());
  return Shelve{std::move(*id), {}, {}, {}};
}

Result<Comment> parse_comment(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kFields = {"id", "text"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  auto id = id_field(*json);
  if (!id) return fail(id.error());
  auto text = string_field(*json, "text", kMaxNote);
  if (!text) return fail(text.error());
  if (trim(*text).empty()) return fail(Errc::invalid, "\"text\" must have the comment");
  return Comment{std::move(*id), {}, std::move(*text)};
}

Result<Texts> parse_texts(std::string_view body, std::span<const std::string_view> fields) {
  constexpr std::size_t kMaxText = 1024;
  const auto json = parse_known(body, fields);
  if (!json) return fail(json.error());
  Texts texts;
  for (const std::string_view field : fields) {
    auto value = string_field(*json, std::string(field).c_str(), kMaxText);
    if (!value) return fail(value.error());
    texts.emplace(field, std::move(*value));
  }
  return texts;
}

Result<std::int64_t> parse_number(std::string_view body, const char* field) {
  const std::array<std::string_view, 1> fields = {field};
  const auto json = parse_known(body, fields);
  if (!json) return fail(json.error());
  return number_field(*json, field);
}

Result<RuleBody> parse_rule_body(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kFields = {"text", "note"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  if (!json->contains("text")) return fail(Errc::invalid, "\"text\" must be the rules as they are to be");
  auto text = string_field(*json, "text", body.size());
  if (!text) return fail(text.error());
  auto note = string_field(*json, "note", kMaxNote);
  if (!note) return fail(note.error());
  return RuleBody{std::move(*text), std::move(*note)};
}

Result<SwitchBody> parse_switch_body(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kFields = {"name", "note"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  auto name = string_field(*json, "name", kMaxNote);
  if (!name) return fail(name.error());
  if (name->empty()) return fail(Errc::invalid, "\"name\" must name the rule");
  auto note = string_field(*json, "note", kMaxNote);
  if (!note) return fail(note.error());
  return SwitchBody{std::move(*name), std::move(*note)};
}

Result<RollbackBody> parse_rollback_body(std::string_view body) {
  static constexpr std::array<std::string_view, 2> kFields = {"version", "note"};
  const auto json = parse_known(body, kFields);
  if (!json) return fail(json.error());
  const auto version = number_field(*json, "version");
  if (!version) return fail(version.error());
  auto note = string_field(*json, "note", kMaxNote);
  if (!note) return fail(note.error());
  return RollbackBody{*version, std::move(*note)};
}

Result<std::vector<std::string>> parse_if_match(std::string_view header) {
  std::vector<std::string> etags;
  for (std::string_view one : split(header, ',')) {
    one = trim(one);
    if (one == "*") {
      etags.emplace_back(one);
    } else if (one.size() >= 2 && one.front() == '"' && one.back() == '"') {
      etags.emplace_back(one.substr(1, one.size() - 2));
    } else if (!one.starts_with("W/\"")) {
      return fail(Errc::invalid, "If-Match: '{}' is no etag such as \"5c1f09be\", with its quotes", printable(one, 64));
    }
  }
  return etags;
}

Status parse_nothing(std::string_view body) {
  const auto json = parse_known(body, {});
  return json ? Status{} : fail(json.error());
}

}  // namespace tidegate::dashboard
