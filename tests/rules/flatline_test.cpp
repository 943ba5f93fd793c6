// The flatline detector against its definition, sample by sample.

#include <algorithm>

#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The words of docs/rules.md over all samples there ever were.
Verdict by_definition(const std::vector<Sample>& all, Micros patience, double tolerance) {
  const Timestamp now = all.back().time, edge = now - patience;
  std::size_t first = all.size() - 1;
  while (first > 0 && all[first - 1].time > edge) --first;
  if (first > 0 && all[first - 1].time > edge - patience / 2) --first;
  double low = all[first].value, high = low;
  bool whole = all[first].time <= edge;
  for (std::size_t i = first + 1; i < all.size(); ++i) {
    low = std::min(low, all[i].value);
    high = std::max(high, all[i].value);
    if (all[i].time - all[i - 1].time > patience / 2) whole = false;
  }
  if (high - low > tolerance) return Verdict::clear;
  return whole ? Verdict::breach : Verdict::hold;
}

TEST(Flatline, IsItsDefinitionOnRandomSamples) {
  int seen[3] = {};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::mt19937_64 random(seed);
    const auto watched = detector("flatline: {for: 10s, tolerance: 0.5}");
    std::vector<Sample> all;
    Timestamp now = kStart;
    double value = 20;
    for (int i = 0; i < 1500; ++i) {
      now += random() % 60 == 0 ? milliseconds(random() % 20'000) : milliseconds(random() % 800);
      if (random() % 30 == 0) value += static_cast<double>(random() % 5) * 0.25 - 0.5;
      all.push_back(at(now, value));
      const Finding found = watched->observe(all.back());
      const Verdict expected = by_definition(all, seconds(10), 0.5);
      ASSERT_EQ(found.verdict, expected) << "seed " << seed << " sample " << i;
      ASSERT_EQ(found.value, value);
      ++seen[static_cast<int>(expected)];
    }
  }
  for (const int times : seen) EXPECT_GT(times, 1000);
}

TEST(Flatline, GoesOnAfterItsLookbackAsIfItHadNeverBeenAway) {
  expect_lookback_suffices("flatline: {for: 10s}", 7);
  expect_lookback_suffices("flatline: {for: 8s, tolerance: 0.5}", 8);
}

/// 10,000 samples a second: the window is kept in runs, and its edge is that much coarser.
TEST(Flatline, ADenseWindowFiresAtMostAFourThousandthLate) {
  const auto watched = detector("flatline: {for: 10s}");
  watched->observe(at(kStart, 19));
  Timestamp fired{};
  for (int i = 1; i < 150'000 && fired == Timestamp{}; ++i) {
    const Timestamp now = kStart + Micros{i * 100};
    if (watched->observe(at(now, 20)).verdict == Verdict::breach) fired = now;
  }
  EXPECT_GE(fired, kStart + seconds(10));
  EXPECT_LE(fired, kStart + seconds(10) + milliseconds(6));
}

TEST(Flatline, StatesHaveNoTolerance) {
  const auto made = watch("flatline: {for: 1h, tolerance: 1}", {SeriesKind::state, "", "", Micros{0}, {}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "it is a series of states, which have no size: leave tolerance out");
  EXPECT_TRUE(detector("flatline: {for: 1h}", {SeriesKind::boolean, "", "", Micros{0}, {}}));
}

}  // namespace
}  // namespace tidegate::rules
