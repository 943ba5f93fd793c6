#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/shrink.h"

namespace tidegate::test {

/// Of a test against a model. What a step does depends on its own seed alone, so that it does the same when others are
/// taken away.
template <class Kind>
struct Step {
  Kind kind;
  std::uint32_t seed;
};

/// So many of them; a kind comes as often as it weighs, in the order of the enum.
template <class Kind, std::size_t kinds>
std::vector<Step<Kind>> draw(std::uint32_t seed, std::size_t many, const int (&weights)[kinds]) {
  std::mt19937 random(seed);
  std::discrete_distribution<int> kind(std::begin(weights), std::end(weights));
  std::vector<Step<Kind>> steps(many);
  for (auto& step : steps) step = {static_cast<Kind>(kind(random)), static_cast<std::uint32_t>(random())};
  return steps;
}

/// Empty where `run` finds nothing wrong; else what it finds, and the fewest of the steps with which it finds anything.
template <class Kind>
std::string wrong_by_fewest(const std::vector<Step<Kind>>& steps,
                            const std::function<std::string(const std::vector<Step<Kind>>&)>& run) {
  using Steps = std::vector<Step<Kind>>;
  const std::string wrong = run(steps);
  if (wrong.empty()) return "";
  const Steps fewest = shrunk<Step<Kind>>(steps, [&run](const Steps& some) { return !run(some).empty(); });
  std::string words;
  for (const auto& step : fewest) words += fmt::format("{{{}, {}u}}, ", name(step.kind), step.seed);
  return fmt::format("{}\nfewest steps: {}\nthen: {}", wrong, words, run(fewest));
}

}  // namespace tidegate::test
