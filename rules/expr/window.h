#pragma once

#include <limits>
#include <string>
#include <variant>

#include "rules/expr/runs.h"
#include "rules/expr/season.h"
#include "rules/expr/tree.h"
#include "rules/rank_window.h"
#include "rules/slope_window.h"
#include "rules/spread.h"

namespace tidegate::rules::expr {

/// Inside, what is unknown is NaN, which goes through arithmetic by itself.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// A window as it is written; what it holds stands apart.
struct WindowSpec {
  Fn fn{};
  Extent extent;
  std::string unit;        ///< of what it holds
  bool of_truths = false;  ///< count: for how many samples it held
  double first = 0;   ///< quantile: q; forecast: seconds ahead; time_to: the limit; cusum: the mean; integral: scale
  double second = 0;  ///< cusum: the slack
  Micros lookback() const;
  /// How many samples it goes back, where that is not a time: then lookback() is the least that they take.
  std::uint64_t samples() const;
  static constexpr Micros kLeastOfSamples = std::chrono::hours(1);
  /// Time alone does nothing to it: of a series that is dead it would say for ever what it said last.
  bool is_timeless() const { return samples() > 0 || fn == Fn::cusum || fn == Fn::ewma || fn == Fn::season; }
  /// All that time alone does to it is that its oldest samples leave it.
  bool only_fades() const;
  /// What time alone does to it is looked at no sooner than so long after the last time.
  Micros pace() const;
};

/// The samples that one function looks at.
class Window {
 public:
  explicit Window(const WindowSpec& spec);

  /// In order of time; one that is older than the last is taken at its time.
  void add(const WindowSpec& spec, Timestamp time, double value, Zone zone);
  /// At `now`, after which it may only be asked for later times.
  double read(const WindowSpec& spec, Timestamp now, Zone zone);
  /// When what it read at `now` may change without a sample.
  Timestamp wake(const WindowSpec& spec, Timestamp now, Zone zone) const;
  /// When the oldest sample leaves one that only fades: until then it reads the same, if no sample comes.
  Timestamp fades(const WindowSpec& spec) const;

 private:
  /// An exponentially weighted mean, or a sum that goes on for ever.
  struct Running {
    double value = kUnknown;
  };
  /// How odd the newest one was among those before it.
  struct Odd : SlidingWindow<Mean> {
    using SlidingWindow::SlidingWindow;
    double score = kUnknown;
  };
  using Store = std::variant<SlidingWindow<Moments>, SlidingWindow<Spread>, SlidingWindow<Steps>, SlidingWindow<Area>,
                             RankWindow, Odd, Running, Season>;
  static Store store(const WindowSpec& spec);
  bool is_empty() const;  ///< nothing is in it that could leave it
  /// A session whose next sample, at `time`, begins another one. What it holds goes with that sample, and not when
  /// somebody looks: so it does not matter how long samples are on their way.
  bool is_over(const WindowSpec& spec, Timestamp time) const {
    return spec.extent.kind == Extent::Kind::session && time - newest_ >= spec.extent.width;
  }
  void drop_until(Timestamp edge);
  Timestamp oldest() const;  ///< of one that is not empty and that samples leave
  void expire(const WindowSpec& spec, Timestamp now, Zone zone);
  void run_on(const WindowSpec& spec, Timestamp time, double value);

  Store store_;
  Timestamp newest_ = Timestamp::min();
};

/// The last moment before `now`, or `now`, at which it was that local time of day.
Timestamp last_time_of_day(Timestamp now, Micros of_day, Zone zone);
/// The first after `now`.
Timestamp next_time_of_day(Timestamp now, Micros of_day, Zone zone);

}  // namespace tidegate::rules::expr
