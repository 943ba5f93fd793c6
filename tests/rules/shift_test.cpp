// `shift` beside its definition, computed anew from all samples.

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// What the method makes of distances in a row, each with the standard deviation of its time; the last is the newest.
double chart(const std::string& method, const std::vector<std::pair<double, double>>& distances, double sigmas) {
  double sum = 0, weight = 0.02, mean = 0;
  for (const auto& [distance, sigma] : distances) {
    if (method == "cusum") sum = std::max(0.0, sum + distance / sigma - sigmas / 2);
    if (method == "page_hinkley") sum = std::max(0.0, sum + distance - sigmas / 2 * sigma);
    mean = (1 - weight) * mean + weight * distance / sigma;
  }
  if (method == "page_hinkley") return sum / distances.back().second;
  return method == "cusum" ? sum : std::max(0.0, mean / std::sqrt(weight / (2 - weight)));
}

class Definition {
 public:
  Definition(std::string method, Micros over, double sigmas)
      : method_(std::move(method)), over_(over), sigmas_(sigmas) {}

  Finding observe(const Sample& sample) {
    const double least = method_ == "ewma" ? 3 : 5, factor = method_ == "ewma" ? 1.5 : 2;
    Finding found{Verdict::hold, 0, least};
    std::vector<Sample> before;
    for (const Sample& old : all_)
      if (old.time > sample.time - over_) before.push_back(old);
    all_.push_back(sample);
    if (before.size() < 30 || (before.back().time - before.front().time) * 2 < over_) return found;
    long double mean = 0, squares = 0;
    for (const Sample& old : before) mean += static_cast<long double>(old.value);
    mean /= static_cast<long double>(before.size());
    for (const Sample& old : before) squares += std::pow(static_cast<long double>(old.value) - mean, 2.0L);
    const double rounding = 1e-12 * std::abs(static_cast<double>(mean));
    const auto sigma = static_cast<double>(std::sqrt(squares / static_cast<long double>(before.size()))) + rounding;
    const double most = 3 * sigma;
    parts_.push_back({sample.time, {std::clamp(sample.value - static_cast<double>(mean), -most, most), sigma}});
    std::vector<std::pair<double, double>> up, down;
    for (const auto& [time, part] : parts_) {
      if (time <= sample.time - over_) continue;
      up.push_back(part);
      down.emplace_back(-part.first, part.second);
    }
    const double rise = chart(method_, up, sigmas_), fall = chart(method_, down, sigmas_), size = std::max(rise, fall);
    sizes_.emplace_back(sample.time, size);
    std::vector<std::pair<Timestamp, double>> past;
    for (const auto& each : sizes_)
      if (each.first <= sample.time - over_ && each.first > sample.time - 8 * over_) past.push_back(each);
    if (past.empty() || past.back().first - past.front().first < over_) return found;
    double largest = 0;
    for (const auto& each : past) largest = std::max(largest, each.second);
    found.limit = std::max(least, factor * largest);
    found.value = rise >= fall ? rise : -fall;
    if (size > found.limit) found.verdict = Verdict::breach;
    if (size < found.limit / 2) found.verdict = Verdict::clear;
    return found;
  }

 private:
  std::string method_;
  Micros over_;
  double sigmas_;
  std::vector<Sample> all_;
  std::vector<std::pair<Timestamp, std::pair<double, double>>> parts_;
  std::vector<std::pair<Timestamp, double>> sizes_;
};

TEST(Shift, IsItsDefinition) {
  for (const std::string method : {"cusum", "page_hinkley", "ewma"}) {
    std::map<Verdict, int> seen;
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      const auto watched = detector("shift: {sigmas: 1.5, over: 20s, method: " + method + "}");
      Definition definition(method, seconds(20), 1.5);
      int number = 0;
      for (const Sample& sample : restless(seed, 1200)) {
        const Finding found = watched->observe(sample), expected = definition.observe(sample);
        ASSERT_EQ(found.verdict, expected.verdict) << method << " seed " << seed << " sample " << number;
        ASSERT_NEAR(found.value, expected.value, 1e-6 * (1 + std::abs(expected.value))) << method << " seed " << seed;
        ASSERT_NEAR(found.limit, expected.limit, 1e-6 * expected.limit) << method << " seed " << seed;
        ++seen[found.verdict];
        ++number;
      }
    }
    for (const Verdict verdict : {Verdict::clear, Verdict::hold, Verdict::breach})
      EXPECT_GT(seen[verdict], 20) << method;
  }
}

/// Samples a minute, of which each is independent of the others.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : random_(seed) {}
  Sample next(double mean) { return at(now_ += minutes(1), mean + normal_(random_)); }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_{0, 1};
  Timestamp now_ = kStart;
};

TEST(Shift, FindsALastingOneAndNoneWhereThereIsNone) {
  for (const std::string method : {"cusum", "page_hinkley", "ewma"}) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const auto watched = detector("shift: {over: 12h, method: " + method + "}");
      Noise noise(seed);
      for (int i = 0; i < 12'000; ++i)
        ASSERT_NE(watched->observe(noise.next(50)).verdict, Verdict::breach)
            << method << " seed " << seed << " at " << i;
      int delay = 0;
      Finding found;
      while (delay < 1000 && (found = watched->observe(noise.next(51))).verdict != Verdict::breach) ++delay;
      EXPECT_LT(delay, 250) << method << " seed " << seed;
      EXPECT_GT(found.value, found.limit);
    }
  }
}

TEST(Shift, AnOutlierIsNone) {
  const auto watched = detector("shift: {over: 6h}");
  Noise noise(3);
  for (int i = 0; i < 6000; ++i) {
    Sample sample = noise.next(50);
    if (i % 500 == 499) sample.value += 1e6;
    ASSERT_NE(watched->observe(sample).verdict, Verdict::breach) << i;
  }
}

/// Swings that come each day are the series' own.
TEST(Shift, ADailySeasonIsNone) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto watched = detector("shift: {}");
    Noise noise(seed);
    for (int i = 0; i < 20 * 1440; ++i) {
      const double season = 10 * std::sin(2 * M_PI * i / 1440);
      ASSERT_NE(watched->observe(noise.next(50 + season)).verdict, Verdict::breach) << "seed " << seed << " at " << i;
    }
  }
}

TEST(Shift, NeitherHugeNumbersNorAConstantUpsetIt) {
  const auto watched = detector("shift: {over: 1h}");
  Noise noise(4);
  for (int i = 0; i < 3000; ++i) {
    Sample sample = noise.next(0);
    sample.value = i < 1000 ? 7 : i % 2 == 0 ? 1.7e308 : -1.7e308;
    const Finding found = watched->observe(sample);
    ASSERT_TRUE(std::isfinite(found.value) && found.verdict != Verdict::breach) << i;
  }
}

TEST(Shift, GoesOnAfterItsLookbackAsIfItHadNeverBeenAway) {
  for (const std::string method : {"cusum", "page_hinkley", "ewma"}) {
    const auto lasting = detector("shift: {over: 15s, method: " + method + "}");
    std::vector<Sample> all;
    for (const Sample& sample : restless(9, 2000)) {
      all.push_back(sample);
      const Finding found = lasting->observe(sample);
      if (all.size() % 7 != 0) continue;
      const auto restarted = detector("shift: {over: 15s, method: " + method + "}");
      Finding again;
      for (const Sample& old : within(all, restarted->lookback())) again = restarted->observe(old);
      ASSERT_EQ(again.verdict, found.verdict) << method << " sample " << all.size();
      ASSERT_NEAR(again.limit, found.limit, 1e-9 * found.limit) << method << " sample " << all.size();
    }
  }
}

TEST(Shift, IsOfMeasuredValues) {
  EXPECT_EQ(watch("shift: {}", {SeriesKind::counter, "l", "", Micros{0}, {}}).error().text,
            "it is a counter, which is never where it was: use trend or change");
  EXPECT_FALSE(watch("shift: {}", {SeriesKind::boolean, "", "", Micros{0}, {}}));
}

}  // namespace
}  // namespace tidegate::rules
