#include "rules/message.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::rules {
namespace {

constexpr std::array<std::string_view, 9> kNames{"value",    "unit", "limit", "series",   "rule",
                                                 "severity", "age",  "left",  "left_band"};

/// Stands for an empty unit while the template is rendered; no series name and no YAML text holds it.
constexpr char kNothing = '\x1f';

void append_escaped(std::string& out, std::string_view part) {
  for (const char c : part) {
    if (c == '%') {
      out += "%25";
    } else if (c == ':') {
      out += "%3A";
    } else {
      out += c;
    }
  }
}

std::string shown(double value, SeriesKind kind, std::span<const std::string> states) {
  if (kind == SeriesKind::state && value >= 0 && value < static_cast<double>(states.size()))
    return states[static_cast<std::size_t>(value)];
  if (kind == SeriesKind::boolean) return value != 0 ? "true" : "false";
  return short_number(value);
}

std::string without_nothing(std::string text) {
  for (std::size_t at; (at = text.find(kNothing)) != std::string::npos;) {
    const bool space = at > 0 && text[at - 1] == ' ';
    text.erase(space ? at - 1 : at, space ? 2 : 1);
  }
  return text;
}

std::string time_text(double seconds) {
  constexpr Micros kLongest = std::chrono::days(400);
  constexpr double kMost = std::chrono::duration<double>(kLongest).count();
  if (!(seconds <= kMost)) return fmt::format("more than {}", age_text(kLongest));
  return age_text(Micros{static_cast<std::int64_t>(std::max(seconds, 0.0) * 1e6)});
}

std::optional<double> fact(const Evidence& evidence, std::string_view name) {
  const auto found = std::find_if(evidence.facts.begin(), evidence.facts.end(),
                                  [name](const Fact& fact) { return fact.name == name; });
  return found != evidence.facts.end() ? std::optional(found->value) : std::nullopt;
}

/// "2 h 40 min to 4 h". What is reached already, or never by this line, has no band.
std::string band_text(const AlertRecord& alert) {
  const auto earliest = fact(alert.evidence, kEarliest), latest = fact(alert.evidence, kLatest);
  if (!earliest) return alert.value > 0 && std::isfinite(alert.value) ? "unknown" : time_text(alert.value);
  const std::string from = time_text(*earliest);
  if (!latest) return from + " or later";
  const std::string to = time_text(*latest);
  return from == to ? from : from + " to " + to;
}

}  // namespace

std::span<const std::string_view> message_names() { return kNames; }

bool is_message_name(std::string_view name) { return std::find(kNames.begin(), kNames.end(), name) != kNames.end(); }

bool is_told(std::string_view name, const Traits& traits) {
  if (name == "age") return traits.time_name == name;
  return (name != "left" && name != "left_band") || traits.time_name == "left";
}

std::string alert_id(const Rule& rule, std::string_view series) {
  std::string id = rule.name;
  if (rule.series.anonymous_wildcard()) {
    id += ':';
    append_escaped(id, series);
    return id;
  }
  for (const auto& [name, value] : rule.series.match(series).value_or(Captures{})) {
    id += ':';
    append_escaped(id, value);
  }
  return id;
}

std::optional<Template> parse_text(const config::Node& written, const std::vector<std::string>& names,
                                   config::Problems& problems, const std::optional<std::string>& standard) {
  if (written.refused || (written.is_null() && !standard)) return std::nullopt;
  auto parsed = Template::parse(written.is_null() ? *standard : written.string(), names);
  if (parsed) return std::move(*parsed);
  problems.add(written.at, written.secret ? "the referenced value is no message: look at what stands in braces"
                                          : parsed.error().text);
  return std::nullopt;
}

std::string render(const Template& text, const Rule& rule, const AlertRecord& alert, SeriesKind kind,
                   std::span<const std::string> states) {
  const SeriesKind shown_as = rule.traits.finds_values ? kind : SeriesKind::number;
  const Captures captures = rule.series.match(alert.series).value_or(Captures{});
  const auto lookup = [&](std::string_view name) -> std::optional<std::string> {
    if (name == "value") return shown(alert.value, shown_as, states);
    if (name == "limit") return shown(alert.limit, shown_as, states);
    if (name == "unit") return alert.unit.empty() ? std::string(1, kNothing) : alert.unit;
    if (name == "series") return alert.series;
    if (name == "rule") return alert.rule;
    if (name == "severity") return std::string(tidegate::name(alert.severity));
    if (name == rule.traits.time_name) return time_text(alert.value);
    if (name == "left_band") return band_text(alert);
    for (const auto& [capture, value] : captures) {
      if (capture == name) return std::string(value);
    }
    return std::nullopt;
  };
  return without_nothing(text.render(lookup));
}

}  // namespace tidegate::rules
