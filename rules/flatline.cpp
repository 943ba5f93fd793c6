#include <fmt/format.h>

#include "gateway/core/time_text.h"
#include "rules/kinds.h"
#include "rules/quantities.h"
#include "rules/sliding_window.h"
#include "rules/spread.h"

namespace tidegate::rules {
namespace {

/// A sensor that is stuck. Samples at `t - for` and `t`, and none of those between further than half of `for` from the
/// next, must all lie within the tolerance: what was not looked at may have moved.
class FlatlineDetector final : public Detector {
 public:
  FlatlineDetector(Micros patience, double tolerance)
      : window_(patience, patience / 2), patience_(patience), tolerance_(tolerance) {}

  Finding observe(const Sample& sample) override {
    window_.add(sample.time, sample.value);
    return {verdict(window_.all()), sample.value, tolerance_};
  }

  Micros lookback() const override { return patience_ + patience_ / 2; }
  Basis basis(const std::string& unit) const override {
    const Spread seen = window_.all();
    return {patience_, {{"samples", seen.count, ""}, {"smallest", seen.min, unit}, {"largest", seen.max, unit}}};
  }

 private:
  Verdict verdict(const Spread& seen) const {
    if (!(seen.max - seen.min <= tolerance_)) return Verdict::clear;
    const bool whole = seen.last_time - seen.first_time >= patience_ && seen.widest_gap <= patience_ / 2;
    return whole ? Verdict::breach : Verdict::hold;
  }

  SlidingWindow<Spread> window_;
  Micros patience_;
  double tolerance_;
};

struct Flatline {
  Micros patience{0};
  double tolerance = 0;
  std::string unit;
};

Result<Watch> fit(const Flatline& flatline, const SeriesInfo& info) {
  if (flatline.tolerance > 0) {
    if (Status status = measures(info, "size: leave tolerance out"); !status) return fail(std::move(status.error()));
  }
  const auto tolerance = difference_for(info, flatline.tolerance, flatline.unit, "tolerance");
  if (!tolerance) return fail(tolerance.error());
  return Watch{std::make_unique<FlatlineDetector>(flatline.patience, *tolerance), unit_for(info, flatline.unit)};
}

std::optional<Compiled> compile(const config::Node& options, config::Problems& problems) {
  const config::Node& node = options["tolerance"];
  Quantities quantities({&node}, problems);
  const auto tolerance = quantities.width(node, "tolerance");
  if (!tolerance || !options.sound()) return std::nullopt;
  Flatline flatline{options.duration("for"), *tolerance, quantities.unit()};
  std::string condition =
      *tolerance > 0 ? fmt::format("no change by more than {} for {}", node.shown(), age_text(flatline.patience))
                     : fmt::format("no change for {}", age_text(flatline.patience));
  return Compiled{std::move(condition), "{series} is stuck at {value} {unit}",
                  [flatline = std::move(flatline)](const SeriesInfo& info, const std::vector<std::string>&) {
                    return fit(flatline, info);
                  }};
}

}  // namespace

Kind flatline_kind() {
  using config::Shape;
  return {
      "flatline",
      "A sensor that is stuck.",
      Shape::object("Fires when the value has not changed for a time, though samples came.",
                    {config::required("for", Shape::duration(std::chrono::seconds(1), std::chrono::days(90)),
                                      "How long the value may stay the same."),
                     config::defaulted("tolerance", Shape::quantity(), "0",
                                       "How far apart values are that count as the same: noise of a stuck sensor.")}),
      compile,
      {.waits = true, .finds_values = true}};
}

}  // namespace tidegate::rules
