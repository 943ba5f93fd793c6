#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/engine.h"

namespace tidegate::rules {

/// One time that an alert was up.
struct Firing {
  Timestamp raised{}, ended{};
  bool is_over = false;  ///< else `ended` is where the replay ends
  double value = 0;      ///< when it was raised
  std::string message;   ///< likewise
};

/// What a rule would have made of a series' past: the engine, run over stored samples in their own time. Nobody
/// acknowledges. Not thread-safe.
class Replay {
 public:
  /// `unwatched`: stretches in which the gateway was off, in order; silence in them proves nothing.
  Replay(const Rule& rule, std::string_view series, const SeriesInfo& info, std::span<const std::string> labels,
         std::vector<Interval> unwatched);

  /// Samples of the series, whatever number they carry, in order of time.
  void observe(std::span<const Sample> samples);
  /// After the last one: lets time pass until then.
  void finish(Timestamp until);

  /// Why the rule does not watch this series, or empty.
  const std::string& problem() const { return problem_; }
  const std::string& alert() const { return alert_; }
  const std::vector<Firing>& firings() const { return firings_; }

 private:
  void pass(Timestamp until);
  void tick_until(Timestamp until);
  void take();

  Engine engine_;
  Output out_;
  std::string alert_, problem_;
  const std::string series_;
  const SeriesInfo info_;
  const std::vector<std::string> labels_;
  const std::vector<Interval> unwatched_;
  std::optional<Timestamp> now_;
  std::vector<Firing> firings_;
};

}  // namespace tidegate::rules
