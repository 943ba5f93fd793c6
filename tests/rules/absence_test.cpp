// Absence without `for`: how often a series speaks, against the definition, computed anew from all samples at every
// one.

#include <algorithm>

#include "rules/engine.h"
#include "rules/usual_gap.h"
#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Micros usual_by_definition(const std::vector<Timestamp>& all) {
  std::vector<Micros> gaps;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i - 1] > all.back() - hours(24) && all[i] != all[i - 1]) gaps.push_back(all[i] - all[i - 1]);
  }
  if (gaps.size() > 64) gaps.erase(gaps.begin(), gaps.end() - 64);
  if (gaps.size() < 8) return Micros{0};
  std::sort(gaps.begin(), gaps.end());
  const auto more = [&](Micros gap) { return gaps.end() - std::upper_bound(gaps.begin(), gaps.end(), gap); };
  for (const Micros gap : gaps) {
    if (more(gap) * 16 <= static_cast<std::ptrdiff_t>(gaps.size())) return gap;
  }
  return gaps.back();
}

/// A pace that changes, with bursts, outages and two samples of one moment.
std::vector<Timestamp> uneven(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::vector<Timestamp> times{kStart};
  std::uint64_t pace = 1000;
  for (int i = 1; i < count; ++i) {
    if (random() % 50 == 0) pace = std::uint64_t{1} << (random() % 25);
    Micros step = std::chrono::milliseconds(random() % pace);
    if (random() % 100 == 0) step = minutes(random() % 3000);
    times.push_back(times.back() + step);
  }
  return times;
}

TEST(Absence, TheUsualGapIsItsDefinition) {
  int unknown = 0, known = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    UsualGap usual;
    std::vector<Timestamp> all;
    for (const Timestamp time : uneven(seed, 1000)) {
      all.push_back(time);
      usual.add(time);
      const Micros expected = usual_by_definition(all);
      ASSERT_EQ(usual.length(), expected) << "seed " << seed << " sample " << all.size();
      ++(expected == Micros{0} ? unknown : known);
    }
  }
  EXPECT_GT(unknown, 1000);
  EXPECT_GT(known, 1000);
}

TEST(Absence, WaitsThreeIntervalsOfTheSource) {
  SeriesInfo info;
  info.expected_interval = minutes(1);
  const auto watched = detector("absence: {}", info);
  watched->listen(kStart);
  EXPECT_EQ(watched->deadline(), kStart + minutes(3));
  watched->observe(at(kStart + minutes(2), 1));
  EXPECT_EQ(watched->deadline(), kStart + minutes(5));
  info.expected_interval = std::chrono::milliseconds(10);
  const auto fast = detector("absence: {}", info);
  fast->listen(kStart);
  EXPECT_EQ(fast->deadline(), kStart + seconds(2)) << "a hiccup is no silence";
}

TEST(Absence, MissesNothingBeforeItKnowsTheInterval) {
  const auto watched = detector("absence: {}");
  watched->listen(kStart);
  EXPECT_EQ(watched->deadline(), kNever);
  for (int i = 0; i < 8; ++i) {
    watched->observe(at(kStart + minutes(i), 1));
    ASSERT_EQ(watched->deadline(), kNever) << i;
  }
  watched->observe(at(kStart + minutes(8), 1));
  EXPECT_EQ(watched->deadline(), kStart + minutes(11));
  Sample retained = at(kStart + minutes(9), 1);
  retained.reason = Reason::retained;
  watched->observe(retained);
  EXPECT_EQ(watched->deadline(), kStart + minutes(11)) << "old news teach nothing";
}

TEST(Absence, AnOutageNowAndThenTeachesNothing) {
  const auto watched = detector("absence: {}");
  Timestamp now = kStart;
  for (int i = 0; i < 1000; ++i) {
    now += i % 40 == 39 ? minutes(20) : minutes(1);
    watched->observe(at(now, 1));
    if (i > 80) {
      ASSERT_EQ(watched->deadline(), now + minutes(3)) << i;
    }
  }
}

TEST(Absence, ASeriesThatSpeaksInBurstsIsNotSilentBetweenThem) {
  const auto watched = detector("absence: {}");
  Timestamp now = kStart;
  for (int i = 0; i < 1000; ++i) {
    now += i % 8 == 7 ? minutes(10) : Micros(seconds(1));
    watched->observe(at(now, 1));
    ASSERT_TRUE(watched->deadline() == kNever || i < 8 || watched->deadline() == now + minutes(30)) << i;
  }
}

/// A gateway that was off for a moment knows at the same time as one that was not that the series is silent.
TEST(Absence, ARestartForgetsNothing) {
  int deadlines = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto lasting = detector("absence: {}");
    std::vector<Sample> all;
    for (const Timestamp time : uneven(seed, 400)) {
      all.push_back(at(time, 1));
      lasting->observe(all.back());
      if (lasting->deadline() == kNever) continue;
      ++deadlines;
      const auto restarted = detector("absence: {}");
      for (const Sample& old : all) {
        if (old.time > lasting->deadline() - restarted->lookback()) restarted->observe(old);
      }
      ASSERT_EQ(restarted->deadline(), lasting->deadline()) << "seed " << seed << " sample " << all.size();
    }
  }
  EXPECT_GT(deadlines, 1000);
}

}  // namespace
}  // namespace tidegate::rules
