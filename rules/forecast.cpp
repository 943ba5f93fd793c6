#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "gateway/core/seconds.h"
#include "gateway/core/time_text.h"
#include "rules/counted.h"
#include "rules/kinds.h"
#include "rules/message.h"
#include "rules/quantities.h"
#include "rules/slope_window.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

struct Forecast {
  bool above = true;
  double limit = 0;
  std::string unit;
  Micros within{0}, clear_beyond{0}, from{0};
  std::size_t min_points = 3;
  double min_fit = 0;
};

/// How long until the line through the last samples is beyond the limit: 0 when it is, infinite when it goes the other
/// way.
template <class Window>
class ForecastDetector final : public Detector {
 public:
  explicit ForecastDetector(const Forecast& forecast) : forecast_(forecast), window_(forecast.from) {}

  Finding observe(const Sample& sample) override {
    window_.add(sample.time, sample.value);
    const double within = seconds(forecast_.within);
    const auto line = window_.line();
    if (!line) return {Verdict::hold, std::numeric_limits<double>::infinity(), within};
    const double left = time_left(*line);
    const bool is_enough = window_.count() >= forecast_.min_points && window_.span() * 2 >= forecast_.from;
    return {is_enough ? verdict(left, line->fit) : Verdict::hold, left, within};
  }

  Micros lookback() const override { return forecast_.from; }
  Basis basis(const std::string& unit) const override {
    Basis basis{forecast_.from, {{"samples", static_cast<double>(window_.count()), ""}}};
    if (const auto line = window_.line()) {
      basis.facts.push_back({"value on the line", line->value, unit});
      basis.facts.push_back({"slope", line->slope * 3600, unit + "/h"});
      basis.facts.push_back({"R²", line->fit, ""});
      if (way(*line) < 0) return basis;
      const auto band = window_.band(way(*line), speed(*line));
      if (band) basis.facts.push_back({std::string(kEarliest), band->earliest, "s"});
      if (band && std::isfinite(band->latest)) basis.facts.push_back({std::string(kLatest), band->latest, "s"});
    }
    return basis;
  }

 private:
  /// From the line to the limit, and how fast it gets there.
  double way(const Line& line) const {
    return forecast_.above ? forecast_.limit - line.value : line.value - forecast_.limit;
  }
  double speed(const Line& line) const { return forecast_.above ? line.slope : -line.slope; }
  double time_left(const Line& line) const {
    if (way(line) < 0) return 0;
    return speed(line) > 0 ? way(line) / speed(line) : std::numeric_limits<double>::infinity();
  }
  /// What is beyond the limit already needs no line that leads there.
  Verdict verdict(double left, double fit) const {
    if (left <= seconds(forecast_.within))
      return left == 0 || fit >= forecast_.min_fit ? Verdict::breach : Verdict::hold;
    return left > seconds(forecast_.clear_beyond) ? Verdict::clear : Verdict::hold;
  }

  const Forecast forecast_;  ///< its limit in the series' unit
  Window window_;
};

Result<Watch> fit(const Forecast& forecast, const Measured& info) {
  if (Status status = measures(info, "trend to go on with"); !status) return fail(std::move(status.error()));
  if (Status status = may_fall(info); !forecast.above && !status) return fail(std::move(status.error()));
  const auto limit = level_for(info, forecast.limit, forecast.unit, "limit");
  if (!limit) return fail(limit.error());
  Forecast fitted = forecast;
  fitted.limit = *limit;
  std::unique_ptr<Detector> detector;
  if (info.kind == SeriesKind::counter) {
    detector = std::make_unique<ForecastDetector<CountWindow>>(fitted);
  } else {
    detector = std::make_unique<ForecastDetector<SlopeWindow>>(fitted);
  }
  return Watch{std::move(detector), "s"};
}

/// Half as long again as `within`, where it is not written.
std::optional<Micros> clear_beyond(const Node& options, Problems& problems) {
  if (options["within"].refused || options["clear_beyond"].refused) return std::nullopt;
  const Micros within = options.duration("within");
  if (!options.has("clear_beyond")) return within + within / 2;
  const Micros written = options.duration("clear_beyond");
  if (written >= within) return written;
  problems.add(options["clear_beyond"].at,
               fmt::format("clear_beyond {} is shorter than within {}: the alert would clear while it is raised",
                           options["clear_beyond"].shown(), options["within"].shown()));
  return std::nullopt;
}

std::optional<Compiled> compile(const Node& options, Problems& problems) {
  const auto side =
      only_key(options, "forecast", {"above", "below"}, ": the limit that the values may not reach", problems);
  const auto beyond = clear_beyond(options, problems);
  if (!side) return std::nullopt;
  const Node& limit_node = options[*side];
  Quantities quantities({&limit_node}, problems);
  const auto limit = quantities.point(limit_node);
  if (!limit || !beyond || !options.sound()) return std::nullopt;
  Forecast forecast{*side == "above",
                    *limit,
                    quantities.unit(),
                    options.duration("within"),
                    *beyond,
                    options.duration("from"),
                    static_cast<std::size_t>(options.integer("min_points")),
                    options.number("min_fit")};
  const std::string where = fmt::format("{} {}", *side, limit_node.shown());
  // In the message, which is a template.
  const bool may_be_told = !limit_node.secret && where.find_first_of("{}") == std::string::npos;
  return Compiled{fmt::format("{} within {}, by the trend of the last {}", where, age_text(forecast.within),
                              age_text(forecast.from)),
                  fmt::format("{{series}} will be {} in {{left}}", may_be_told ? where : "beyond its limit"),
                  [forecast = std::move(forecast)](const Measured& info, const std::vector<std::string>&) {
                    return fit(forecast, info);
                  }};
}

}  // namespace

Kind forecast_kind() {
  using config::Shape;
  const Shape horizon = Shape::duration(std::chrono::seconds(1), std::chrono::days(400));
  return {
      "forecast",
      "The trend leads beyond a limit.",
      Shape::object(
          "Fires while the line through the last samples leads beyond a limit within a time. Write one of above, "
          "below.",
          {config::optional("above", Shape::quantity(), "Fires when the values will be greater: \"95 %\"."),
           config::optional("below", Shape::quantity(), "Fires when the values will be smaller."),
           config::required("within", horizon, "How far it looks ahead."),
           config::required("from", Shape::duration(std::chrono::seconds(1), std::chrono::days(90)),
                            "The window through whose samples the line goes."),
           config::optional("clear_beyond", horizon,
                            "Clears only when the limit is further away than this; half as long again as within where "
                            "it is not written."),
           config::defaulted("min_points", Shape::integer(2, 10'000), "3", "Fewer samples in the window say nothing."),
           config::defaulted("min_fit", Shape::number(0, 1), "0",
                             "Raises only where the line explains so much of the values' variance (R²).")}),
      compile,
      {.time_name = "left"}};
}

}  // namespace tidegate::rules
