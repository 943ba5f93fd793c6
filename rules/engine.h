#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/event.h"
#include "gateway/core/types.h"
#include "rules/flood.h"
#include "rules/rule.h"

namespace tidegate::rules {

/// What a call caused: goes into the same batch as the samples that caused it.
struct Output {
  std::vector<Event> events;  ///< AlertTransitions, Floods and, where nobody watched for a while, Unwatched; in order
  std::vector<AlertRecord> alerts;  ///< the new state of every alert that changed; the last of one id counts
  std::vector<Sample> samples;      ///< of series that are made of others, in order
  std::vector<std::size_t> behind;  ///< of each of them, how many of those that observe() was told stand before it
  /// Both in one order, in which they are to be stored: a sum is told of its past between what came before and after.
  void append_samples(std::span<const Sample> told, std::vector<Sample>& to) const;
  void clear() {
    samples.clear();
    behind.clear();
    events.clear();
    alerts.clear();
  }
};

/// A series that is made of others: docs/derived-series.md.
struct MadeSeries {
  std::string name;
  SeriesInfo info;  ///< its source is kDerivedSource
};
inline constexpr std::string_view kDerivedSource = "derived";

/// The past that an engine is told after a restart is at least so long, whatever its rules look back over: the lags of
/// the devices' clocks are known by it.
inline constexpr Micros kLeastLookback = std::chrono::minutes(10);

/// A stretch of the gateway's time.
struct Interval {
  Timestamp from, to;
};

/// Evaluates the rules. Pure: no clock, no I/O, no thread; the same calls give the same output. The pump owns it.
/// Identity is resolved when a series is declared; per sample there is no string, no allocation, no look-up but an
/// index.
/// It begins with what was, in this order: declare(), unwatched(), told(), restore(), warm(); and goes on with what is.
class Engine {
 public:
  explicit Engine(std::vector<Rule> rules);
  /// New rules in the place of `before`'s, whose past it is told like any other. Only what no log has goes over: since
  /// when a series that never spoke is listened to, until when somebody watched, how many samples came late.
  Engine(std::vector<Rule> rules, const Engine& before);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Makes the series known, before its first sample: matches it against every rule; from `now` on its silence counts.
  /// Calling again with the same name updates unit, kind, interval and labels: call again when a state series gets one.
  /// The alerts of rules that no longer make sense for it are closed, as by restore().
  void declare(SeriesId id, std::string_view name, const SeriesInfo& info, std::span<const std::string> labels,
               Timestamp now, Output& out);
  /// Names that literal patterns ask for, whether they have samples or not: the pump interns and declares them, so that
  /// a sensor that never spoke is missed.
  std::vector<std::string> literal_series() const;

  /// Series that are made of others and are new, or another unit or kind by now, since this was last asked: the pump
  /// interns and declares them, and only then have they samples.
  std::vector<MadeSeries> take_made_series();

  /// Nobody watched in between: the gateway was off, asleep or stuck, or its clock was set. So much longer does each
  /// silence take that had begun; and after more than kMaxUnwatched a delay waits for the next sample, because much may
  /// have happened. Oldest first. What happens from now on observe() and tick() see for themselves.
  void unwatched(const Interval& gap);
  static constexpr Micros kMaxUnwatched = std::chrono::minutes(1);
  /// What was told before, oldest first and each with the time of called_at(), as far back as kToldFor and lookback(),
  /// and since a flood that is on began: by it is known what chatters, whether there is a flood, and until when the
  /// past of an alert that is normal has been seen.
  void told(std::span<const Event> events);
  static constexpr Micros kToldFor = std::chrono::minutes(10);
  /// Takes over stored alerts. Records whose rule or series is gone are closed: an announced transition with cause
  /// "rule removed" (a pending one, which nobody heard of, goes in silence). A delay that begins far ahead of the
  /// gateway's clock begins anew.
  void restore(std::span<const AlertRecord> records, Timestamp now, Output& out);
  /// Past samples in the order in which observe() saw them, for windows and timers only: no phase changes, nothing is
  /// announced. First those that arrived within lookback(), each batch with the time at which it came; then the newest
  /// sample of every series, of which that is no longer known: one that was there already is not counted twice. What is
  /// far ahead of the gateway's clock comes of a run with a wrong one, and is passed over: it would hide all that
  /// follows.
  void warm(std::span<const Sample> samples, Timestamp arrived);
  void warm(std::span<const Sample> samples);
  /// How far back from `now` warm() has to reach; the time in which nobody watched does not count.
  Micros lookback(Timestamp now) const;

  /// Samples older than their series' newest are not evaluated, only counted; an exact repetition of the newest changes
  /// nothing; those of series never declared are passed over. Delays that ran out before a sample's time end before it,
  /// so that the size of a batch and the beat of tick() do not show in the outcome.
  /// `now` is the gateway's clock when they arrived, and tells one thing: how far a sample's own time lies behind it,
  /// because the device's clock does or because it was long on its way. So much later, by the gateway's clock, do the
  /// timers end that the sample set.
  void observe(std::span<const Sample> samples, Timestamp now, Output& out);
  /// Timers: `for`, `clear_after`, `absence`, the shelf. At least a few times a second, with the gateway's clock. Costs
  /// what the timers that ran out cost, not what the instances cost. After more than kMaxUnwatched without a call of
  /// this or of observe() nobody watched, and Unwatched says so.
  void tick(Timestamp now, Output& out);
  /// The gateway's clock was set forwards to `now`: what it left out nobody watched, however short it is, and no delay
  /// that runs has come nearer to its end.
  void resume(Timestamp now, Output& out);
  /// Whether a rule watches a series under this id, whatever the alert's phase.
  bool knows(std::string_view alert) const;
  /// False: there is no such alert, or it is not active (nothing to acknowledge).
  bool acknowledge(const Acknowledge& wish, Timestamp now, Output& out);
  /// Also of an alert that is normal. False: there is no such alert, or nothing to change.
  bool shelve(const Shelve& wish, Timestamp now, Output& out);
  /// Likewise. False: there is no such alert.
  bool comment(const Comment& wish, Timestamp now, Output& out);

  struct RuleStatus {
    std::string name;
    std::size_t instances;  ///< series that it watches
    std::size_t active;     ///< raised, and not silenced
    std::size_t unfit;      ///< series that it matches and cannot watch, and such that leave out a member of a pattern
    std::vector<std::string> problems;  ///< why, "series: reason"; of the first kMaxProblems
  };
  static constexpr std::size_t kMaxProblems = 20;
  std::vector<RuleStatus> status() const;
  /// The same of what makes series, by the name of these as it is written.
  std::vector<RuleStatus> derived_status() const;
  /// The flood of alerts that is on.
  const std::optional<Flood>& flood() const;
  /// Samples that came too late to be evaluated.
  std::uint64_t late_samples() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::rules
