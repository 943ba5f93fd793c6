#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::rules {

/// Runs a scenario, as rules.yaml authors write them, and returns what went otherwise than expected: one sentence each.
///
///   rule:   {name: hot, series: "{device}/temp", threshold: {above: 90}}   # or `rules:` with a list
///   series: {boiler1/temp: {unit: °C}}     # only for those that need a unit, a kind or states, or whose clock is
///                                          # wrong: {lag: 1m}, {ahead: 1m}
///   every:  10s
///   feed:   {boiler1/temp: [80, 91x3, _, bad, "uncertain:91", "retained:91", nan, "80@5s"]}
///   acknowledge: [{at: 50s, alert: "hot:boiler1", who: Ada}]
///   restart: [{at: 35s, down: 2m}]         # `down` may be missing
///   reload: [{at: 1m, rules: [...]}]
///   expect: [{at: 40s, "hot:boiler1": active, message: "...", severity: critical, value: 94, limit: 90, unit: °C}]
///   announced: ["40s hot:boiler1 raised"]  # exactly these, in order
///   late: 1                                # samples that came too late
///
/// `91x3` repeats, `_` is a sample that does not come, `bad` a failed read, `80@5s` one that carries an older time.
/// The gateway's clock ticks each second. At one moment samples come first, then the tick, then the operator, then
/// what is expected is compared, then comes the restart.
std::vector<std::string> run_scenario(std::string_view yaml, const std::string& file_name);

}  // namespace tidegate::rules
