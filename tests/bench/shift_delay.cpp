#include "tests/bench/shift_delay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/bench/contender.h"

namespace tidegate::bench {
namespace {

using Noise = std::normal_distribution<double>;

/// Mean number of samples until a CUSUM in both directions with k = 0.5 exceeds 5, from 0.
double bare_run_length(double shift, std::mt19937_64& random) {
  constexpr int kRuns = 4000;
  Noise noise(shift, 1);
  std::int64_t samples = 0;
  for (int run = 0; run < kRuns; ++run) {
    double up = 0, down = 0;
    while (up <= 5 && down <= 5) {
      const double value = noise(random);
      up = std::max(0.0, up + value - 0.5);
      down = std::max(0.0, down - value - 0.5);
      ++samples;
    }
  }
  return static_cast<double>(samples) / kRuns;
}

/// Samples from the shift to the alarm, the median of some runs: a sample a minute, the shift after 12 days.
double product_delay(const Contender& contender, double shift, std::mt19937_64& random) {
  constexpr int kRuns = 25, kBefore = 12 * 1440;
  std::vector<int> delays;
  for (int run = 0; run < kRuns; ++run) {
    const auto detector = contender.make({});
    Noise noise(0, 1);
    rules::Verdict verdict = rules::Verdict::hold;
    int minute = 0;
    for (; minute < kBefore + 1440 && (minute < kBefore || verdict != rules::Verdict::breach); ++minute) {
      const double value = noise(random) + (minute < kBefore ? 0 : shift);
      const Timestamp time{std::chrono::minutes(28'000'000 + minute)};
      verdict = detector->observe({SeriesId{0}, Quality::good, Reason::none, time, value}).verdict;
    }
    delays.push_back(minute - kBefore);
  }
  std::nth_element(delays.begin(), delays.begin() + kRuns / 2, delays.end());
  return delays[kRuns / 2];
}

}  // namespace

std::string shift_delays() {
  std::mt19937_64 random(1);
  std::string text =
      "\nshift of independent normal samples: how many until the alarm (median of 25; 1440: not within a day), and "
      "the\n"
      "average run length of a bare CUSUM, h = 5 and k = 0.5\n";
  text += fmt::format("  {:<20} {:>9} {:>9} {:>9} {:>9}\n", "", "none", "0.5 σ", "1 σ", "2 σ");
  text += fmt::format("  {:<20}", "bare CUSUM");
  for (const double shift : {0.0, 0.5, 1.0, 2.0}) text += fmt::format(" {:>9.1f}", bare_run_length(shift, random));
  for (const Contender& contender : contenders()) {
    if (!contender.name.starts_with("shift")) continue;
    text += fmt::format("\n  {:<20} {:>9}", contender.name, "");
    for (const double shift : {0.5, 1.0, 2.0}) text += fmt::format(" {:>9}", product_delay(contender, shift, random));
  }
  return text + "\n";
}

}  // namespace tidegate::bench
