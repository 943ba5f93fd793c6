#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "gateway/core/text.h"
#include "rules/kinds.h"
#include "rules/quantities.h"
#include "rules/units.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Breach below `low` and above `high`, clear from `clear_low` to `clear_high`, and hold between: the dead band.
struct Band {
  double low = -kInfinity, high = kInfinity;
  double clear_low = -kInfinity, clear_high = kInfinity;
};

class BandDetector final : public Detector {
 public:
  explicit BandDetector(const Band& band) : band_(band), middle_((band.low + band.high) / 2) {}

  Finding observe(const Sample& sample) override {
    const double value = sample.value;
    return {verdict(value), value, limit(value)};
  }

 private:
  Verdict verdict(double value) const {
    if (value > band_.high || value < band_.low) return Verdict::breach;
    return value >= band_.clear_low && value <= band_.clear_high ? Verdict::clear : Verdict::hold;
  }
  double limit(double value) const {
    if (band_.high == kInfinity) return band_.low;
    return value >= middle_ ? band_.high : band_.low;
  }

  Band band_;
  double middle_;  ///< -inf where there is no lower limit, so that the upper one is shown
};

class EqualsDetector final : public Detector {
 public:
  explicit EqualsDetector(double wanted) : wanted_(wanted) {}
  Finding observe(const Sample& sample) override {
    return {sample.value == wanted_ ? Verdict::breach : Verdict::clear, sample.value, wanted_};
  }

 private:
  double wanted_;
};

/// One limit a level, the lowest first; `sign` -1 where falling is worse. Each has the same dead band.
class LevelsDetector final : public Detector {
 public:
  struct Level {
    Severity severity;
    double limit, clear;
  };
  LevelsDetector(std::vector<Level> levels, double sign) : levels_(std::move(levels)), sign_(sign) {}

  Finding observe(const Sample& sample) override {
    const double value = sample.value;
    const Level *reached = nullptr, *kept = nullptr;
    for (const Level& level : levels_) {
      if (sign_ * (value - level.limit) > 0) reached = &level;
      if (sign_ * (value - level.clear) > 0) kept = &level;
    }
    if (kept == nullptr) return {Verdict::clear, value, levels_.front().limit};
    if (reached == nullptr) return {Verdict::hold, value, kept->limit, {Severity::info, kept->severity}};
    return {Verdict::breach, value, reached->limit, {reached->severity, kept->severity}};
  }

 private:
  std::vector<Level> levels_;
  double sign_;
};

/// A written threshold: the band in the unit of its own text, and how its words are to be taken.
struct Written {
  Band band;
  std::string unit;
  bool strict_clear = false;  ///< "clear_below: 85": 85 is not below 85
};

Band in_unit_of(const Measured& info, const Written& written) {
  Band band = written.band;
  for (double* level : {&band.low, &band.high, &band.clear_low, &band.clear_high}) {
    if (std::isfinite(*level)) *level = level_for(info, *level, written.unit, "limit").value_or(*level);
  }
  if (written.strict_clear && std::isfinite(band.clear_high))
    band.clear_high = std::nextafter(band.clear_high, -kInfinity);
  if (written.strict_clear && std::isfinite(band.clear_low)) band.clear_low = std::nextafter(band.clear_low, kInfinity);
  return band;
}

Result<Watch> fit(const Written& written, const Measured& info) {
  if (info.kind == SeriesKind::state) return fail(measures(info, "size; use equals").error());
  if (auto converts = level_for(info, 0, written.unit, "limit"); !converts) return fail(std::move(converts.error()));
  return Watch{std::make_unique<BandDetector>(in_unit_of(info, written)), unit_for(info, written.unit)};
}

std::optional<double> boolean_code(std::string_view word) {
  for (const std::string_view yes : {"true", "on", "1"}) {
    if (word == yes) return 1;
  }
  for (const std::string_view no : {"false", "off", "0"}) {
    if (word == no) return 0;
  }
  return std::nullopt;
}

Result<Watch> fit_equals(const Node& node, const SeriesInfo& info, const std::vector<std::string>& labels) {
  const std::string& word = node.text;
  double wanted = 0;
  if (info.kind == SeriesKind::state) {
    // A label that no sample had yet has no code: nothing equals it until the series is declared again with it.
    const auto found = std::find(labels.begin(), labels.end(), word);
    wanted =
        found == labels.end() ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(found - labels.begin());
  } else if (info.kind == SeriesKind::boolean) {
    const auto code = boolean_code(word);
    if (!code) return fail(Errc::invalid, "it is true or false, never '{}'", node.shown());
    wanted = *code;
  } else if (!parse_number(word, wanted)) {
    return fail(Errc::invalid, "it is a series of numbers, and '{}' is none", node.shown());
  }
  return Watch{std::make_unique<EqualsDetector>(wanted), info.unit};
}

Compiled equals(const Node& wanted) {
  return {fmt::format("equals {}", wanted.shown()), "{series} is {value}",
          [wanted](const SeriesInfo& info, const std::vector<std::string>& labels) {
            return fit_equals(wanted, info, labels);
          }};
}

Compiled band(std::string condition, Written written) {
  return {std::move(condition), "{series} is at {value} {unit}, limit {limit}",
          [written = std::move(written)](const Measured& info, const std::vector<std::string>&) {
            return fit(written, info);
          }};
}

struct WrittenLevel {
  Severity severity;
  double limit;
  const Node* node;
};

/// As written, each at a limit further out than the one below it.
std::optional<std::vector<WrittenLevel>> read_levels(const Node& map, bool above, Quantities& quantities,
                                                     Problems& problems) {
  std::vector<WrittenLevel> levels;
  for (const Node::Entry& entry : map.entries) {
    const auto severity = severity_from(entry.key);
    const auto limit = quantities.point(entry.value);
    if (!severity) {
      problems.add(entry.at, fmt::format("'{}' is no level; valid are info, warning, high, critical", entry.key));
      return std::nullopt;
    }
    if (!limit) return std::nullopt;
    levels.push_back({*severity, *limit, &entry.value});
  }
  if (levels.empty()) {
    problems.add(map.at, "it needs a limit for one level at least, such as {warning: 80, critical: 90}");
    return std::nullopt;
  }
  std::sort(levels.begin(), levels.end(), [](const auto& a, const auto& b) { return a.severity < b.severity; });
  for (std::size_t i = 1; i < levels.size(); ++i) {
    if (above ? levels[i].limit > levels[i - 1].limit : levels[i].limit < levels[i - 1].limit) continue;
    problems.add(levels[i].node->at,
                 fmt::format("{} is worse than {}, so its limit must be {} than {}", name(levels[i].severity),
                             name(levels[i - 1].severity), above ? "greater" : "smaller", levels[i - 1].node->shown()));
    return std::nullopt;
  }
  return levels;
}

/// {warning: 80, critical: 90}: one alert, which escalates and steps down.
std::optional<Compiled> leveled(const Node& options, bool above, Problems& problems) {
  const Node& map = options[above ? "above" : "below"];
  const Node& hysteresis_node = options["hysteresis"];
  const std::string_view clear_key = above ? "clear_below" : "clear_above";
  if (options.has(clear_key)) {
    problems.add(options[clear_key].at, fmt::format("{} is for one limit: with levels write hysteresis", clear_key));
    return std::nullopt;
  }
  Quantities quantities(
      map.entries.empty()
          ? std::initializer_list<const Node*>{&hysteresis_node}
          : std::initializer_list<const Node*>{&map.entries.front().value, &map.entries.back().value, &hysteresis_node},
      problems);
  const auto written = read_levels(map, above, quantities, problems);
  const auto width = options.has("hysteresis") ? quantities.width(hysteresis_node, "hysteresis") : 0;
  if (!written || !width) return std::nullopt;
  const double sign = above ? 1 : -1;
  std::vector<LevelsDetector::Level> levels;
  std::vector<Severity> severities;
  std::string condition = above ? "above" : "below";
  for (const WrittenLevel& level : *written) {
    levels.push_back({level.severity, level.limit, rounded(level.limit - sign * *width)});
    severities.push_back(level.severity);
    condition +=
        fmt::format("{} {} ({})", &level == &written->front() ? "" : ",", level.node->shown(), name(level.severity));
  }
  if (options.has("hysteresis")) condition += fmt::format(", hysteresis {}", hysteresis_node.shown());
  const auto make = [levels, sign, unit = quantities.unit()](const Measured& info,
                                                             const std::vector<std::string>&) -> Result<Watch> {
    if (info.kind == SeriesKind::state) return fail(measures(info, "size; use equals").error());
    std::vector<LevelsDetector::Level> fitted = levels;
    for (LevelsDetector::Level& level : fitted) {
      for (double* value : {&level.limit, &level.clear}) {
        const auto converted = level_for(info, *value, unit, "limit");
        if (!converted) return fail(converted.error());
        *value = *converted;
      }
    }
    return Watch{std::make_unique<LevelsDetector>(std::move(fitted), sign), unit_for(info, unit)};
  };
  return Compiled{std::move(condition), "{series} is at {value} {unit}, limit {limit}", make, std::move(severities)};
}

/// `above` with `clear_below`, or its mirror image `below` with `clear_above`.
std::optional<Compiled> one_sided(const Node& options, bool above, Problems& problems) {
  const Node& limit_node = options[above ? "above" : "below"];
  const std::string_view clear_key = above ? "clear_below" : "clear_above";
  const Node& clear_node = options[clear_key];
  const Node& hysteresis_node = options["hysteresis"];
  const double sign = above ? 1 : -1;

  Quantities quantities({&limit_node, &clear_node, &hysteresis_node}, problems);
  const auto limit = quantities.point(limit_node);
  auto clear = limit;
  std::string condition = fmt::format("{} {}", above ? "above" : "below", limit_node.shown());
  if (options.has("hysteresis")) {
    const auto hysteresis = quantities.width(hysteresis_node, "hysteresis");
    clear = limit && hysteresis ? std::optional(rounded(*limit - sign * *hysteresis)) : std::nullopt;
    condition += fmt::format(", hysteresis {}", hysteresis_node.shown());
  }
  if (options.has(clear_key)) {
    clear = quantities.point(clear_node);
    condition += fmt::format(", clear {} {}", above ? "below" : "above", clear_node.shown());
    if (limit && clear && sign * (*clear - *limit) > 0) {
      problems.add(clear_node.at,
                   fmt::format("{} {} is on the wrong side of {} {}: the alert would clear while it is raised",
                               clear_key, clear_node.shown(), above ? "above" : "below", limit_node.shown()));
      return std::nullopt;
    }
  }
  if (!limit || !clear) return std::nullopt;

  Written written{{}, quantities.unit(), options.has(clear_key) && *clear != *limit};
  (above ? written.band.high : written.band.low) = *limit;
  (above ? written.band.clear_high : written.band.clear_low) = *clear;
  return band(std::move(condition), std::move(written));
}

std::optional<Compiled> outside(const Node& options, Problems& problems) {
  static const Node kNone = Node::refusal();
  const Node& range = options["outside"];
  const Node& hysteresis_node = options["hysteresis"];
  const bool two = range.items.size() == 2;
  if (!two && !range.refused) {
    problems.add(range.at, fmt::format("outside takes two limits, [low, high], not {}", range.items.size()));
  }
  const Node& low_node = two ? range.items[0] : kNone;
  const Node& high_node = two ? range.items[1] : kNone;
  Quantities quantities({&low_node, &high_node, &hysteresis_node}, problems);
  const auto low = quantities.point(low_node), high = quantities.point(high_node);
  const auto hysteresis = options.has("hysteresis") ? quantities.width(hysteresis_node, "hysteresis") : 0;
  if (low && high && !(*low < *high)) {
    problems.add(range.at, fmt::format("outside [{}, {}]: the lower limit comes first and must be the smaller one",
                                       low_node.shown(), high_node.shown()));
    return std::nullopt;
  }
  if (!low || !high || !hysteresis) return std::nullopt;
  const double clear_low = rounded(*low + *hysteresis), clear_high = rounded(*high - *hysteresis);
  if (clear_low > clear_high) {
    problems.add(hysteresis_node.at,
                 fmt::format("hysteresis {} leaves no value between {} and {} at which the alert could clear",
                             hysteresis_node.shown(), low_node.shown(), high_node.shown()));
    return std::nullopt;
  }
  std::string condition = fmt::format("outside {} to {}", low_node.shown(), high_node.shown());
  if (*hysteresis > 0) condition += fmt::format(", hysteresis {}", hysteresis_node.shown());
  return band(std::move(condition), {{*low, *high, clear_low, clear_high}, quantities.unit(), false});
}

/// The tests, and which of the other keys goes with each.
struct Test {
  std::string_view key;
  std::vector<std::string_view> with;
};
const std::array<Test, 4>& tests() {
  static const std::array<Test, 4> kTests{{{"above", {"clear_below", "hysteresis"}},
                                           {"below", {"clear_above", "hysteresis"}},
                                           {"outside", {"hysteresis"}},
                                           {"equals", {}}}};
  return kTests;
}

/// The one test that is written, or nothing and a problem.
const Test* only_test(const Node& options, Problems& problems) {
  const Test* only = nullptr;
  for (const Test& test : tests()) {
    if (!options.has(test.key)) continue;
    if (only != nullptr) {
      const bool range = only->key == "above" && test.key == "below";
      problems.add(options[test.key].at, fmt::format("threshold has both {} and {}: {}", only->key, test.key,
                                                     range ? "write outside: [low, high] for the two in one"
                                                           : "keep one, and write a second rule for the other"));
      return nullptr;
    }
    only = &test;
  }
  if (only == nullptr && !options.refused)
    problems.add(options.at, "threshold needs one of above, below, outside or equals");
  return only;
}

bool extras_fit(const Node& options, const Test& test, Problems& problems) {
  bool fit = true;
  for (const std::string_view extra : {"clear_below", "clear_above", "hysteresis"}) {
    if (!options.has(extra)) continue;
    if (std::find(test.with.begin(), test.with.end(), extra) != test.with.end()) continue;
    const std::string instead =
        test.with.empty() ? "leave it out" : fmt::format("here it is {}", fmt::join(test.with, " or "));
    problems.add(options[extra].at, fmt::format("{} does not go with {}: {}", extra, test.key, instead));
    fit = false;
  }
  const std::string_view clear = test.key == "above" ? "clear_below" : "clear_above";
  if (fit && options.has(clear) && options.has("hysteresis")) {
    problems.add(options["hysteresis"].at, fmt::format("{} and hysteresis say the same thing twice: keep one", clear));
    fit = false;
  }
  return fit;
}

std::optional<Compiled> compile_test(const Node& options, const Test& test, Problems& problems) {
  if (test.key == "outside") return outside(options, problems);
  if (options[test.key].kind == Node::Kind::map) return leveled(options, test.key == "above", problems);
  if (test.key != "equals") return one_sided(options, test.key == "above", problems);
  return options["equals"].refused ? std::nullopt : std::optional(equals(options["equals"]));
}

std::optional<Compiled> compile(const Node& options, Problems& problems) {
  const Test* test = only_test(options, problems);
  if (test == nullptr) return std::nullopt;
  const bool fit = extras_fit(options, *test, problems);
  auto compiled = compile_test(options, *test, problems);
  return fit ? std::move(compiled) : std::nullopt;
}

}  // namespace

Kind threshold_kind() {
  using config::Shape;
  const Shape limit = Shape::either({Shape::quantity(), Shape::map(Shape::quantity(), 4)});
  return {
      "threshold",
      "The value crosses a limit, with a dead band.",
      Shape::object(
          "Fires while the value is beyond a limit. Write one of above, below, outside, equals.",
          {config::optional(
               "above", limit,
               "Fires when the value is greater. Levels, {warning: 80, critical: 90}, make one alert that escalates."),
           config::optional(
               "below", limit,
               "Fires when the value is smaller. Levels, {warning: 10, critical: 5}, make one alert that escalates."),
           config::optional("outside", Shape::list(Shape::quantity(), 2),
                            "[low, high]: fires when the value is below low or above high."),
           config::optional("equals", Shape::text(),
                            "Fires while a state series has this state (or a boolean or number this value)."),
           config::optional("clear_below", Shape::quantity(),
                            "With above: clears only when the value is smaller than this."),
           config::optional("clear_above", Shape::quantity(),
                            "With below: clears only when the value is greater than this."),
           config::optional("hysteresis", Shape::quantity(), "Clears only when the value is back by this much.")}),
      compile,
      {.finds_values = true}};
}

}  // namespace tidegate::rules
