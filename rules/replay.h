#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/engine.h"

namespace tidegate::rules {

/// One time that an alert was up.
struct Firing {
  Timestamp raised{}, ended{};
  bool is_over = false;         ///< else `ended` is where the replay ends
  double value = 0;             ///< when it was raised
  std::string message;          ///< likewise
  std::string suppressed_by{};  ///< the alert that explained it all the time: nobody would have been called
};

/// Series that are made of others while it is replayed, because nothing is stored of them.
struct Makes {
  std::vector<Rule> rules{};                 ///< as parse_derived() gives them
  std::map<std::string, SeriesId> series{};  ///< which of theirs, by name; no other series has these numbers
};

/// What a rule would have made of a series' past: the engine, run over stored samples in their own time. Nobody
/// acknowledges. Not thread-safe.
class Replay {
 public:
  /// `rules[subject]` where it watches `series`, among the rules that suppress it. `unwatched`: stretches in which the
  /// gateway was off, in order; silence in them proves nothing.
  Replay(std::vector<Rule> rules, std::size_t subject, std::string_view series, std::vector<Interval> unwatched,
         Makes makes = {});

  /// As of the engine, for each series that one of the rules looks at and that is not made, at the time of its first
  /// sample.
  void declare(SeriesId id, std::string_view name, const SeriesInfo& info, std::span<const std::string> labels,
               Timestamp now);
  /// A value that a series had before the replay began.
  void recall(SeriesId id, const Sample& newest);
  /// Samples of a series, whatever number they carry. In order of time, of all series.
  void observe(SeriesId id, std::span<const Sample> samples);
  /// After the last one: lets time pass until then.
  void finish(Timestamp until);

  /// Why the rule does not watch the series, or why one that it reads is not made, or empty.
  std::string problem() const;
  const std::string& alert() const { return alert_; }
  const std::vector<Firing>& firings() const { return firings_; }

 private:
  void declare_made(Timestamp now);
  void pass(Timestamp until);
  void tick_until(Timestamp until);
  void tick(Timestamp now);
  void take();
  void take(Timestamp at, const AlertTransition& transition);

  const std::string alert_;
  const std::size_t subject_;
  const std::map<std::string, SeriesId> made_;
  bool has_begun_ = false;
  Engine engine_;
  Output out_;
  const std::vector<Interval> unwatched_;
  std::size_t passed_ = 0;  ///< of `unwatched_`
  std::optional<Timestamp> now_;
  std::vector<Firing> firings_;
};

}  // namespace tidegate::rules
