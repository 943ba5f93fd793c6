#include "rules/change_rate.h"

#include <fmt/format.h>

#include "gateway/core/time_text.h"
#include "rules/counted.h"
#include "rules/quantities.h"
#include "rules/rates.h"
#include "rules/sliding_window.h"

namespace tidegate::rules {
namespace {

using config::Node;
using config::Problems;

/// In the rule's own unit per its own time.
struct RateLimit {
  bool above = true;
  double limit = 0;
  double clear = 0;
  RateUnit unit;
  std::optional<Micros> within;  ///< none: from one sample to the next
};

/// The first and the last of samples in a row.
struct Ends {
  Timestamp first_time{}, last_time{};
  double first = 0, last = 0;
  double count = 0;

  static Ends of(Timestamp time, double value) { return {time, time, value, value, 1}; }
};

inline Ends merged(const Ends& early, const Ends& late) {
  if (early.count == 0) return late;
  if (late.count == 0) return early;
  return {early.first_time, late.last_time, early.first, late.last, early.count + late.count};
}

double more(const SlidingWindow<Ends>& window) { return window.all().last - window.all().first; }
double more(const CountWindow& window) { return window.counted(); }

/// How fast the value rises, from the first sample of the window to the newest.
template <class Window>
class RateDetector final : public Detector {
 public:
  RateDetector(const RateLimit& limit, double scale)
      : limit_(limit), scale_(scale), window_(limit.within.value_or(kLongest)) {}

  Finding observe(const Sample& sample) override {
    window_.add(sample.time, sample.value);
    if (!limit_.within) window_.keep(2);
    const double time = static_cast<double>(window_.span().count()) * 1e-6;
    if (!(time > 0)) return {Verdict::hold, 0, limit_.limit};
    const double rate = more(window_) / time * scale_;
    const bool is_enough = window_.span() * 2 >= limit_.within.value_or(Micros{0});
    return {is_enough ? verdict(rate) : Verdict::hold, rate, limit_.limit};
  }

  /// The newest sample of a series it is told in any case.
  Micros lookback() const override { return limit_.within.value_or(Micros{0}); }
  Basis basis(const std::string& unit) const override {
    const double time = static_cast<double>(window_.span().count()) * 1e-6;
    return {
        limit_.within.value_or(window_.span()),
        {{"samples", static_cast<double>(window_.count()), ""}, {"change", more(window_), unit}, {"in", time, "s"}}};
  }

 private:
  static constexpr Micros kLongest = std::chrono::days(400);

  Verdict verdict(double rate) const {
    const double beyond = limit_.above ? rate - limit_.limit : limit_.limit - rate;
    const double back = limit_.above ? limit_.clear - rate : rate - limit_.clear;
    if (beyond > 0) return Verdict::breach;
    return back > 0 ? Verdict::clear : Verdict::hold;
  }

  const RateLimit limit_;
  double scale_;  ///< from the series' unit per second to the rule's unit per its time
  Window window_;
};

Result<Watch> fit(const RateLimit& limit, const SeriesInfo& info) {
  if (Status status = measures(info, "rate; use count"); !status) return fail(std::move(status.error()));
  const auto factor = difference_for(info, 1, limit.unit.unit, "rate");
  if (!factor) return fail(factor.error());
  const double scale = limit.unit.seconds / *factor;
  std::unique_ptr<Detector> detector;
  if (info.kind == SeriesKind::counter) {
    detector = std::make_unique<RateDetector<CountWindow>>(limit, scale);
  } else {
    detector = std::make_unique<RateDetector<SlidingWindow<Ends>>>(limit, scale);
  }
  return Watch{std::move(detector), (limit.unit.unit.empty() ? info.unit : limit.unit.unit) + '/' + limit.unit.per};
}

/// Half as much as the limit, or half as much again, where it is not written.
std::optional<double> clear_rate(const Node& options, std::string_view key, const std::optional<Rate>& limit,
                                 Problems& problems) {
  const bool above = key == "rate_above";
  const std::string_view clear_key = above ? "clear_below" : "clear_above";
  if (!options.has(clear_key)) return limit ? std::optional(limit->value * (above ? 0.5 : 1.5)) : std::nullopt;
  const Node& node = options[clear_key];
  const auto clear = read_rate_like(limit, options[key], node, problems);
  if (!clear || (above ? *clear <= limit->value : *clear >= limit->value)) return clear;
  problems.add(node.at, fmt::format("{} {} is beyond {} {}: the alert would clear while it is raised", clear_key,
                                    node.shown(), key, options[key].shown()));
  return std::nullopt;
}

}  // namespace

std::optional<Compiled> compile_change_rate(const Node& options, std::string_view key, Problems& problems) {
  const bool above = key == "rate_above";
  const Node& limit_node = options[key];
  const auto limit = read_rate(limit_node, problems);
  const auto clear = clear_rate(options, key, limit, problems);
  if (!limit || !clear || !options.sound()) return std::nullopt;
  if (!(limit->value > 0)) {
    problems.add(limit_node.at, fmt::format("{} {} is not above 0: for what falls take trend: {{falling: ...}}", key,
                                            limit_node.shown()));
    return std::nullopt;
  }
  RateLimit fitted{above, limit->value, *clear, limit->unit, std::nullopt};
  if (options.has("within")) fitted.within = options.duration("within");
  const std::string where =
      fitted.within ? fmt::format("within {}", age_text(*fitted.within)) : "from one sample to the next";
  return Compiled{fmt::format("rises {} than {} {}", above ? "faster" : "more slowly", limit_node.shown(), where),
                  "{series} rises by {value} {unit}, limit {limit}",
                  [fitted = std::move(fitted)](const SeriesInfo& info, const std::vector<std::string>&) {
                    return fit(fitted, info);
                  }};
}

}  // namespace tidegate::rules
