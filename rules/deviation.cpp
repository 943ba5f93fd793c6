#include <fmt/format.h>

#include <array>
#include <cmath>

#include "gateway/core/time_text.h"
#include "rules/kinds.h"
#include "rules/mean.h"
#include "rules/quantities.h"
#include "rules/rank_window.h"
#include "rules/sliding_window.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

struct Deviation {
  bool in_sigmas = true;  ///< else in percent of what is usual
  double limit = 0, clear = 0;
  double at_least = 0;  ///< in `unit`; a smaller distance is none
  std::string unit;
  Micros over{0};
  std::size_t min_points = 30;
};

/// What is usual: the middle of the samples before this one, and how far they are from it.
struct Usual {
  double middle, sigma;
  std::array<const char*, 2> names{"mean", "standard deviation"};
};

/// Mean and standard deviation.
Usual usual(const SlidingWindow<Mean>& window) {
  const Mean all = window.all();
  return {all.first_value + all.mean_value, std::sqrt(all.vv / all.count)};
}

/// Median and MAD, which the outliers themselves do not move. 1.4826 makes of the MAD what is the standard deviation of
/// a normal distribution.
Usual usual(const RankWindow& window) {
  const double median = window.median();
  return {median, 1.4826 * window.median_distance(median), {"median", "1.4826 MAD"}};
}

/// Judges each sample by those before it, then takes it in.
template <class Window>
class DeviationDetector final : public Detector {
 public:
  explicit DeviationDetector(const Deviation& deviation) : deviation_(deviation), window_(deviation.over) {}

  Finding observe(const Sample& sample) override {
    window_.expire(sample.time);
    Finding found{Verdict::hold, 0, deviation_.limit};
    if (window_.count() >= deviation_.min_points && window_.span() * 2 >= deviation_.over) judge(sample.value, found);
    window_.add(sample.time, sample.value);
    return found;
  }

  Micros lookback() const override { return deviation_.over; }
  Basis basis(const std::string& unit) const override {
    return {deviation_.over,
            {{"samples", static_cast<double>(window_.count()), ""},
             {usual_.names[0], usual_.middle, unit},
             {usual_.names[1], usual_.sigma, unit}}};
  }

 private:
  void judge(double value, Finding& found) {
    usual_ = usual(window_);
    const double distance = value - usual_.middle;
    const double unit = deviation_.in_sigmas ? usual_.sigma : std::abs(usual_.middle) / 100;
    found.value = distance == 0 ? 0 : distance / unit;
    const double size = std::abs(found.value);
    const bool counts = std::abs(distance) > deviation_.at_least;
    if (counts && size > deviation_.limit) {
      found.verdict = Verdict::breach;
    } else if (size < deviation_.clear || !counts) {
      found.verdict = Verdict::clear;
    }
  }

  const Deviation deviation_;  ///< at_least in the series' unit
  Window window_;
  Usual usual_{};  ///< by which the newest sample was judged
};

Result<Watch> fit(const Deviation& deviation, bool is_robust, const SeriesInfo& info) {
  if (Status status = measures(info, "size"); !status) return fail(std::move(status.error()));
  if (info.kind == SeriesKind::counter) {
    return fail(Errc::invalid, "it is a counter, which is never where it was: use trend or change");
  }
  const auto at_least = difference_for(info, deviation.at_least, deviation.unit, "at_least");
  if (!at_least) return fail(at_least.error());
  Deviation fitted = deviation;
  fitted.at_least = *at_least;
  std::unique_ptr<Detector> detector;
  if (is_robust) {
    detector = std::make_unique<DeviationDetector<RankWindow>>(fitted);
  } else {
    detector = std::make_unique<DeviationDetector<SlidingWindow<Mean>>>(fitted);
  }
  return Watch{std::move(detector), fitted.in_sigmas ? "σ" : "%"};
}

/// Half of the limit where none is written.
std::optional<double> clear_level(const Node& options, const Node& limit, Problems& problems) {
  if (limit.refused || options["clear_below"].refused) return std::nullopt;
  if (!options.has("clear_below")) return limit.number() / 2;
  const double written = options.number("clear_below");
  if (written <= limit.number()) return written;
  problems.add(options["clear_below"].at,
               fmt::format("clear_below {} is above the limit: the alert would clear while it "
                           "is raised",
                           options["clear_below"].shown()));
  return std::nullopt;
}

/// A robust rule must not wait for more samples than its window keeps.
bool can_come(const Node& options, Problems& problems) {
  const Node& points = options["min_points"];
  if (points.refused || options["robust"].refused || !options.boolean("robust")) return true;
  if (options.integer("min_points") <= std::int64_t{RankWindow::kSureSamples}) return true;
  problems.add(points.at,
               fmt::format("min_points {} is more than a robust window keeps of many samples: write {} or less",
                           points.shown(), RankWindow::kSureSamples));
  return false;
}

std::optional<Compiled> compile(const Node& options, Problems& problems) {
  const auto measure = only_key(options, "deviation", {"sigmas", "percent"}, "", problems);
  const Node& least_node = options["at_least"];
  Quantities quantities({&least_node}, problems);
  const auto at_least = quantities.width(least_node, "at_least");
  const auto clear = measure ? clear_level(options, options[*measure], problems) : std::nullopt;
  const bool is_possible = can_come(options, problems);
  if (!clear || !at_least || !is_possible || !options.sound()) return std::nullopt;
  const Node& limit = options[*measure];
  const bool in_sigmas = *measure == "sigmas", is_robust = options.boolean("robust");
  Deviation deviation{in_sigmas,
                      limit.number(),
                      *clear,
                      *at_least,
                      quantities.unit(),
                      options.duration("over"),
                      static_cast<std::size_t>(options.integer("min_points"))};
  std::string condition =
      fmt::format("further than {} {} from the {} of the last {}", limit.shown(),
                  in_sigmas ? "standard deviations" : "%", is_robust ? "median" : "average", age_text(deviation.over));
  if (deviation.at_least > 0) condition += fmt::format(", and than {}", least_node.shown());
  return Compiled{
      std::move(condition), "{series} is off its usual level by {value} {unit}, limit {limit}",
      [deviation = std::move(deviation), is_robust](const SeriesInfo& info, const std::vector<std::string>&) {
        return fit(deviation, is_robust, info);
      }};
}

}  // namespace

Kind deviation_kind() {
  using config::Shape;
  return {
      "deviation", "The value is far from what is usual.",
      Shape::object(
          "Fires while a value is far from the average of those before it. Write one of sigmas, percent.",
          {config::optional("sigmas", Shape::number(0.1, 1000),
                            "Fires when it is further away, in standard deviations."),
           config::optional("percent", Shape::number(0.1, 1e6), "Fires when it is further away, in % of the average."),
           config::required("over", Shape::duration(std::chrono::seconds(1), std::chrono::days(90)),
                            "The window in which that is usual that it is compared with."),
           config::defaulted("robust", Shape::boolean(), "false",
                             "true: median and median distance, which outliers do not move."),
           config::defaulted("at_least", Shape::quantity(), "0",
                             "A smaller distance is none, however rare it is: \"0.5 °C\"."),
           config::optional("clear_below", Shape::number(0.01, 1e6),
                            "Clears only when it is less far away; half of the limit where it is not written."),
           config::defaulted("min_points", Shape::integer(2, 10'000), "30",
                             "Fewer samples in the window say nothing; at most 1000 with robust.")}),
      compile};
}

}  // namespace tidegate::rules
