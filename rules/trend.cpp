#include <fmt/format.h>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "rules/counted.h"
#include "rules/kinds.h"
#include "rules/quantities.h"
#include "rules/rates.h"
#include "rules/robust_slope.h"
#include "rules/slope_window.h"
#include "rules/units.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

/// In the rule's own unit per its own time, upwards in the direction that it watches.
struct Trend {
  bool rising = true;
  double limit = 0;
  double clear = 0;
  Micros over{0};
  std::size_t min_points = 3;
  double min_fit = 0;
  bool robust = false;
  std::string unit;  ///< "°C"; empty: the series' own
  std::string per;   ///< "min"
  double seconds = 1;
};

/// Least-squares slope over the window. Fewer than `min_points` samples, or samples over less than half of the window:
/// hold, because two readings a second apart say nothing of the next hour.
template <class Window>
class TrendDetector final : public Detector {
 public:
  TrendDetector(const Trend& trend, double scale)
      : window_(trend.over),
        scale_(scale),
        limit_(trend.limit),
        clear_(trend.clear),
        over_(trend.over),
        min_points_(trend.min_points),
        min_fit_(trend.min_fit) {}

  Finding observe(const Sample& sample) override {
    window_.add(sample.time, sample.value);
    const auto line = window_.line();
    if (!line) return {Verdict::hold, 0, limit_};
    const double rate = line->slope * scale_;
    const bool is_enough = window_.count() >= min_points_ && window_.span() * 2 >= over_;
    return {is_enough ? verdict(rate, line->fit) : Verdict::hold, rate, limit_};
  }

  Micros lookback() const override { return over_; }
  Basis basis(const std::string&) const override {
    const auto line = window_.line();
    return {over_, {{"samples", static_cast<double>(window_.count()), ""}, {"R²", line ? line->fit : 0, ""}}};
  }

 private:
  /// Noise has a slope too, but no line that it lies on; when it is flat, nobody asks.
  Verdict verdict(double rate, double fit) const {
    if (rate > limit_) return fit >= min_fit_ ? Verdict::breach : Verdict::hold;
    return rate < clear_ ? Verdict::clear : Verdict::hold;
  }

  Window window_;
  double scale_;  ///< from the series' unit per second to the rule's unit per its time, in its direction
  double limit_, clear_;
  Micros over_;
  std::size_t min_points_;
  double min_fit_;
};

/// The median of the slopes between any two samples; else as TrendDetector.
class RobustTrendDetector final : public Detector {
 public:
  RobustTrendDetector(const Trend& trend, double scale)
      : window_(trend.over),
        scale_(scale),
        limit_(trend.limit),
        clear_(trend.clear),
        over_(trend.over),
        min_points_(trend.min_points) {}

  Finding observe(const Sample& sample) override {
    window_.add(sample.time, sample.value);
    const auto slope = window_.slope();
    if (!slope) return {Verdict::hold, 0, limit_};
    const double rate = *slope * scale_;
    const bool is_enough = window_.count() >= min_points_ && window_.span() * 2 >= over_;
    if (!is_enough) return {Verdict::hold, rate, limit_};
    const Verdict low = rate < clear_ ? Verdict::clear : Verdict::hold;
    return {rate > limit_ ? Verdict::breach : low, rate, limit_};
  }

  Micros lookback() const override { return RobustSlopeWindow::lookback(over_); }
  Basis basis(const std::string&) const override {
    return {over_, {{"samples", static_cast<double>(window_.count()), ""}}};
  }

 private:
  RobustSlopeWindow window_;
  double scale_;  ///< as that of TrendDetector
  double limit_, clear_;
  Micros over_;
  std::size_t min_points_;
};

Result<Watch> fit(const Trend& trend, const SeriesInfo& info) {
  if (Status status = measures(info, "slope"); !status) return fail(std::move(status.error()));
  if (Status status = may_fall(info); !trend.rising && !status) return fail(std::move(status.error()));
  const auto factor = difference_for(info, 1, trend.unit, "rate");
  if (!factor) return fail(factor.error());
  const double scale = trend.seconds / *factor * (trend.rising ? 1 : -1);
  std::unique_ptr<Detector> detector;
  if (trend.robust) {
    if (info.kind == SeriesKind::counter)
      return fail(Errc::invalid, "it is a counter, whose outlier is a restart: leave robust out");
    detector = std::make_unique<RobustTrendDetector>(trend, scale);
  } else if (info.kind == SeriesKind::counter) {
    detector = std::make_unique<TrendDetector<CountWindow>>(trend, scale);
  } else {
    detector = std::make_unique<TrendDetector<SlopeWindow>>(trend, scale);
  }
  return Watch{std::move(detector), (trend.unit.empty() ? info.unit : trend.unit) + '/' + trend.per};
}

/// The rate that raises; it has no sign.
std::optional<Rate> limit_rate(const Node& node, std::string_view direction, Problems& problems) {
  const auto limit = read_rate(node, problems);
  if (!limit || limit->value > 0) return limit;
  problems.add(
      node.at,
      fmt::format("{} {} is not above 0: the direction is in the word; for the other one write {} with a positive rate",
                  direction, node.shown(), direction == "rising" ? "falling" : "rising"));
  return std::nullopt;
}

/// The clear level in the unit and time of the limit; half of the limit where none is written.
std::optional<double> clear_level(const Node& options, const Node& limit_node, const std::optional<Rate>& limit,
                                  Problems& problems) {
  if (!options.has("clear_below")) return limit ? std::optional(limit->value / 2) : std::nullopt;
  const Node& node = options["clear_below"];
  const auto level = read_rate_like(limit, limit_node, node, problems);
  if (level && *level > limit->value) {
    problems.add(node.at, fmt::format("clear_below {} is above the limit: the alert would clear while it is raised",
                                      node.shown()));
    return std::nullopt;
  }
  return level;
}

/// Of the median of slopes there is no R², and it must not wait for more samples than count.
bool robust_fits(const Node& options, Problems& problems) {
  if (options["robust"].refused || !options.boolean("robust")) return true;
  const Node &points = options["min_points"], &fit = options["min_fit"];
  if (!fit.is_default) {
    problems.add(fit.at, "min_fit is of the least-squares line, and robust takes none: leave one of them out");
    return false;
  }
  if (points.refused || options.integer("min_points") <= std::int64_t{RobustSlopeWindow::kSureSamples}) return true;
  problems.add(points.at, fmt::format("min_points {} is more than count with robust: write {} or less", points.shown(),
                                      RobustSlopeWindow::kSureSamples));
  return false;
}

std::optional<Compiled> compile(const Node& options, Problems& problems) {
  const auto direction = only_key(options, "trend", {"rising", "falling"}, "", problems);
  if (!direction) return std::nullopt;
  const Node& limit_node = options[*direction];
  const auto limit = limit_rate(limit_node, *direction, problems);
  const auto clear = clear_level(options, limit_node, limit, problems);
  const bool is_possible = robust_fits(options, problems);
  if (!limit || !clear || !is_possible || !options.sound()) return std::nullopt;
  Trend trend{*direction == "rising",
              limit->value,
              *clear,
              options.duration("over"),
              static_cast<std::size_t>(options.integer("min_points")),
              options.number("min_fit"),
              options.boolean("robust"),
              limit->unit.unit,
              limit->unit.per,
              limit->unit.seconds};
  return Compiled{
      fmt::format("{} faster than {} over {}{}", *direction, limit_node.shown(), age_text(trend.over),
                  trend.robust ? ", by the median of slopes" : ""),
      fmt::format("{{series}} is {} by {{value}} {{unit}}, limit {{limit}}", *direction),
      [trend = std::move(trend)](const SeriesInfo& info, const std::vector<std::string>&) { return fit(trend, info); }};
}

}  // namespace

Kind trend_kind() {
  using config::Shape;
  return {
      "trend", "The slope of a line through the last samples.",
      Shape::object(
          "Fires while the slope over a window is beyond a rate. Write one of rising, falling.",
          {config::optional("rising", Shape::quantity(), "Fires when the value rises faster: \"2 °C/min\"."),
           config::optional("falling", Shape::quantity(), "Fires when the value falls faster: \"5 %/h\"."),
           config::required("over", Shape::duration(std::chrono::seconds(1), std::chrono::days(90)),
                            "The window of the slope."),
           config::defaulted("robust", Shape::boolean(), "false",
                             "true: the median of the slopes between any two samples, which outliers do not move, in "
                             "the place of the least-squares slope."),
           config::defaulted("min_points", Shape::integer(2, 10'000), "3",
                             "Fewer samples in the window say nothing; at most 100 with robust."),
           config::defaulted(
               "min_fit", Shape::number(0, 1), "0",
               "Raises only where the line explains so much of the values' variance (R²): 0.8 keeps noise "
               "quiet."),
           config::optional("clear_below", Shape::quantity(),
                            "Clears only when the rate in that direction is smaller than this; half of the limit where "
                            "it is not written.")}),
      compile};
}

}  // namespace tidegate::rules
