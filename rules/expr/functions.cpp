#include "rules/expr/functions.h"

#include <algorithm>
#include <array>

namespace tidegate::rules::expr {
namespace {

constexpr std::array kFunctions = {
    Function{Fn::avg, "avg", "xw", "avg(x, window)",
             "Mean of the samples; of a condition the share for which it held."},
    Function{Fn::twa, "twa", "xw", "twa(x, window)",
             "Mean over time: each value counts for as long as it lasted, until the next sample."},
    Function{Fn::min, "min", "xw", "min(x, window)", "The smallest."},
    Function{Fn::max, "max", "xw", "max(x, window)", "The largest."},
    Function{Fn::sum, "sum", "xw", "sum(x, window)", "The sum of the samples."},
    Function{Fn::count, "count", "ew", "count(x, window)",
             "How many samples; of a condition, for how many it held. 0 in an empty window."},
    Function{Fn::stddev, "stddev", "xw", "stddev(x, window)", "Standard deviation (of the population)."},
    Function{Fn::median, "median", "xw", "median(x, window)", "The middle one, or the mean of the two in the middle."},
    Function{Fn::quantile, "quantile", "xqw", "quantile(x, q, window)",
             "The value below which the share q (0 to 1) lies, interpolated: `quantile(value, 0.95, 1h)`."},
    Function{Fn::range, "range", "xw", "range(x, window)", "The largest less the smallest."},
    Function{Fn::changes, "changes", "ew", "changes(x, window)", "How often a sample differs from the one before it."},
    Function{Fn::resets, "resets", "xw", "resets(x, window)", "How often a sample is smaller than the one before it."},
    Function{Fn::delta, "delta", "xw", "delta(x, window)", "The last less the first; of two samples or more."},
    Function{Fn::rate, "rate", "xw", "rate(x, window)",
             "`increase` divided by the time from the first sample to the last, a second."},
    Function{Fn::increase, "increase", "xw", "increase(x, window)",
             "What a counter counted from the first sample to the last: below half of what it was it began anew at 0."},
    Function{
        Fn::integral, "integral", "xw", "integral(x, window)",
        "Value times time, each value for as long as it lasted: kW become kWh, L/min become L, a condition seconds."},
    Function{Fn::slope, "slope", "xw", "slope(x, window)", "Slope of the least-squares line, a second."},
    Function{Fn::forecast, "forecast", "xwd", "forecast(x, window, ahead)",
             "Where that line is after the time `ahead`: `forecast(value, 1h, 4h)`."},
    Function{Fn::time_to, "time_to", "xkw", "time_to(x, limit, window)",
             "How long until that line reaches the limit; 100 years where it does not lead there."},
    Function{Fn::fit, "fit", "xw", "fit(x, window)", "How much of the variance that line explains (R², 0 to 1)."},
    Function{Fn::ewma, "ewma", "xw", "ewma(x, window)",
             "Exponentially weighted mean with the window as time constant; with n samples, of weight 2/(n + 1)."},
    Function{Fn::zscore, "zscore", "xw", "zscore(x, window)",
             "How many standard deviations the newest sample is from the mean of those before it."},
    Function{Fn::mad, "mad", "xw", "mad(x, window)", "Median distance to the median."},
    Function{Fn::cusum, "cusum", "xkk", "cusum(x, mean, slack)",
             "Sum of what the samples are above mean + slack, never below 0; downwards: `cusum(-x, -mean, slack)`."},
    Function{Fn::season, "season", "xp", "season(x, period)",
             "What is usual at this time of the period: `value - season(value, 1d) > 5 °C`."},
    Function{Fn::last, "last", "r", "last(series)",
             "The newest usable value, however old it is and whatever came after."},
    Function{Fn::age, "age", "r", "age(series)",
             "Time since the newest usable sample; compared with a duration: `age(pressure) > 5m`."},
    Function{Fn::abs, "abs", "x", "abs(x)", "Without its sign."},
    Function{Fn::least, "min", "xx*", "min(x, y, ...)", "The smallest of several."},
    Function{Fn::greatest, "max", "xx*", "max(x, y, ...)", "The largest of several."},
    Function{Fn::round, "round", "xk", "round(x, step)", "The nearest multiple of the step."},
    Function{Fn::clamp, "clamp", "xxx", "clamp(x, low, high)", "x, but not below low and not above high."},
    Function{Fn::choose, "if", "bee", "if(condition, x, y)", "x where the condition holds, else y."},
    Function{Fn::coalesce, "coalesce", "ee*", "coalesce(x, y, ...)", "The first that is known."},
    Function{Fn::unit, "unit", "xu", "unit(x, \"kW\")", "x, said to be in that unit; nothing is converted."},
    Function{Fn::hour, "hour", "", "hour()", "Local hour, 0 to 23."},
    Function{Fn::weekday, "weekday", "", "weekday()", "Local day of the week, 1 (Monday) to 7 (Sunday)."},
    Function{Fn::between, "between", "tt", "between(22:00, 06:00)",
             "From the one local time of day to before the other."},
    Function{Fn::was, "was", "bd", "was(condition, duration)", "It held at some moment of the last so long."},
    Function{Fn::held, "held", "bd", "held(condition, duration)", "It has held all through the last so long."},
    Function{Fn::then, "then", "bbd", "then(a, b, duration)",
             "b holds, and when it began a had held at a moment of the so long before; also `a then b within 5m`."},
    Function{Fn::missed, "missed", "bbd", "missed(a, b, duration)",
             "a began so long ago or longer, and b has not held since; until it does."},
    Function{Fn::all_members, "all", "c", "all(condition of a pattern)", "It holds for every member."},
    Function{Fn::any_members, "any", "c", "any(condition of a pattern)", "It holds for one member or more."},
    Function{Fn::count_members, "count", "c", "count(condition of a pattern)", "For how many members it holds."},
    Function{Fn::avg_members, "avg", "m", "avg(x of a pattern)", "Mean over the members whose x is known."},
    Function{Fn::min_members, "min", "m", "min(x of a pattern)", "The smallest of the members' known x."},
    Function{Fn::max_members, "max", "m", "max(x of a pattern)", "The largest of the members' known x."},
    Function{Fn::sum_members, "sum", "m", "sum(x of a pattern)", "The sum of the members' known x."},
};

}  // namespace

std::span<const Function> functions() { return kFunctions; }

const std::vector<std::string>& function_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Function& function : kFunctions) {
      if (std::find(names.begin(), names.end(), function.name) == names.end()) names.emplace_back(function.name);
    }
    return names;
  }();
  return kNames;
}

bool is_window(const Function& function) { return function.fn <= Fn::season; }
bool is_aggregate(const Function& function) { return function.fn >= Fn::all_members; }

}  // namespace tidegate::rules::expr
