#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/node.h"

/// Tests of rules that their users write and run: docs/testing-rules.md.
namespace tidegate::rules {

/// What came of a scenario.
struct Outcome {
  std::vector<std::string> failures;  ///< what went otherwise than expected, a sentence each; empty: all as written
  std::vector<std::string> timeline;  ///< every change of phase, in order: "40s hot:boiler1 pending -> active"
};

/// Plays a scenario on the engine, without threads and in its own time:
///
///   rule:   {name: hot, series: "{device}/temp", threshold: {above: 90}}   # or the name of one of `known`
///   rules:  [hot, {...}]                   # instead, for several
///   derived: [{name: boiler1/rise, value: "boiler1/temp - room/temp"}]  # written, or by their names
///   series: {boiler1/temp: {unit: °C}}     # only for those that need a unit, a kind or states, or whose clock is
///                                          # wrong: {lag: 1m}, {ahead: 1m}
///   every:  10s
///   feed:   {boiler1/temp: [80, 91x3, _, bad, "uncertain:91", "retained:91", nan, "80@5s"]}
///   acknowledge: [{at: 50s, alert: "hot:boiler1", who: Ada}]
///   shelve: [{at: 50s, alert: "hot:boiler1", who: Ada, for: 1h, why: "valve is being changed"}]
///   restart: [{at: 35s, down: 2m}]         # `down` may be missing
///   reload: [{at: 1m, rules: [...]}]
///   expect: [{at: 40s, "hot:boiler1": active, message: "...", severity: critical, value: 94, limit: 90, unit: °C}]
///   announced: ["40s hot:boiler1 raised"]  # exactly these, in order
///   published: ["40s lamps/boiler1 on"]    # likewise, by topic and payload
///   written: ["40s tank1/inlet_valve off"] # likewise, what they set points to; nothing is set
///   made: ["10s boiler1/rise 60 °C"]       # likewise, the samples of derived series
///   late: 1                                # samples that came too late
///
/// `91x3` repeats, `_` is a sample that does not come, `bad` a failed read, `80@5s` one that carries an older time.
/// With one rule an alert may be called by its captures alone: `boiler1: active`. The gateway's clock ticks each
/// second. At one moment samples come first, then the tick, then the operator, then what is expected is compared, then
/// comes the restart. `scenario` is as parse() gives it; `rules` and `derived` are those of a checked configuration, or
/// null.
Outcome run_scenario(config::Node scenario, const config::Node& rules, const config::Node& derived = {});

}  // namespace tidegate::rules
