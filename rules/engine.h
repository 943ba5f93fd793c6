#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/event.h"
#include "gateway/core/types.h"
#include "rules/rule.h"

namespace tidegate::rules {

/// What a call caused: goes into the same batch as the samples that caused it.
struct Output {
  std::vector<Event> events;        ///< AlertTransitions, in order
  std::vector<AlertRecord> alerts;  ///< the new state of every alert that changed; the last of one id counts
  void clear() { events.clear(); alerts.clear(); }
};

/// Evaluates the rules. Pure: no clock, no I/O, no thread; the same calls give the same output. The pump owns it.
/// Identity is resolved when a series is declared; per sample there is no string, no allocation, no look-up but an index.
class Engine {
 public:
  explicit Engine(std::vector<Rule> rules);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Makes the series known, before its first sample: matches it against every rule. Calling again with the same name
  /// updates unit and interval.
  void declare(SeriesId id, std::string_view name, const SeriesInfo& info, std::span<const std::string> labels);
  /// Names that literal patterns ask for, whether they have samples or not: the pump interns and declares them, so that
  /// a sensor that never spoke is missed.
  std::vector<std::string> literal_series() const;

  /// Takes over stored alerts after all series are declared. Records whose rule or series is gone are closed: an
  /// announced transition with cause "rule removed". Then warm() feeds the detectors' windows.
  void restore(std::span<const AlertRecord> records, Timestamp now, Output& out);
  /// Past samples, oldest first, for windows and freshness only: no phase changes, nothing is announced.
  void warm(std::span<const Sample> samples);
  /// How far back warm() has to reach.
  Micros lookback() const;

  void observe(std::span<const Sample> samples, Output& out);
  /// Timers: `for`, `clear_after`, `absence`. At least a few times a second, with the gateway's clock.
  void tick(Timestamp now, Output& out);
  /// False: there is no such alert, or it is not active (nothing to acknowledge).
  bool acknowledge(const Acknowledge& wish, Timestamp now, Output& out);

  struct RuleStatus {
    std::string name;
    std::size_t instances;   ///< series that it watches
    std::size_t active;
  };
  std::vector<RuleStatus> status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::rules
