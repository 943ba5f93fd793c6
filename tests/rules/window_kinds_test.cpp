// Forecast, change and deviation against their definitions, computed anew from all samples at every one.

#include <algorithm>
#include <cmath>
#include <tuple>

#include "rules/rank_window.h"
#include "rules/slope_window.h"
#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::seconds;

/// Runs a detector beside its definition; each verdict must come up.
template <class Definition>
void expect_is(const std::string& condition, const Definition& definition, double tolerance = 1e-9) {
  int seen[3] = {};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto watched = detector(condition);
    std::vector<Sample> all;
    for (const Sample& sample : restless(seed, 1000)) {
      all.push_back(sample);
      const Finding found = watched->observe(sample);
      const Finding expected = definition(all);
      ASSERT_EQ(found.verdict, expected.verdict) << condition << " seed " << seed << " sample " << all.size();
      if (std::isfinite(expected.value)) {
        ASSERT_NEAR(found.value, expected.value, tolerance * std::max(1.0, std::abs(expected.value)))
            << condition << " seed " << seed << " sample " << all.size();
      }
      ASSERT_EQ(found.limit, expected.limit);
      ++seen[static_cast<int>(expected.verdict)];
    }
  }
  for (const int times : seen) EXPECT_GT(times, 100) << condition;
}

TEST(Forecast, IsItsDefinition) {
  expect_is(
      "forecast: {above: 24, within: 20s, from: 30s, clear_beyond: 60s, min_points: 5}",
      [](const std::vector<Sample>& all) -> Finding {
        const auto held = within(all, seconds(30));
        long double n = 0, t = 0, v = 0, tt = 0, tv = 0;
        const auto time = [&](const Sample& sample) {
          return static_cast<long double>((sample.time - held.back().time).count()) * 1e-6L;
        };
        for (const Sample& sample : held) {
          ++n;
          t += time(sample);
          v += static_cast<long double>(sample.value);
        }
        t /= n;
        v /= n;
        for (const Sample& sample : held) {
          tt += (time(sample) - t) * (time(sample) - t);
          tv += (time(sample) - t) * (static_cast<long double>(sample.value) - v);
        }
        Finding found{Verdict::hold, std::numeric_limits<double>::infinity(), 20};
        if (!(tt > 0)) return found;
        const long double slope = tv / tt, now = v - slope * t;
        found.value = now > 24 ? 0 : slope > 0 ? static_cast<double>((24 - now) / slope) : found.value;
        if (held.size() < 5 || held.back().time - held.front().time < seconds(15)) return found;
        if (found.value <= 20) found.verdict = Verdict::breach;
        if (found.value > 60) found.verdict = Verdict::clear;
        return found;
      },
      1e-6);
}

TEST(Forecast, CountsDownToTheLimitAndDoesNotForgetThatItIsReached) {
  const auto watched = detector("forecast: {below: 10, within: 100s, from: 20s}");
  for (int i = 0; i <= 120; ++i) {
    const Finding found = watched->observe(at(kStart + seconds(i), 110 - i));
    if (i < 10) continue;
    EXPECT_NEAR(found.value, std::max(0, 100 - i), 1e-9);
    EXPECT_EQ(found.verdict, Verdict::breach);
  }
}

TEST(Forecast, NoiseHasNoLine) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(0, 5);
  const auto strict = detector("forecast: {above: 30, within: 2m, from: 20s, min_fit: 0.8}");
  const auto lax = detector("forecast: {above: 30, within: 2m, from: 20s}");
  int raised = 0, raised_strictly = 0;
  for (int i = 0; i < 2000; ++i) {
    const Sample sample = at(kStart + seconds(i), 20 + noise(random));
    raised += lax->observe(sample).verdict == Verdict::breach ? 1 : 0;
    raised_strictly += strict->observe(sample).verdict == Verdict::breach ? 1 : 0;
  }
  EXPECT_GT(raised, 100);
  EXPECT_EQ(raised_strictly, 0);
}

TEST(Forecast, WhatIsBeyondTheLimitNeedsNoLine) {
  std::mt19937_64 random(6);
  std::normal_distribution<double> noise(0, 1);
  const auto watched = detector("forecast: {above: 95, within: 2m, from: 20s, min_fit: 0.8}");
  for (int i = 0; i < 200; ++i) {
    const Finding found = watched->observe(at(kStart + seconds(i), 110 + noise(random)));
    if (i < 10) continue;
    ASSERT_EQ(found.verdict, Verdict::breach) << i;
  }
}

Finding change(const std::vector<Sample>& all, Micros width, double limit, double clear, bool up, bool down) {
  const auto held = within(all, width);
  double rise = 0, fall = 0;
  for (const Sample& sample : held) {
    rise = std::max(rise, held.back().value - sample.value);
    fall = std::max(fall, sample.value - held.back().value);
  }
  const bool fell = down && (!up || fall > rise);
  const double size = fell ? fall : rise;
  Finding found{Verdict::hold, fell && up ? -size : size, limit};
  if (held.size() > 1 && size > limit) found.verdict = Verdict::breach;
  if (held.size() > 1 && size < clear) found.verdict = Verdict::clear;
  return found;
}

TEST(Change, IsItsDefinition) {
  const auto either = [](const auto& all) { return change(all, seconds(6), 3, 1.5, true, true); };
  expect_is("change: {by: 3, within: 6s}", either);
  const auto up = [](const auto& all) { return change(all, seconds(10), 4, 3, true, false); };
  expect_is("change: {rises_by: 4, within: 10s, clear_below: 3}", up);
  const auto down = [](const auto& all) { return change(all, seconds(10), 4, 2, false, true); };
  expect_is("change: {falls_by: 4, within: 10s}", down);
}

/// From the first sample in the window to the newest; without one from the sample before it.
Finding change_rate(const std::vector<Sample>& all, std::optional<Micros> width, double limit, double clear,
                    bool above) {
  const auto held =
      width ? within(all, *width) : std::vector<Sample>(all.end() - std::min<long>(2, std::ssize(all)), all.end());
  Finding found{Verdict::hold, 0, limit};
  const Micros span = held.back().time - held.front().time;
  if (span == Micros{0}) return found;
  found.value = (held.back().value - held.front().value) / (static_cast<double>(span.count()) * 1e-6);
  if (width && 2 * span < *width) return found;
  if (above ? found.value < clear : found.value > clear) found.verdict = Verdict::clear;
  if (above ? found.value > limit : found.value < limit) found.verdict = Verdict::breach;
  return found;
}

TEST(Change, ItsRateIsItsDefinition) {
  const auto above = [](const auto& all) { return change_rate(all, seconds(6), 0.25, 0.125, true); };
  expect_is("change: {rate_above: 0.25 /s, within: 6s}", above);
  const auto below = [](const auto& all) { return change_rate(all, seconds(6), 0.125, 0.25, false); };
  expect_is("change: {rate_below: 0.125 /s, within: 6s, clear_above: 0.25 /s}", below);
  const auto next = [](const auto& all) { return change_rate(all, std::nullopt, 0.5, 0.25, true); };
  expect_is("change: {rate_above: 30 /min, clear_below: 0.25 /s}", [&](const auto& all) {
    Finding found = next(all);
    found.value *= 60;
    found.limit *= 60;
    return found;
  });
}

TEST(Change, ACounterThatBeganAnewKeepsItsRate) {
  SeriesInfo counter;
  counter.kind = SeriesKind::counter;
  for (const char* window : {"", ", within: 5s"}) {
    const auto watched = detector(std::string("change: {rate_above: 3 /s") + window + "}", counter);
    for (int i = 0; i < 100; ++i) {
      const Finding found = watched->observe(at(kStart + seconds(i), 4 + i * 4 % 200));  // of 200 it goes to 4
      if (i < 5) continue;
      ASSERT_EQ(found.value, 4) << i;
    }
  }
}

TEST(Change, InPercentIsOfTheValueFromWhichItChanged) {
  const auto rises = detector("change: {rises_by: 20 %, within: 1m}", {SeriesKind::number, "bar", "", Micros{0}, {}});
  EXPECT_EQ(rises->observe(at(kStart, 10)).verdict, Verdict::hold) << "one value has not changed";
  EXPECT_EQ(rises->observe(at(kStart + seconds(1), 12)).verdict, Verdict::hold) << "20 % is not more than 20 %";
  const Finding found = rises->observe(at(kStart + seconds(2), 15));
  EXPECT_EQ(found.verdict, Verdict::breach);
  EXPECT_DOUBLE_EQ(found.value, 50);
  const auto in = [](const char* unit) {
    const auto watched = watch("change: {rises_by: 20 %, within: 1m}", {SeriesKind::number, unit, "", Micros{0}, {}});
    watched->detector->observe(at(kStart, 10));
    const Finding after = watched->detector->observe(at(kStart + seconds(2), 15));
    return std::tuple(after.value, after.limit, watched->unit);
  };
  EXPECT_EQ(in("%"), std::tuple(5, 20, "%")) << "a series in % changes by points";
  EXPECT_EQ(in("%RH"), std::tuple(5, 20, "%RH"));
  EXPECT_EQ(in("ppm"), std::tuple(50, 20, "%")) << "of a few ppm 20 % are not 200,000";
  EXPECT_EQ(in("bar"), std::tuple(50, 20, "%"));
  EXPECT_EQ(in(""), std::tuple(50, 20, "%")) << "of what it measures nothing is known";
}

TEST(Change, ACounterThatBeginsAnewHasNotFallen) {
  const SeriesInfo info{SeriesKind::counter, "", "", Micros{0}, {}};
  const auto watched = detector("change: {by: 100, within: 1m}", info);
  Finding found;
  int second = 0;
  for (const double value : {1000.0, 1040.0, 10.0, 50.0}) {
    found = watched->observe(at(kStart + seconds(second++), value));
    EXPECT_NE(found.verdict, Verdict::breach) << value;
  }
  EXPECT_DOUBLE_EQ(found.value, 90) << "40 before it began anew, 50 since";
  EXPECT_FALSE(watch("change: {falls_by: 100, within: 1m}", info));
}

TEST(Change, OfACounterIsNotInPercent) {
  const auto refused = watch("change: {rises_by: 20 %, within: 1m}", {SeriesKind::counter, "l", "", Micros{0}, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "it is a counter: write by how many units");
}

TEST(Change, AWildReadingOfACounterLeavesNoTrace) {
  const auto watched = detector("change: {by: 100, within: 10s}", {SeriesKind::counter, "", "", Micros{0}, {}});
  for (int i = 0; i < 60; ++i) {
    const Finding found = watched->observe(at(kStart + seconds(i), i == 20 ? 3.4e38 : 1000 + 5 * i));
    if (i >= 20 && i < 31)
      continue;  // in the window: it, and the fall from it, which looks as if the counter began anew
    EXPECT_EQ(found.value, std::min(i, 9) * 5) << i;
    EXPECT_EQ(found.verdict, i == 0 ? Verdict::hold : Verdict::clear) << i;
  }
}

/// A counter that begins anew now and then, beside one that does not: each sample, and what was taken from it.
class Counters : public ::testing::Test {
 protected:
  struct Step {
    Sample whole, broken;
    double taken;
  };
  static std::vector<Step> steps() {
    std::mt19937_64 random(7);
    std::vector<Step> all;
    Timestamp now = kStart;
    double value = 500, taken = 0;
    for (int i = 0; i < 5000; ++i) {
      now += std::chrono::milliseconds(200 + random() % 1600);
      const bool is_seen = value - taken > 60;  // what it counts next is less
      if (random() % 40 == 0 && is_seen) taken = value;
      value += static_cast<double>(random() % 20) * (i / 500 % 2 == 0 ? 0.1 : 3);
      all.push_back({at(now, value), at(now, value - taken), taken});
    }
    return all;
  }
  static inline const SeriesInfo kInfo{SeriesKind::counter, "l", "", Micros{0}, {}};
};

TEST_F(Counters, TrendDoesNotSeeThatOneBeginsAnew) {
  const char* condition = "trend: {rising: 10 /s, over: 20s, min_fit: 0.5}";
  const auto numbers = detector(condition), counters = detector(condition, kInfo);
  int raised = 0;
  for (const Step& step : steps()) {
    const Finding expected = numbers->observe(step.whole), found = counters->observe(step.broken);
    ASSERT_EQ(found.verdict, expected.verdict);
    ASSERT_NEAR(found.value, expected.value, 1e-9 * std::max(1.0, std::abs(expected.value)));
    raised += found.verdict == Verdict::breach ? 1 : 0;
  }
  EXPECT_GT(raised, 1000);
  EXPECT_FALSE(watch("trend: {falling: 10 /s, over: 20s}", kInfo));
}

/// The line that leads on from where the counter now is.
TEST_F(Counters, ForecastDoesNotSeeThatOneBeginsAnew) {
  const auto watched = detector("forecast: {above: 900, within: 1m, from: 20s}", kInfo);
  SlopeWindow window(seconds(20));
  int later = 0;
  for (const Step& step : steps()) {
    window.add(step.whole.time, step.whole.value);
    const Finding found = watched->observe(step.broken);
    const auto line = window.line();
    if (!line || line->slope < 1e-6) continue;
    const double left = std::max(0.0, (900 - (line->value - step.taken)) / line->slope);
    ASSERT_NEAR(found.value, left, 1e-6 * std::max(1.0, left));
    later += left > 0 ? 1 : 0;
  }
  EXPECT_GT(later, 1000);
  EXPECT_FALSE(watch("forecast: {below: 10, within: 1m, from: 20s}", kInfo));
}

Finding deviation(const std::vector<Sample>& all, Micros width, double limit, std::size_t least, bool robust) {
  Finding found{Verdict::hold, 0, limit};
  std::vector<double> values;
  for (const Sample& sample : within(all, width)) values.push_back(sample.value);
  const Timestamp oldest = all[all.size() - values.size()].time;
  values.pop_back();
  if (values.size() < least || (all[all.size() - 2].time - oldest) * 2 < width) return found;
  const auto median = [](std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of.size() % 2 == 1 ? of[of.size() / 2] : (of[of.size() / 2 - 1] + of[of.size() / 2]) / 2;
  };
  double middle = 0, sigma = 0;
  if (robust) {
    middle = median(values);
    std::vector<double> distances;
    for (const double value : values) distances.push_back(std::abs(value - middle));
    sigma = 1.4826 * median(distances);
  } else {
    long double sum = 0, squares = 0;
    for (const double value : values) sum += static_cast<long double>(value);
    sum /= static_cast<long double>(values.size());
    for (const double value : values) squares += std::pow(static_cast<long double>(value) - sum, 2.0L);
    middle = static_cast<double>(sum);
    sigma = static_cast<double>(std::sqrt(squares / static_cast<long double>(values.size())));
  }
  const double distance = all.back().value - middle;
  found.value = distance == 0 ? 0 : distance / sigma;
  const bool counts = std::abs(distance) > 0.2;
  if (counts && std::abs(found.value) > limit) found.verdict = Verdict::breach;
  if (!counts || std::abs(found.value) < limit / 2) found.verdict = Verdict::clear;
  return found;
}

TEST(Deviation, IsItsDefinition) {
  const auto mean = [](const auto& all) { return deviation(all, seconds(30), 2.5, 10, false); };
  expect_is("deviation: {sigmas: 2.5, over: 30s, min_points: 10, at_least: 0.2}", mean, 1e-6);
  const auto robust = [](const auto& all) { return deviation(all, seconds(30), 3, 12, true); };
  expect_is("deviation: {sigmas: 3, over: 30s, min_points: 12, at_least: 0.2, robust: true}", robust, 1e-9);
}

TEST(Deviation, OutliersBlindTheAverageButNotTheMedian) {
  const auto average = detector("deviation: {sigmas: 4, over: 100s, min_points: 20}");
  const auto robust = detector("deviation: {sigmas: 4, over: 100s, min_points: 20, robust: true}");
  std::mt19937_64 random(9);
  std::normal_distribution<double> noise(0, 0.1);
  Finding seen_by_average, seen_by_robust;
  for (int i = 0; i < 100; ++i) {
    const Sample sample = at(kStart + seconds(i), (i % 10 == 9 ? 30 : 20) + noise(random));
    seen_by_average = average->observe(sample);
    seen_by_robust = robust->observe(sample);
  }
  EXPECT_NE(seen_by_average.verdict, Verdict::breach);
  EXPECT_EQ(seen_by_robust.verdict, Verdict::breach);
}

/// A small signal on a large offset, over many more samples than the window holds.
TEST(Deviation, StaysExactAtALargeOffset) {
  const auto watched = detector("deviation: {sigmas: 5, over: 100s}");
  std::mt19937_64 random(11);
  std::normal_distribution<double> noise(0, 0.01);
  for (int i = 0; i < 200'000; ++i) {
    const Finding found = watched->observe(at(kStart + seconds(i), 1e9 + noise(random)));
    ASSERT_LT(std::abs(found.value), 6.5) << i;
  }
  EXPECT_GT(watched->observe(at(kStart + seconds(200'000), 1e9 + 0.2)).value, 15);
}

TEST(RankWindow, ADenseOneIsBoundedAndKeepsItsMedian) {
  RankWindow window(seconds(10));
  for (int i = 0; i < 200'000; ++i) {
    window.add(kStart + Micros{i * 200}, i % 1000);
    ASSERT_LE(window.count(), RankWindow::kMaxSamples);
  }
  EXPECT_GT(window.count(), 1000u);
  EXPECT_NEAR(window.median(), 500, 25);
}

/// The worst is a distance just below that at which all are kept, after a time with smaller ones.
TEST(RankWindow, KeepsWhatARuleMayAskFor) {
  for (const int distance : {2000, 2400, 2500, 4000, 4800, 4870, 4880}) {
    RankWindow window(seconds(10));
    Timestamp now = kStart;
    for (int i = 0; i < 10'000; ++i) window.add(now += Micros{1000}, i);
    for (int i = 0; i < 10'000; ++i) window.add(now += Micros{distance}, i);
    EXPECT_GE(window.count(), RankWindow::kSureSamples) << distance;
  }
}

TEST(WindowKinds, GoOnAfterTheirLookbackAsIfTheyHadNeverBeenAway) {
  for (const char* condition : {"forecast: {above: 24, within: 20s, from: 30s}", "change: {by: 3, within: 6s}",
                                "deviation: {sigmas: 2.5, over: 30s, min_points: 10}",
                                "deviation: {percent: 5, over: 20s, min_points: 10, robust: true}"}) {
    expect_lookback_suffices(condition, 3);
  }
}

}  // namespace
}  // namespace tidegate::rules
