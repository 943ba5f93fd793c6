#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/counter_steps.h"
#include "rules/detector.h"
#include "rules/expr/expression.h"
#include "rules/together.h"

namespace tidegate::rules {

/// How a series is made of an expression: docs/derived-series.md.
struct Recipe {
  enum class Sums : std::uint8_t {
    nothing,   ///< it is the expression's value
    integral,  ///< value times time, since it began
    increases  ///< what a counter counted, since it began
  } sums = Sums::nothing;
  std::string unit;           ///< of its samples; empty: the expression's
  Micros every{0};            ///< one sample for each so long, on the clock; 0: whenever what it reads has one
  double deadband = -1;       ///< in `deadband_unit`: no sample for less; negative: for any change
  std::string deadband_unit;  ///< empty: that of its samples
  Micros repeat{0};           ///< with a dead band: so long after the last one there is one nevertheless; 0: never
  Micros stale_after{-1};     ///< of what it reads; negative: by each series' own interval
  /// So long a sample waits for those that came together with it the last time, and a turn of `every` for what is
  /// made of others that wait: longer than those do.
  Micros patience = kPatience;
  static constexpr Micros kPatience = Joint::kPatience;
};

/// Makes a series of others. What it makes does not depend on how samples were batched: series whose samples are of one
/// moment time after time, such as those of one poll, are one change, and it waits for the last of them.
class Deriver final : public Joint {
 public:
  struct Made {
    Timestamp time;
    double value;
    Quality quality;
    Reason reason;
    friend bool operator==(const Made&, const Made&) = default;
  };

  /// Errc::invalid where the recipe makes no sense for what the expression is.
  static Result<std::unique_ptr<Deriver>> make(std::size_t own, expr::Program program, const Recipe& recipe,
                                               std::span<const Known* const> known);

  /// In order of time, since it was last told something; of a past that is told nobody asks.
  std::span<const Made> made() const { return made_; }
  void forget_made() { made_.clear(); }
  /// Before a sample of `time`: what is older is as whole as it will be.
  void close_before(Timestamp time);
  /// From now on what it makes counts. A sum begins at 0 where none was told of.
  void begin();
  /// Its newest sample: one that it made, and one that is stored, with which a sum goes on. `unit`: of what is stored.
  void remember(const Made& newest) {
    last_ = newest;
    is_stored_ = true;
  }
  void resume(const Made& newest, std::string_view unit);
  /// A sum whose newest sample is in this unit goes on with so much of it; nothing: it cannot.
  std::optional<double> goes_on_from(std::string_view unit) const;
  /// Of what it makes.
  SeriesKind kind() const;
  const std::string& unit() const { return unit_; }
  bool is_difference() const { return recipe_.sums == Recipe::Sums::nothing && program_.is_difference(); }
  /// Some series of a pattern is left out of it, because it does not fit the others.
  void lacks_members(bool some) { leaves_out_ = some; }
  /// The longest interval of what it reads; kOnChange: none has one; 0: that of one is not known.
  Micros slowest_input() const;

  Finding tick(Timestamp now) override;
  Micros lookback() const override;
  void unwatched(Timestamp from, Timestamp to) override;
  /// The same for its sum alone, which is told of it in its place among the samples of the past.
  void leave_out(Timestamp from, Timestamp to);
  Status know(std::size_t input, const Known& known) override;
  Result<std::size_t> add(std::size_t pattern, const Known& known) override;
  Shown shown() const override { return {}; }

 private:
  /// What came of an input.
  struct Heard {
    Timestamp time = Timestamp::min();  ///< that: nothing came yet
    Micros stale_after{0};
    Micros interval{0};  ///< as SeriesInfo has it
    Quality quality = Quality::good;
    Reason reason = Reason::none;
    bool is_pattern = false;  ///< its members are heard
    Micros left_out{0};       ///< since then nobody watched for so long
    /// When it is taken for silent, if nothing comes.
    Timestamp silence() const {
      return time == Timestamp::min() || stale_after == Micros{0} ? kNever : time + stale_after + left_out;
    }
  };

  Deriver(std::size_t own, expr::Program program, Recipe recipe, std::size_t inputs);
  Status fit();
  Status convert_sum();
  bool sums() const { return recipe_.sums != Recipe::Sums::nothing; }
  void note(std::size_t input, const Sample& sample) override;
  Finding judge(Timestamp at) override;
  void settle(Timestamp at);
  void sum_up(const expr::Value& value, Timestamp at);
  Micros watched(Timestamp from, Timestamp to) const;
  void offer(Timestamp at, const expr::Value& value, bool is_of_time);
  Made result(Timestamp at, const expr::Value& value) const;
  bool differs(const Made& now, const Made& before, bool is_of_time) const;
  Reason why_not_known(Timestamp at) const;
  bool is_silent(const Heard& heard, Timestamp at) const;
  void take_turn();
  void let_pass(Timestamp now);
  Timestamp turn() const;
  void look_for_silence(Timestamp after);
  /// That time alone brings about.
  Timestamp next_change() const { return std::min(program_.wake(), silence_); }
  void set_deadline();
  /// The newest sample of a sum is in another unit: a restart would go on from it as if it were in this one.
  bool is_to_restate() const { return sums() && last_ && !is_stored_; }

  const Recipe recipe_;
  expr::Program program_;
  std::string unit_;
  double scale_ = 1, shift_ = 0;  ///< from what it computes to its samples
  double deadband_ = -1;          ///< in the unit of its samples
  std::vector<Heard> heard_;      ///< by input
  Together together_;
  std::size_t bad_ = 0, uncertain_ = 0;  ///< so many of them are
  Timestamp moment_ = Timestamp::min();  ///< of the newest samples
  bool leaves_out_ = false;
  bool is_open_ = false;               ///< nothing was made of it yet
  bool is_due_ = false;                ///< with `every`: there is something to tell
  Timestamp told_ = Timestamp::min();  ///< the newest time that it was asked about
  Timestamp silence_ = kNever;         ///< nothing that it reads becomes silent before that
  // Of sums.
  double total_ = 0, running_ = 0;  ///< running_: what is summed up now, or NaN
  CounterSteps counter_;
  double ahead_ = 0;        ///< so much more than the counter says: it stands until that has caught up
  std::string of_;          ///< the unit of that
  bool is_stored_ = false;  ///< what a restart goes on from is, and in the unit of its samples
  Timestamp summed_until_ = Timestamp::min();
  struct Gap {
    Timestamp from, to;
  };
  std::vector<Gap> unwatched_;  ///< behind that: they are left out when it is summed up further
  bool is_told_ = false;        ///< of the past
  bool has_total_ = false;      ///< a sample of it was told of
  bool has_begun_ = false;      ///< a value was known
  std::optional<Made> last_;
  std::vector<Made> made_;
};

}  // namespace tidegate::rules
