#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/event.h"
#include "gateway/core/pattern.h"
#include "gateway/core/result.h"
#include "rules/alert.h"
#include "rules/detector.h"
#include "rules/publish.h"
#include "rules/reads.h"
#include "rules/write.h"

namespace tidegate::rules {

/// A detector fitted to one series, and the unit of what it finds.
struct Watch {
  std::unique_ptr<Detector> detector;
  std::string unit;
};

/// Fits a rule to one series; `labels` are a state series' texts by code. Errc::invalid, with a sentence for the user,
/// where the rule makes no sense for it: a unit that does not convert, a limit on a state series.
using MakeWatch = std::function<Result<Watch>(const Measured& info, const std::vector<std::string>& labels)>;

/// Fits a rule that reads several series: what is known of each of its `reads`, null where it was not seen yet (and of
/// patterns). The detector is a Joint. Errors as of MakeWatch.
using MakeJoint = std::function<Result<Watch>(std::span<const Known* const> inputs)>;

/// While this condition is true of the rule's captures, nobody is called for its alerts.
struct Suppression {
  std::string condition;  ///< its text
  std::vector<Reads> reads;
  MakeJoint join;
};

/// Whose samples are kept beyond their retention and sent upstream when its alert is raised, beside those of the series
/// that the rule reads; and how long before and behind it.
struct SnapshotPolicy {
  Micros before{0}, after{0};
  std::vector<Reads> series{};
};

/// The series that a rule makes; it has no alerts then, and its detectors are Derivers.
struct Derivation {
  std::string series;  ///< its name, with the captures of the rule's own
  Micros every{0};     ///< one sample for each so long; 0: for each of what it reads
  Micros repeat{-1};   ///< with a dead band: so long after the last one, with the next; 0: never; negative: it has none
  bool has_from = true;  ///< else the rule watches the series that it makes, of which it is told no sample
};

/// In what kinds of rule differ for others.
struct Traits {
  bool of_silence = false;          ///< watches for silence: what a series holds is nothing to it
  bool waits = false;               ///< has a delay of its own, so that the rule's `for` has no place
  bool finds_values = false;        ///< what it finds is a value of the series: a state is shown by its name
  std::string_view time_name = {};  ///< what it finds is a time, which its messages may call so: "age"
};

/// One rule, compiled. Shared by all its instances; immutable.
struct Rule {
  std::string name;
  Pattern series;
  std::string kind;       ///< its key: "threshold"
  std::string condition;  ///< the condition in words, for pages and messages: "above 90 °C, clear below 85 °C"
  MakeWatch make;
  AlertPolicy policy;
  Severity severity = Severity::warning;
  Template message;
  Labels labels;
  std::string runbook;
  Micros allowed_lateness{0};  ///< so late a sample may be and still be looked at, in order; so much later it decides
  bool good_only = false;      ///< leave `uncertain` samples out
  Traits traits;
  std::vector<std::string> suppressed_by{};  ///< rules whose raised alerts explain its own
  bool shadow = false;                       ///< on trial: evaluated and kept, and nobody is called
  bool holds_chatter = true;
  std::string version{};       ///< a fingerprint of what was written: that of an edited rule is another one
  std::vector<Reads> reads{};  ///< none: it reads the series that it watches, and `make` fits it
  MakeJoint join{};            ///< else this
  std::optional<Suppression> suppress_when{};
  std::vector<Publish> publish{};
  std::vector<Write> write{};
  std::optional<SnapshotPolicy> snapshot{};
  std::optional<Derivation> derives{};
  bool enabled = true;  ///< else it is checked, and not evaluated
  config::Mark at{};    ///< where it stands
};

/// The name of the series that `reads` means where the rule watches `series`; of a pattern its text.
std::string input_name(const Rule& rule, const Reads& reads, std::string_view series);

/// Two matches are of one thing where the captures that both patterns name agree: {device} of a pump and of its bus.
bool same_thing(const Captures& one, const Captures& other);

/// The shape of one item of `rules:` (for the root schema).
config::Shape rule_shape();
/// Compiles the items of `rules:`, which check() has seen; every problem is added at its place, and what is whole is
/// returned. Of an item in which check() refused something the rest is judged, so that all is told at once. Disabled
/// rules are checked, and returned where all are asked for.
enum class Which : std::uint8_t { enabled, all };
std::vector<Rule> parse_rules(const config::Node& rules, config::Problems& problems, Which which = Which::enabled);

}  // namespace tidegate::rules
