#include <fmt/format.h>

#include <cmath>
#include <string>

#include "gateway/core/time_text.h"
#include "rules/kinds.h"
#include "rules/mean.h"
#include "rules/quantities.h"
#include "rules/ring.h"
#include "rules/sliding_window.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

/// How far it went up, and down.
struct Sides {
  double up, down;
};

/// Of distances in a row the largest sum of those from any of them to the last, which is what a CUSUM that starts anew
/// at 0 has come to (E. S. Page, *Continuous Inspection Schemes*, 1954). As a summary it slides; of none all is 0.
struct Cusum {
  Sides sum{}, best{};
};
inline Cusum merged(const Cusum& early, const Cusum& late) {
  return {
      {early.sum.up + late.sum.up, early.sum.down + late.sum.down},
      {std::max(late.best.up, early.best.up + late.sum.up), std::max(late.best.down, early.best.down + late.sum.down)}};
}

/// Of distances in a row the mean with weights that fall off into the past (S. W. Roberts, *Control Chart Tests Based
/// on Geometric Moving Averages*, 1959).
struct Ewma {
  static constexpr double kWeight = 0.02;
  double count = 0, mean = 0;
};
inline Ewma merged(const Ewma& early, const Ewma& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  return {early.count + late.count, late.mean + early.mean * std::pow(1 - Ewma::kWeight, late.count)};
}

/// Samples in a row, and what came together of the distances of those that were judged.
template <class Chart>
struct Together : Mean {
  typename Chart::Run chart{};
};
template <class Chart>
inline Together<Chart> merged(const Together<Chart>& early, const Together<Chart>& late) {
  return {merged(static_cast<const Mean&>(early), static_cast<const Mean&>(late)), merged(early.chart, late.chart)};
}

/// The largest of what came in `t - width < time <= t - delay`: what is only beginning is no measure of itself. Kept
/// are the peaks that nothing later reaches, which are few.
class PastLargest {
 public:
  PastLargest(Micros width, Micros delay) : width_(width), delay_(delay) {}

  void add(Timestamp time, double size) {
    now_ = time;
    if (points_.size() > past_ && time - newest_ < delay_ / 4096) {
      points_.back().size = std::max(points_.back().size, size);
    } else {
      if (points_.is_full()) drop_early();
      points_.push_back({time, size});
      newest_ = time;
    }
    for (; points_[past_].time <= time - delay_; ++past_) take(points_[past_]);
    if (largest_.time <= time - width_) drop_peaks();
  }
  /// Do the first and the last of them lie so far apart as `delay`?
  bool is_long() {
    if (early_ <= now_ - width_) drop_early();
    return early_ > now_ - width_;
  }
  double largest() const { return largest_.size; }

 private:
  struct Point {
    Timestamp time;
    double size;
  };

  void take(Point point) {
    while (!peaks_.empty() && peaks_.back().size <= point.size) peaks_.pop_back();
    if (peaks_.size() >= kMostPeaks) peaks_.pop_back();  // where they only fall: the lowest but one
    peaks_.push_back(point);
    if (peaks_.size() == 1) largest_ = point;
  }
  void drop_peaks() {
    while (!peaks_.empty() && peaks_.front().time <= now_ - width_) peaks_.pop_front();
    largest_ = peaks_.empty() ? kNone : peaks_.front();
  }
  /// Those that are older than the newest past one by `delay` are all alike: one of them shows that the past is long.
  void drop_early() {
    if (past_ == 0) return;
    const Timestamp edge = points_[past_ - 1].time - delay_;
    for (; points_.front().time <= edge; points_.pop_front(), --past_) early_ = points_.front().time;
  }

  static constexpr std::size_t kMostPeaks = 8192;
  static constexpr Point kNone{Timestamp::max(), 0};

  Micros width_, delay_;
  Ring<Point> points_;     ///< of the last `delay`, and of that before the newest that is past; and perhaps older ones
  std::size_t past_ = 0;   ///< so many of them are past
  Ring<Point> peaks_;      ///< of those that are past, each lower than the one before
  Point largest_ = kNone;  ///< the first of the peaks, which each sample asks for
  Timestamp newest_{};     ///< of the points
  Timestamp now_{};
  Timestamp early_ = Timestamp::min();  ///< one that is older than the newest past one by `delay`
};

struct Shift {
  double sigmas = 1;
  Micros over{0};
};

/// So many windows of the past say how large the series' own swings are.
constexpr int kPast = 7;
/// An outlier is no shift: none counts for more deviations.
constexpr double kMost = 3;

/// A chart: what it makes of a sample's distance from the mean, and what has come together, in standard deviations.
struct CusumChart {
  using Run = Cusum;
  static constexpr double kLimit = 5, kBeyondPast = 2;
  static Run part(double distance, double allowed) {
    const Sides sum{distance - allowed, -distance - allowed};
    return {sum, {std::max(sum.up, 0.0), std::max(sum.down, 0.0)}};
  }
  static Run of(double distance, double sigma, double sigmas) { return part(distance / sigma, sigmas / 2); }
  static Sides read(const Run& run, double) { return run.best; }
};
/// Sums distances up as they are (D. V. Hinkley, *Inference About the Change-Point from Cumulative Sum Tests*, 1971).
struct PageHinkleyChart : CusumChart {
  static Run of(double distance, double sigma, double sigmas) { return part(distance, sigmas / 2 * sigma); }
  static Sides read(const Run& run, double sigma) { return {run.best.up / sigma, run.best.down / sigma}; }
};
struct EwmaChart {
  using Run = Ewma;
  static constexpr double kLimit = 3, kBeyondPast = 1.5;
  static Run of(double distance, double sigma, double) { return {1, Ewma::kWeight * distance / sigma}; }
  /// In standard deviations of such a mean.
  static Sides read(const Run& run, double) {
    const double size = run.mean / std::sqrt(Ewma::kWeight / (2 - Ewma::kWeight));
    return {std::max(size, 0.0), std::max(-size, 0.0)};
  }
};

template <class Chart>
class ShiftDetector final : public Detector {
 public:
  explicit ShiftDetector(const Shift& shift)
      : window_(shift.over), past_(shift.over * (kPast + 1), shift.over), shift_(shift) {}

  Finding observe(const Sample& sample) override {
    window_.expire(sample.time);
    Finding found{Verdict::hold, 0, Chart::kLimit};
    const bool is_enough = window_.count() >= kLeastSamples && window_.span() * 2 >= shift_.over;
    const auto distance = is_enough ? distance_of(sample.value) : std::nullopt;
    window_.add({Mean::of(sample.time, sample.value),
                 distance ? Chart::of(*distance, sigma_, shift_.sigmas) : typename Chart::Run{}});
    if (distance) judge(sample.time, found);
    return found;
  }

  /// The deviations of a sample, the sums over them, and the past of these.
  Micros lookback() const override { return shift_.over * (kPast + 3); }
  Basis basis(const std::string& unit) const override {
    return {shift_.over,
            {{"samples", static_cast<double>(window_.count()), ""},
             {"mean", mean_, unit},
             {"standard deviation", sigma_, unit}}};
  }

 private:
  static constexpr std::size_t kLeastSamples = 30;

  /// From the mean of those before it; nothing where they left a double's range.
  std::optional<double> distance_of(double value) {
    const Mean all = window_.all();
    mean_ = all.first_value + all.mean_value;
    sigma_ = std::sqrt(all.vv / all.count) + 1e-12 * std::abs(mean_) + 1e-300;
    const double most = kMost * sigma_;
    if (!(most - most == 0)) return std::nullopt;
    return std::clamp(value - mean_, -most, most);
  }

  void judge(Timestamp now, Finding& found) {
    const auto [up, down] = Chart::read(window_.all().chart, sigma_);
    const double size = std::max(up, down);
    past_.add(now, size);
    if (!past_.is_long()) return;
    found.limit = std::max(Chart::kLimit, Chart::kBeyondPast * past_.largest());
    found.value = up >= down ? up : -down;
    if (size > found.limit) {
      found.verdict = Verdict::breach;
    } else if (size < found.limit / 2) {
      found.verdict = Verdict::clear;
    }
  }

  SlidingWindow<Together<Chart>> window_;
  PastLargest past_;
  double mean_ = 0, sigma_ = 0;  ///< by which the newest sample was judged
  const Shift shift_;
};

std::unique_ptr<Detector> detector_of(const Shift& shift, const std::string& method) {
  if (method == "ewma") return std::make_unique<ShiftDetector<EwmaChart>>(shift);
  if (method == "page_hinkley") return std::make_unique<ShiftDetector<PageHinkleyChart>>(shift);
  return std::make_unique<ShiftDetector<CusumChart>>(shift);
}

Result<Watch> fit(const Shift& shift, const std::string& method, const SeriesInfo& info) {
  if (Status status = measures(info, "size"); !status) return fail(std::move(status.error()));
  if (info.kind == SeriesKind::counter) {
    return fail(Errc::invalid, "it is a counter, which is never where it was: use trend or change");
  }
  return Watch{detector_of(shift, method), "σ"};
}

std::optional<Compiled> compile(const Node& options, Problems&) {
  if (!options.sound()) return std::nullopt;
  const Shift shift{options.number("sigmas"), options.duration("over")};
  std::string condition = fmt::format("a lasting shift by {} σ from the average of the last {} ({})",
                                      options["sigmas"].shown(), age_text(shift.over), options["method"].shown());
  return Compiled{std::move(condition), "{series} has shifted: sum {value} {unit}, limit {limit}",
                  [shift, method = options.string("method")](const SeriesInfo& info, const std::vector<std::string>&) {
                    return fit(shift, method, info);
                  }};
}

}  // namespace

Kind shift_kind() {
  using config::Shape;
  return {"shift", "The mean has shifted by a little, lastingly.",
          Shape::object(
              "Fires when many small distances in one direction have come together which noise would not have made.",
              {config::defaulted("sigmas", Shape::number(0.1, 5), "1",
                                 "The shift to find soonest, in standard deviations; half of it is allowed for."),
               config::defaulted(
                   "method", Shape::choice({"cusum", "page_hinkley", "ewma"}), "cusum",
                   "How distances come together: summed up in standard deviations, summed up as they are, or averaged "
                   "with weights that fall off."),
               config::defaulted(
                   "over", Shape::duration(std::chrono::seconds(1), std::chrono::days(7)), "1d",
                   "The window whose average is the usual level; whole days where there is a daily season.")}),
          compile};
}

}  // namespace tidegate::rules
