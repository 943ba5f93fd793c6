#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::rules::expr {

enum class Fn : std::uint8_t {
  // over a window
  avg,
  twa,
  min,
  max,
  sum,
  count,
  stddev,
  median,
  quantile,
  range,
  changes,
  resets,
  delta,
  rate,
  increase,
  integral,
  slope,
  forecast,
  time_to,
  fit,
  ewma,
  zscore,
  mad,
  cusum,
  season,
  // of the moment
  last,
  age,
  abs,
  least,
  greatest,
  round,
  clamp,
  choose,
  coalesce,
  unit,
  hour,
  weekday,
  between,
  // of conditions in time
  was,
  held,
  then,
  missed,
  // over the members of a pattern
  all_members,
  any_members,
  count_members,
  avg_members,
  min_members,
  max_members,
  sum_members
};

/// A row of the one table of functions: the parser, the errors and the reference come from it. One name may have
/// several rows.
struct Function {
  Fn fn;
  std::string_view name;
  /// A letter for each parameter: x a number or a boolean, b a boolean, e anything, w a window, d a duration, p a
  /// season's length, k a constant, q a constant from 0 to 1, u a unit in quotes, t a time of day, r a series, m a
  /// number of each member, c a condition of each member; `*`: and more of the last.
  std::string_view parameters;
  std::string_view usage;  ///< "avg(x, window)"
  std::string_view doc;
};

std::span<const Function> functions();
/// Each name once.
const std::vector<std::string>& function_names();
bool is_window(const Function& function);
bool is_aggregate(const Function& function);

}  // namespace tidegate::rules::expr
