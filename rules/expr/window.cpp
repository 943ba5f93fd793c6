#include "rules/expr/window.h"

#include <algorithm>
#include <cmath>

namespace tidegate::rules::expr {
namespace {

constexpr Micros kLongestDay = std::chrono::hours(25);
/// Wider than any span of samples; far enough from a Timestamp's end that times can be taken from it.
constexpr Micros kUnbounded = std::chrono::years(10'000);
constexpr double kNeverSeconds = 100 * 365.25 * 86400;

bool holds_areas(Fn fn) { return fn == Fn::twa || fn == Fn::integral; }

bool moves_by_itself(Fn fn) { return holds_areas(fn) || fn == Fn::forecast || fn == Fn::time_to; }

/// It begins at a moment, and the value that a series had then was that of the sample before.
bool has_begin(const Extent& extent) {
  return extent.kind != Extent::Kind::samples && extent.kind != Extent::Kind::session;
}

/// What came since the clock said so began with the step from the sample before.
bool steps_in(Fn fn, const Extent& extent) {
  return fn == Fn::increase && (extent.kind == Extent::Kind::since || extent.kind == Extent::Kind::each);
}

/// Of a session no more than this is known.
constexpr Micros kLongestSession = std::chrono::days(1);

/// Wide enough for all that it ever holds.
Micros width(const Extent& extent) {
  switch (extent.kind) {
    case Extent::Kind::time:
      return extent.width;
    case Extent::Kind::samples:
      return kUnbounded;
    case Extent::Kind::since:
      return kLongestDay;
    case Extent::Kind::each:
      return extent.width + std::chrono::hours(1);  // where the clock is set back in it
    case Extent::Kind::session:
      return kLongestSession;
  }
  return kUnbounded;
}

double read_moments(const WindowSpec& spec, const Moments& all, Timestamp now) {
  if (spec.fn == Fn::count)
    return spec.of_truths ? std::round((all.first_value + all.mean_value) * all.count) : all.count;
  if (all.count == 0) return kUnknown;
  if (spec.fn == Fn::avg) return all.first_value + all.mean_value;
  if (spec.fn == Fn::sum) return (all.first_value + all.mean_value) * all.count;
  if (spec.fn == Fn::stddev) return std::sqrt(all.vv / all.count);
  const auto fitted = line(all, now);
  if (!fitted) return kUnknown;
  if (spec.fn == Fn::slope) return fitted->slope;
  if (spec.fn == Fn::fit) return fitted->fit;
  if (spec.fn == Fn::forecast) return fitted->value + fitted->slope * spec.first;
  const double left = (spec.first - fitted->value) / fitted->slope;  // time_to
  return left >= 0 && left < kNeverSeconds ? left : kNeverSeconds;
}

double read_spread(const WindowSpec& spec, const Spread& all) {
  if (all.count == 0) return kUnknown;
  return spec.fn == Fn::min ? all.min : spec.fn == Fn::max ? all.max : all.max - all.min;
}

/// `from`: where the window begins.
double read_steps(const WindowSpec& spec, const Steps& all, Timestamp from) {
  if (all.count == 0) return kUnknown;
  if (spec.fn == Fn::changes) return all.changes;
  if (spec.fn == Fn::resets) return all.resets;
  if (all.count < 2) return steps_in(spec.fn, spec.extent) && all.first_time < from ? 0 : kUnknown;
  if (spec.fn == Fn::delta) return all.last - all.first;
  const double counted = std::max(all.counted, 0.0);  // of one that wobbled it may be less
  if (spec.fn == Fn::increase) return counted;
  return counted / seconds_between(all.first_time, all.last_time);  // rate
}

double read_area(const WindowSpec& spec, const Area& all, Timestamp from, Timestamp now) {
  if (all.count == 0) return kUnknown;
  const double covered = seconds_between(std::max(from, all.first_time), now);
  const double above = all.above_first + (all.last - all.first) * seconds_between(all.last_time, now);
  if (spec.fn == Fn::integral) return (all.first * covered + above) * spec.first;
  return covered > 0 ? all.first + above / covered : all.last;
}

double read_ranks(const WindowSpec& spec, const RankWindow& window) {
  if (window.count() == 0) return kUnknown;
  if (spec.fn == Fn::median) return window.median();
  if (spec.fn == Fn::mad) return window.median_distance(window.median());
  return window.quantile(spec.first);
}

Micros local_of_day(Timestamp time, Zone zone) {
  const Timestamp local = time + zone(time);
  return local - std::chrono::floor<std::chrono::days>(local);
}

/// Where a window begins that a clock, or the time, says.
Timestamp begin_of(const Extent& extent, Timestamp now, Zone zone) {
  switch (extent.kind) {
    case Extent::Kind::time:
      return now - extent.width;
    case Extent::Kind::since:
      return last_time_of_day(now, extent.of_day, zone);
    case Extent::Kind::each:
      return last_time_of_day(now, local_of_day(now, zone) / extent.width * extent.width, zone);
    default:
      return Timestamp::min();
  }
}

/// When a window begins anew that a clock says. Where the clock is set in between, it may be looked at too soon.
Timestamp next_begin(const Extent& extent, Timestamp now, Zone zone) {
  if (extent.kind == Extent::Kind::since) return next_time_of_day(now, extent.of_day, zone);
  const Micros gone = local_of_day(now, zone) % extent.width;
  const Timestamp next = next_time_of_day(now, local_of_day(now, zone) - gone + extent.width, zone);
  return std::min(now + (extent.width - gone), next);
}

}  // namespace

Timestamp last_time_of_day(Timestamp now, Micros of_day, Zone zone) {
  constexpr Micros kDay = std::chrono::days(1);
  const Micros since = (local_of_day(now, zone) - of_day % kDay + kDay) % kDay;
  const Timestamp guess = now - since;
  const Timestamp there = guess - (zone(guess) - zone(now));  // the zone's offset was another one then
  return there <= now ? there : there - kDay;
}

Timestamp next_time_of_day(Timestamp now, Micros of_day, Zone zone) {
  constexpr Micros kDay = std::chrono::days(1);
  const Micros until = (of_day % kDay - local_of_day(now, zone) + kDay - Micros{1}) % kDay + Micros{1};
  const Timestamp guess = now + until;
  const Timestamp there = guess - (zone(guess) - zone(now));
  return there > now ? there : there + kDay;
}

Micros WindowSpec::lookback() const {
  constexpr int kTimeConstants = 16;  // e^-16 is 10^-7
  if (fn == Fn::cusum) return std::chrono::days(1);
  if (extent.kind == Extent::Kind::samples) return kLeastOfSamples;
  if (fn == Fn::season) return Season::kLookback * extent.width;
  if (fn == Fn::ewma) return std::min<Micros>(extent.width * kTimeConstants, std::chrono::days(90));
  return holds_areas(fn) || steps_in(fn, extent) ? 2 * width(extent) : width(extent);
}

std::uint64_t WindowSpec::samples() const {
  constexpr std::uint64_t kWeights = 8;  // (1 - 2/(n + 1))^8n is 10^-7
  if (extent.kind != Extent::Kind::samples) return 0;
  return fn == Fn::ewma ? kWeights * extent.count : extent.count;
}

bool WindowSpec::only_fades() const {
  return extent.kind == Extent::Kind::samples || (extent.kind == Extent::Kind::time && !moves_by_itself(fn));
}

Micros WindowSpec::pace() const {
  if (extent.kind == Extent::Kind::since) return std::chrono::minutes(1);
  return std::max<Micros>(std::chrono::seconds(1), extent.width / 60);
}

Window::Store Window::store(const WindowSpec& spec) {
  const Micros wide = width(spec.extent);
  switch (spec.fn) {
    case Fn::min:
    case Fn::max:
    case Fn::range:
      return SlidingWindow<Spread>(wide);
    case Fn::changes:
    case Fn::resets:
    case Fn::delta:
    case Fn::rate:
    case Fn::increase:
      return SlidingWindow<Steps>(wide, steps_in(spec.fn, spec.extent) ? wide : Micros{0});
    case Fn::twa:
    case Fn::integral:
      return SlidingWindow<Area>(wide, has_begin(spec.extent) ? wide : Micros{0});
    case Fn::median:
    case Fn::quantile:
    case Fn::mad:
      return RankWindow(wide);
    case Fn::zscore:
      return Odd(wide);
    case Fn::ewma:
    case Fn::cusum:
      return Running{};
    case Fn::season:
      return Season(wide);
    default:
      return SlidingWindow<Moments>(wide);
  }
}

Window::Window(const WindowSpec& spec) : store_(store(spec)) {}

void Window::run_on(const WindowSpec& spec, Timestamp time, double value) {
  double& now = std::get<Running>(store_).value;
  if (spec.fn == Fn::cusum) {
    now = std::max(0.0, (std::isnan(now) ? 0 : now) + value - spec.first - spec.second);
  } else if (std::isnan(now)) {
    now = value;
  } else if (spec.extent.kind == Extent::Kind::samples) {
    now += (value - now) * 2 / (static_cast<double>(spec.extent.count) + 1);
  } else {
    const double passed = seconds_between(newest_, time) / (static_cast<double>(spec.extent.width.count()) * 1e-6);
    now -= (value - now) * std::expm1(-passed);
  }
}

void Window::add(const WindowSpec& spec, Timestamp time, double value, Zone zone) {
  time = std::max(time, newest_);
  expire(spec, time, zone);
  if (!is_empty() && is_over(spec, time)) drop_until(newest_);
  std::visit(
      [&](auto& window) {
        using T = std::decay_t<decltype(window)>;
        if constexpr (std::is_same_v<T, Running>) {
          run_on(spec, time, value);
        } else if constexpr (std::is_same_v<T, Season>) {
          window.add(time, value);
        } else {
          if constexpr (std::is_same_v<T, Odd>) {
            const Mean before = window.all();
            window.score = before.count < 2
                               ? kUnknown
                               : (value - before.first_value - before.mean_value) / std::sqrt(before.vv / before.count);
            if (value == before.first_value + before.mean_value && before.count >= 2) window.score = 0;
          }
          if (spec.extent.kind == Extent::Kind::samples) window.keep(spec.extent.count - 1);
          window.add(time, value);
        }
      },
      store_);
  newest_ = time;
}

void Window::expire(const WindowSpec& spec, Timestamp now, Zone zone) {
  if (spec.extent.kind == Extent::Kind::samples) return;
  if (is_empty()) return;
  Timestamp edge = now - spec.extent.width;
  if (spec.extent.kind == Extent::Kind::session) {
    edge = now - kLongestSession;
  } else if (spec.extent.kind != Extent::Kind::time) {
    edge = begin_of(spec.extent, now, zone) - Micros{1};
  }
  drop_until(edge);
}

void Window::drop_until(Timestamp edge) {
  std::visit(
      [&](auto& window) {
        if constexpr (requires { window.drop_until(edge); }) window.drop_until(edge);
      },
      store_);
}

bool Window::is_empty() const {
  return std::visit(
      [](const auto& window) {
        if constexpr (std::is_same_v<std::decay_t<decltype(window)>, RankWindow>) {
          return window.count() == 0;
        } else if constexpr (requires { window.runs(); }) {
          return window.runs() == 0;
        } else {
          return true;
        }
      },
      store_);
}

Timestamp Window::oldest() const {
  return std::visit(
      [](const auto& window) {
        if constexpr (requires { window.oldest(); }) {
          return window.oldest();
        } else {
          return kNever;
        }
      },
      store_);
}

double Window::read(const WindowSpec& spec, Timestamp now, Zone zone) {
  now = std::max(now, newest_);
  expire(spec, now, zone);
  if (!is_empty() && is_over(spec, now)) return spec.fn == Fn::count ? 0 : kUnknown;
  return std::visit(
      [&](const auto& window) -> double {
        using T = std::decay_t<decltype(window)>;
        if constexpr (std::is_same_v<T, Running>) {
          return window.value;
        } else if constexpr (std::is_same_v<T, Season>) {
          return window.expected();
        } else if constexpr (std::is_same_v<T, Odd>) {
          return window.runs() == 0 ? kUnknown : window.score;
        } else if constexpr (std::is_same_v<T, RankWindow>) {
          return read_ranks(spec, window);
        } else if constexpr (std::is_same_v<T, SlidingWindow<Spread>>) {
          return read_spread(spec, window.all());
        } else if constexpr (std::is_same_v<T, SlidingWindow<Steps>>) {
          return read_steps(spec, window.all(), begin_of(spec.extent, now, zone));
        } else if constexpr (std::is_same_v<T, SlidingWindow<Area>>) {
          return read_area(spec, window.all(), begin_of(spec.extent, now, zone), now);
        } else {
          return read_moments(spec, window.all(), now);
        }
      },
      store_);
}

Timestamp Window::fades(const WindowSpec& spec) const {
  return spec.extent.kind == Extent::Kind::samples || is_empty() ? kNever : oldest() + spec.extent.width;
}

Timestamp Window::wake(const WindowSpec& spec, Timestamp now, Zone zone) const {
  if (spec.extent.kind == Extent::Kind::samples || is_empty()) return kNever;
  const Timestamp next = now + spec.pace();
  if (spec.only_fades()) return std::max(next, fades(spec));
  if (spec.extent.kind == Extent::Kind::time) return next;
  if (spec.extent.kind == Extent::Kind::session) {
    if (is_over(spec, now)) return kNever;
    return std::min(newest_ + spec.extent.width,
                    moves_by_itself(spec.fn) ? next : std::max(next, oldest() + kLongestSession));
  }
  const Timestamp reset = next_begin(spec.extent, now, zone);
  return moves_by_itself(spec.fn) ? std::min(reset, next) : reset;
}

}  // namespace tidegate::rules::expr
