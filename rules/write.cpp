#include "rules/write.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "gateway/core/time_text.h"
#include "rules/alert.h"
#include "rules/flood.h"
#include "rules/message.h"
#include "rules/parse.h"
#include "rules/rule.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

/// Long enough for a device that restarts; no longer, because nobody expects it to move any more.
constexpr Micros kWithin = std::chrono::seconds(30);

std::string point_problem(std::string_view text) {
  if (text.find_first_of("+#") == std::string_view::npos) return pattern_problem(text);
  return "a point has a whole name, without + and #: captures such as {device} may stand in it";
}

std::optional<Write::Value> value_of(const Node& written) {
  if (written.refused || written.is_null()) return std::nullopt;
  return Write::Value{written.string(), written.at, written.secret};
}

std::string in_words(const Node& item) {
  std::string text = item.string("point") + ":";
  for (const char* const when : {"raised", "acknowledged", "cleared"}) {
    if (!item.has(when)) continue;
    text += fmt::format("{} {} '{}'", text.back() == ':' ? "" : ",", when, item[when].shown());
  }
  return text;
}

using When = std::optional<Write::Value> Write::*;

std::vector<PointSetting> filled_in(const Rule& rule, When when, const AlertRecord& alert) {
  std::vector<PointSetting> out;
  for (const Write& one : rule.write) {
    if (const auto& value = one.*when) {
      out.push_back({render(one.point, rule, alert, SeriesKind::number, {}), value->text, one.within});
    }
  }
  return out;
}

/// And those of `old` whose points are not among them.
std::vector<PointSetting> with_others(std::vector<PointSetting> settings, std::vector<PointSetting> old) {
  for (PointSetting& one : old) {
    const auto same = [&](const PointSetting& other) { return other.point == one.point; };
    if (std::none_of(settings.begin(), settings.end(), same)) settings.push_back(std::move(one));
  }
  return settings;
}

void date(std::vector<PointSetting>& settings, Timestamp now) {
  for (PointSetting& one : settings) one.asked = now;
}

}  // namespace

Shape write_shape() {
  constexpr double kMost = std::numeric_limits<double>::max();
  const Shape value = Shape::either({Shape::text(), Shape::number(-kMost, kMost)});
  return Shape::list(
      Shape::object(
          "A point of a device that a rule sets.",
          {config::required("point", Shape::text_where("a point", point_problem),
                            "Its series, which says `writable`: \"{tank}/inlet_valve\"; captures of the series may "
                            "stand in it."),
           config::optional("raised", value, "What to set it to when an alert begins to call somebody."),
           config::optional("acknowledged", value, "What to set it to when it is acknowledged."),
           config::optional("cleared", value,
                            "What to set it to when it is over, or the rule is removed: once for each `raised`."),
           config::defaulted("within", Shape::duration(std::chrono::seconds(1), std::chrono::hours(1)),
                             duration_text(kWithin),
                             "So long is it tried. What is older is given up: a late command is a dangerous one.")}),
      16);
}

std::vector<Write> parse_write(const Node& items, const std::vector<std::string>& captures, Problems& problems) {
  std::vector<Write> out;
  for (const Node& item : items.items) {
    if (item.kind != Node::Kind::map) continue;  // check() has told
    const bool sets = item.has("raised") || item.has("acknowledged") || item.has("cleared");
    if (!sets && !item.refused)
      problems.add(item.at, "it never sets anything: write a value under raised, acknowledged or cleared");
    auto point = parse_text(item["point"], captures, problems);
    if (!point || !item.sound()) continue;
    out.push_back({std::move(*point), value_of(item["raised"]), value_of(item["acknowledged"]),
                   value_of(item["cleared"]), item.duration("within"), in_words(item), item["point"].at});
  }
  return out;
}

std::optional<Pattern> points_of(const Rule& rule, const Write& write) {
  const std::string text = write.point.render([&](std::string_view name) -> std::optional<std::string> {
    const std::string rest = fmt::format("{{{}...}}", name);
    return rule.series.text().find(rest) != std::string::npos ? rest : fmt::format("{{{}}}", name);
  });
  auto pattern = Pattern::parse(text);
  return pattern ? std::optional(std::move(*pattern)) : std::nullopt;
}

void write(const Rule& rule, Timestamp now, AlertTransition& transition, AlertRecord& alert) {
  if (calls_somebody(transition)) {
    transition.write = filled_in(rule, &Write::raised, alert);
    alert.release = with_others(filled_in(rule, &Write::cleared, alert), std::move(alert.release));
  } else if (!raised(alert.phase) && !alert.release.empty()) {
    transition.write = with_others(filled_in(rule, &Write::cleared, alert), std::exchange(alert.release, {}));
  }
  if (transition.cause == "acknowledged" && !silenced(alert)) {
    std::vector<PointSetting> also = filled_in(rule, &Write::acknowledged, alert);
    std::move(also.begin(), also.end(), std::back_inserter(transition.write));
  }
  date(transition.write, now);
  transition.alert.release = alert.release;
}

void write_release(Timestamp now, AlertTransition& transition) {
  transition.write = std::exchange(transition.alert.release, {});
  date(transition.write, now);
}

}  // namespace tidegate::rules
