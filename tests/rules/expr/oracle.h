#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "tests/rules/expr/support.h"

/// The definitions of the functions over a window, word for word, without any care for cost.
namespace tidegate::rules::expr::oracle {

struct Point {
  Timestamp time;
  double value;
};
using Points = std::vector<Point>;
/// Nothing: unknown.
using Answer = std::optional<long double>;

inline long double seconds_from(Timestamp from, Timestamp to) {
  return static_cast<long double>((to - from).count()) * 1e-6L;
}

struct Fit {
  long double slope, at_now, fit;
};
inline std::optional<Fit> fit(const Points& points, Timestamp now) {
  if (points.empty()) return std::nullopt;
  const auto count = static_cast<long double>(points.size());
  const auto first = static_cast<long double>(points.front().value);
  long double mean_time = 0, mean_value = 0, tt = 0, tv = 0, vv = 0;
  for (const Point& p : points) {
    mean_time += seconds_from(now, p.time) / count;
    mean_value += (static_cast<long double>(p.value) - first) / count;
  }
  for (const Point& p : points) {
    const long double t = seconds_from(now, p.time) - mean_time,
                      v = static_cast<long double>(p.value) - first - mean_value;
    tt += t * t;
    tv += t * v;
    vv += v * v;
  }
  if (tt == 0) return std::nullopt;
  return Fit{tv / tt, first + mean_value - tv / tt * mean_time, vv > 0 ? tv * tv / tt / vv : 1};
}

inline std::vector<long double> sorted(const Points& points) {
  std::vector<long double> values;
  for (const Point& p : points) values.push_back(static_cast<long double>(p.value));
  std::sort(values.begin(), values.end());
  return values;
}
inline Answer quantile(std::vector<long double> values, long double q) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const long double rank = q * static_cast<long double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(rank), high = std::min(low + 1, values.size() - 1);
  return values[low] + (values[high] - values[low]) * (rank - std::floor(rank));
}

inline Answer mean(const Points& points) {
  if (points.empty()) return std::nullopt;
  long double sum = 0;
  for (const Point& p : points) sum += static_cast<long double>(p.value);
  return sum / static_cast<long double>(points.size());
}
inline Answer deviation(const Points& points) {
  const Answer middle = mean(points);
  if (!middle) return std::nullopt;
  long double sum = 0;
  for (const Point& p : points)
    sum += (static_cast<long double>(p.value) - *middle) * (static_cast<long double>(p.value) - *middle);
  return std::sqrt(sum / static_cast<long double>(points.size()));
}
inline Answer mad(const Points& points) {
  const Answer middle = quantile(sorted(points), 0.5L);
  if (!middle) return std::nullopt;
  std::vector<long double> distances;
  for (const long double value : sorted(points)) distances.push_back(std::abs(value - *middle));
  return quantile(std::move(distances), 0.5L);
}
/// Of pairs of neighbours.
inline Answer pairs(const Points& points, const std::function<long double(long double, long double)>& count,
                    std::size_t least) {
  if (points.size() < least) return std::nullopt;
  long double sum = 0;
  for (std::size_t i = 1; i < points.size(); ++i)
    sum += count(static_cast<long double>(points[i - 1].value), static_cast<long double>(points[i].value));
  return sum;
}

/// What a counter counted. One that fell below its half began anew, unless the next other reading shows that it did
/// not; else it wobbled.
inline Answer counted(const Points& points) {
  if (points.size() < 2) return std::nullopt;
  std::vector<long double> all;
  for (const Point& p : points) {
    if (all.empty() || all.back() != static_cast<long double>(p.value))
      all.push_back(static_cast<long double>(p.value));
  }
  const auto is_few = [](long double a, long double b) { return b < 100 && a == std::floor(a) && b == std::floor(b); };
  long double sum = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const long double before = all[i - 1], now = all[i];
    const bool began_anew = now < before && now < before / 2;
    if (began_anew && i + 1 < all.size() && all[i + 1] >= before && all[i + 1] <= before + before / 10 &&
        !is_few(before, all[i + 1])) {
      sum += all[++i] - before;
    } else {
      sum += began_anew ? std::max(now, 0.0L) : now - before;
    }
  }
  return std::max(sum, 0.0L);
}

/// The value as a step function from `from` to `now`; `points` begin with the last one at or before `from`.
inline std::optional<std::pair<long double, long double>> area(const Points& points, Timestamp from, Timestamp now) {
  if (points.empty()) return std::nullopt;
  long double sum = 0, covered = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Timestamp begin = std::max(points[i].time, from);
    const Timestamp end = i + 1 < points.size() ? std::max(points[i + 1].time, from) : now;
    sum += static_cast<long double>(points[i].value) * seconds_from(begin, end);
    covered += seconds_from(begin, end);
  }
  return std::pair{sum, covered};
}

/// What a function says at `now` of `held`, the samples in its window; `anchored` has the one before them as well, and
/// so has `stepped` where a clock says when the window begins.
struct Seen {
  Points held, anchored, stepped;
  Timestamp edge, now;
};

inline const std::map<std::string, std::function<Answer(const Seen&)>>& definitions() {
  static const std::map<std::string, std::function<Answer(const Seen&)>> kDefinitions{
      {"avg(value, W)", [](const Seen& s) { return mean(s.held); }},
      {"sum(value, W)",
       [](const Seen& s) -> Answer {
         const Answer middle = mean(s.held);
         return middle ? Answer(*middle * static_cast<long double>(s.held.size())) : std::nullopt;
       }},
      {"count(value, W)", [](const Seen& s) -> Answer { return static_cast<long double>(s.held.size()); }},
      {"count(value > 20, W)",
       [](const Seen& s) -> Answer {
         return static_cast<long double>(
             std::count_if(s.held.begin(), s.held.end(), [](const Point& p) { return p.value > 20; }));
       }},
      {"avg(value > 20, W)",
       [](const Seen& s) -> Answer {
         if (s.held.empty()) return std::nullopt;
         const auto above = std::count_if(s.held.begin(), s.held.end(), [](const Point& p) { return p.value > 20; });
         return static_cast<long double>(above) / static_cast<long double>(s.held.size());
       }},
      {"stddev(value, W)", [](const Seen& s) { return deviation(s.held); }},
      {"min(value, W)", [](const Seen& s) { return s.held.empty() ? Answer() : Answer(sorted(s.held).front()); }},
      {"max(value, W)", [](const Seen& s) { return s.held.empty() ? Answer() : Answer(sorted(s.held).back()); }},
      {"range(value, W)",
       [](const Seen& s) {
         return s.held.empty() ? Answer() : Answer(sorted(s.held).back() - sorted(s.held).front());
       }},
      {"median(value, W)", [](const Seen& s) { return quantile(sorted(s.held), 0.5L); }},
      {"quantile(value, 0.9, W)",
       [](const Seen& s) { return quantile(sorted(s.held), static_cast<long double>(0.9)); }},
      {"mad(value, W)", [](const Seen& s) { return mad(s.held); }},
      {"changes(value, W)",
       [](const Seen& s) {
         return pairs(
             s.held, [](auto a, auto b) { return a != b ? 1.0L : 0.0L; }, 1);
       }},
      {"resets(value, W)",
       [](const Seen& s) {
         return pairs(
             s.held, [](auto a, auto b) { return b < a ? 1.0L : 0.0L; }, 1);
       }},
      {"delta(value, W)",
       [](const Seen& s) {
         return pairs(
             s.held, [](auto a, auto b) { return b - a; }, 2);
       }},
      {"increase(value, W)",
       [](const Seen& s) -> Answer {
         const bool stands = s.stepped.size() == 1 && s.held.empty();
         return stands ? Answer(0.0L) : counted(s.stepped);
       }},
      {"rate(value, W)",
       [](const Seen& s) -> Answer {
         const Answer more = counted(s.held);
         const long double time = more ? seconds_from(s.held.front().time, s.held.back().time) : 0;
         return time > 0 ? Answer(*more / time) : std::nullopt;
       }},
      {"slope(value, W)",
       [](const Seen& s) {
         const auto line = fit(s.held, s.now);
         return line ? Answer(line->slope) : std::nullopt;
       }},
      {"fit(value, W)",
       [](const Seen& s) {
         const auto line = fit(s.held, s.now);
         return line ? Answer(line->fit) : std::nullopt;
       }},
      {"forecast(value, W, 2m)",
       [](const Seen& s) {
         const auto line = fit(s.held, s.now);
         return line ? Answer(line->at_now + 120 * line->slope) : std::nullopt;
       }},
      {"time_to(value, 25, W)",
       [](const Seen& s) -> Answer {
         const auto line = fit(s.held, s.now);
         if (!line) return std::nullopt;
         const long double kNeverSeconds = 100 * 365.25L * 86400;
         const long double left = (25 - line->at_now) / line->slope;
         return left >= 0 && left < kNeverSeconds ? left : kNeverSeconds;
       }},
      {"twa(value, W)",
       [](const Seen& s) -> Answer {
         const auto seen = area(s.anchored, s.edge, s.now);
         if (!seen) return std::nullopt;
         return seen->second > 0 ? Answer(seen->first / seen->second)
                                 : Answer(static_cast<long double>(s.anchored.back().value));
       }},
      {"integral(value, W)",
       [](const Seen& s) -> Answer {
         const auto seen = area(s.anchored, s.edge, s.now);
         return seen ? Answer(seen->first) : std::nullopt;
       }},
  };
  return kDefinitions;
}

}  // namespace tidegate::rules::expr::oracle
