// `anomaly` beside its definition, written down without rings and counters: every cell that ever was, looked through
// anew.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "tests/rules/detector_support.h"

namespace tidegate::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kCells = 96, kSeasons = 7;

class Definition {
 public:
  Definition(Micros season, bool has_season) : season_(season), has_season_(has_season) {}

  double score(const Sample& sample) {
    const std::int64_t cell = cell_of(sample.time);
    seen_.push_back(sample);
    cells_[cell].push_back(sample.value);
    double rarity = 0;
    leap(sample, cell, rarity);
    level(cell, rarity);
    still(sample, cell, rarity);
    is_known = blocks("leap up", cell).size() >= 48;
    return is_known ? std::max(0.0, rarity - 2) : 0;
  }
  bool is_known = false;

 private:
  std::int64_t cell_of(Timestamp time) const {
    return static_cast<std::int64_t>(std::floor(static_cast<long double>(time.time_since_epoch().count()) * kCells /
                                                static_cast<long double>(season_.count())));
  }
  double mean(std::int64_t cell) const {
    double sum = 0;
    for (const double value : cells_.at(cell)) sum += value;
    return sum / static_cast<double>(cells_.at(cell).size());
  }

  std::optional<double> level_before(std::int64_t cell) {
    if (const auto known = levels_.find(cell); known != levels_.end()) return known->second;
    std::vector<double> means;
    bool has_early = false;
    for (std::int64_t at = cell - kCells; at < cell; ++at) {
      if (!cells_.contains(at)) continue;
      means.push_back(mean(at));
      has_early = has_early || at < cell - kCells * 3 / 4;
    }
    if (!has_early) return levels_[cell] = std::nullopt;
    std::sort(means.begin(), means.end());
    const std::size_t cut = means.size() / 10;
    double sum = 0;
    for (std::size_t i = cut; i < means.size() - cut; ++i) sum += means[i];
    return levels_[cell] = sum / static_cast<double>(means.size() - 2 * cut);
  }
  std::optional<double> offset(std::int64_t cell) {
    const auto level = level_before(cell);
    if (!level || !cells_.contains(cell)) return std::nullopt;
    return mean(cell) - *level;
  }

  std::vector<double> blocks(const std::string& aspect, std::int64_t cell) {
    std::vector<double> sizes;
    for (auto [at, size] : largest_[aspect])
      if (at < cell && at >= cell - kCells * kSeasons) sizes.push_back(size);
    std::sort(sizes.rbegin(), sizes.rend());
    return sizes;
  }
  void judge(const std::string& aspect, double size, std::int64_t cell, double least, double& rarity) {
    double known = 0;
    for (std::int64_t at = cell - 8; at <= cell; ++at)
      if (const auto found = largest_[aspect].find(at); found != largest_[aspect].end())
        known = std::max(known, found->second);
    const std::vector<double> sizes = blocks(aspect, cell);
    double& largest = largest_[aspect].emplace(cell, 0).first->second;
    largest = std::max(largest, size);
    if (sizes.size() < 48) return;
    const std::size_t odd =
        static_cast<std::size_t>(std::count_if(sizes.begin(), sizes.end(), [&](double each) { return each > least; }));
    const std::size_t top = std::min(std::max<std::size_t>(sizes.size() / 20, 4), odd);
    const double limit = top > 0 ? sizes[top - 1] : least;
    if (!(size > limit)) return;
    double logs = 1.2;
    for (std::size_t i = 0; i < top; ++i) logs += std::log(sizes[i] / limit);
    const double score = std::log10(static_cast<double>(sizes.size() + 1) / static_cast<double>(top + 1)) +
                         static_cast<double>(top + 4) * std::log10(1 + std::log(size / limit) / logs);
    rarity = std::max(rarity, size > 1.1 * known ? score : score / 2);
  }

  void leap(const Sample& sample, std::int64_t cell, double& rarity) {
    std::vector<double> recent;
    for (std::size_t i = seen_.size() - 1; i-- > 0 && recent.size() < 7;)
      if (seen_[i].time > sample.time - season_ / 4) recent.push_back(seen_[i].value);
    if (recent.size() < 3) return;
    std::sort(recent.begin(), recent.end());
    const double size = sample.value - (recent[(recent.size() - 1) / 2] + recent[recent.size() / 2]) / 2;
    judge("leap up", size, cell, least(cell), rarity);
    judge("leap down", -size, cell, least(cell), rarity);
  }
  void level(std::int64_t cell, double& rarity) {
    const auto level = level_before(cell);
    if (!level) return;
    double sum = 0, count = 0;
    for (std::int64_t at = cell - 1; at <= cell; ++at) {
      if (!cells_.contains(at)) continue;
      for (const double value : cells_.at(at)) sum += value;
      count += static_cast<double>(cells_.at(at).size());
    }
    const double size = sum / count - *level;
    judge("level up", size, cell, least(cell), rarity);
    judge("level down", -size, cell, least(cell), rarity);
    if (!has_season_) return;
    std::vector<double> usual;
    for (std::int64_t near = cell - 1; near <= cell + 1; ++near) {
      std::vector<double> same;
      for (std::int64_t season = 1; season <= kSeasons; ++season)
        if (const auto of = offset(near - season * kCells)) same.push_back(*of);
      std::sort(same.begin(), same.end());
      if (!same.empty()) usual.push_back((same[(same.size() - 1) / 2] + same[same.size() / 2]) / 2);
      if (const auto of = offset(near - kSeasons * kCells)) usual.push_back(*of);
    }
    if (usual.empty()) return;
    const auto [low, high] = std::minmax_element(usual.begin(), usual.end());
    const double beyond = size > *high ? size - *high : size < *low ? size - *low : 0;
    judge("season up", beyond, cell, least(cell), rarity);
    judge("season down", -beyond, cell, least(cell), rarity);
  }
  void still(const Sample& sample, std::int64_t cell, double& rarity) {
    const Micros width = season_ / kCells;
    Timestamp since = sample.time;
    for (std::size_t i = seen_.size() - 1; i-- > 0;) {
      if (seen_[i].value != sample.value || seen_[i + 1].time - seen_[i].time > 4 * width) break;
      since = std::max(seen_[i].time, sample.time - width * kCells);
      if (since > seen_[i].time) break;
    }
    const Micros length = sample.time - since + width;
    judge("still", static_cast<double>(length.count()) * 1e-6, cell, 0, rarity);
  }
  /// A millionth of the last value before the cell.
  double least(std::int64_t cell) const {
    for (std::size_t i = seen_.size(); i-- > 0;)
      if (cell_of(seen_[i].time) < cell) return 1e-6 * std::abs(seen_[i].value);
    return 0;
  }

  Micros season_;
  bool has_season_;
  std::vector<Sample> seen_;
  std::map<std::int64_t, std::vector<double>> cells_;
  std::map<std::int64_t, std::optional<double>> levels_;
  std::map<std::string, std::map<std::int64_t, double>> largest_;
};

TEST(Anomaly, IsItsDefinition) {
  int fired = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto watched = detector("anomaly: {season: 60s}");
    Definition definition(seconds(60), true);
    int number = 0;
    for (const Sample& sample : restless(seed, 1600)) {
      const Finding found = watched->observe(sample);
      const double expected = definition.score(sample);
      ASSERT_NEAR(found.value, expected, 1e-3 * (1 + expected)) << "seed " << seed << " sample " << number;
      ASSERT_EQ(found.verdict == Verdict::hold || definition.is_known, true);
      fired += found.verdict == Verdict::breach ? 1 : 0;
      ++number;
    }
  }
  EXPECT_GT(fired, 5);
}

/// Noise on a wave that comes each day; a fault is put into it by the test.
class Sensor {
 public:
  explicit Sensor(std::uint64_t seed, double swing = 5) : random_(seed), swing_(swing) {}
  Sample next(double factor = 1) {
    now_ += minutes(5);
    const double day = static_cast<double>((now_ - kStart).count()) / 86'400e6;
    return at(now_, 20 + factor * swing_ * std::sin(2 * M_PI * day) + noise_(random_));
  }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<double> noise_{0, 0.3};
  double swing_;
  Timestamp now_ = kStart;
};

constexpr int kDay = 288;

TEST(Anomaly, IsQuietOnAHealthySensorFromItsFirstSample) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto watched = detector("anomaly: {}");
    Sensor sensor(seed);
    for (int i = 0; i < 28 * kDay; ++i)
      ASSERT_NE(watched->observe(sensor.next()).verdict, Verdict::breach) << "seed " << seed << " sample " << i;
  }
}

TEST(Anomaly, SaysNothingBeforeItHasSeenEnough) {
  const auto watched = detector("anomaly: {}");
  Sensor sensor(1);
  Sample sample;
  for (int i = 0; i < kDay / 2 - 1; ++i) ASSERT_EQ(watched->observe(sample = sensor.next()).verdict, Verdict::hold);
  EXPECT_EQ(watched->observe(at(sample.time + minutes(1), 1e6)).verdict, Verdict::hold);
}

TEST(Anomaly, ASpikeFiresAndTheNextValueClears) {
  const auto watched = detector("anomaly: {season: none}");
  Sensor sensor(2);
  Sample sample;
  for (int i = 0; i < 7 * kDay; ++i) watched->observe(sample = sensor.next());
  sample = sensor.next();
  sample.value += 12;
  EXPECT_EQ(watched->observe(sample).verdict, Verdict::breach);
  Finding found;
  for (int i = 0; i < 12; ++i) found = watched->observe(sensor.next());
  EXPECT_EQ(found.verdict, Verdict::clear);
}

/// A shop that opens at eight and shuts at six, and on one day does not open: no value is odd, only its time.
TEST(Anomaly, KnowsTheTimeOfTheDay) {
  const auto fires = [](const char* condition) {
    const auto watched = detector(condition);
    Sensor sensor(3, 0);
    int fired = 0;
    for (int i = 0; i < 11 * kDay; ++i) {
      Sample sample = sensor.next();
      const int hour = i % kDay / 12;
      if (hour >= 8 && hour < 18 && i < 10 * kDay) sample.value += 5;
      fired += watched->observe(sample).verdict == Verdict::breach && i > 10 * kDay ? 1 : 0;
    }
    return fired > 0;
  };
  EXPECT_TRUE(fires("anomaly: {}"));
  EXPECT_FALSE(fires("anomaly: {season: none}"));
}

/// A larger one then is news.
TEST(Anomaly, WhatLeapsNowAndThenIsUsual) {
  const auto watched = detector("anomaly: {}");
  Sensor sensor(4);
  std::mt19937_64 random(4);
  int leap = 0;
  for (int i = 0; i < 21 * kDay; ++i) {
    Sample sample = sensor.next();
    if (i % 40 == 0) leap = i + 10 + static_cast<int>(random() % 20);
    if (i == leap) sample.value += static_cast<double>(10 + random() % 10);
    const Finding found = watched->observe(sample);
    ASSERT_TRUE(i < 4 * kDay || found.verdict != Verdict::breach) << i;
  }
  Sample sample = sensor.next();
  sample.value += 300;
  EXPECT_EQ(watched->observe(sample).verdict, Verdict::breach);
}

TEST(Anomaly, GoesOnAfterItsLookbackAsIfItHadNeverBeenAway) {
  for (const char* condition : {"anomaly: {season: 16s, sensitivity: 1}", "anomaly: {season: 20s, sensitivity: 0.5}"}) {
    const auto lasting = detector(condition);
    std::vector<Sample> all;
    int known = 0;
    for (const Sample& sample : restless(7, 3000)) {
      all.push_back(sample);
      const Finding found = lasting->observe(sample);
      if (all.size() % 37 != 0) continue;
      const auto restarted = detector(condition);
      Finding again;
      for (const Sample& old : within(all, restarted->lookback())) again = restarted->observe(old);
      ASSERT_EQ(again.verdict, found.verdict) << condition << " sample " << all.size();
      ASSERT_EQ(again.value, found.value) << condition << " sample " << all.size();
      known += found.verdict != Verdict::hold ? 1 : 0;
    }
    EXPECT_GT(known, 20) << condition;
  }
}

TEST(Anomaly, AShiftByWholeSeasonsDoesNotShow) {
  const auto here = detector("anomaly: {season: 90s}"), there = detector("anomaly: {season: 90s}");
  for (const Sample& sample : restless(8, 3000)) {
    Sample shifted = sample;
    shifted.time -= Micros{seconds(90)} * 30'000'000;  // before 1970
    ASSERT_EQ(there->observe(shifted).value, here->observe(sample).value);
  }
}

TEST(Anomaly, NeitherHugeNumbersNorAGapUpsetIt) {
  const auto watched = detector("anomaly: {}");
  Sensor sensor(5);
  Sample sample;
  for (int i = 0; i < 20 * kDay; ++i) {
    sample = sensor.next();
    if (i % 1000 == 999) sample.value = i % 2000 == 999 ? 1.7e308 : -1.7e308;
    const Finding found = watched->observe(sample);
    ASSERT_TRUE(std::isfinite(found.value)) << i;
  }
  sample.time += hours(24) * 365;
  EXPECT_EQ(watched->observe(sample).verdict, Verdict::hold) << "what was a year ago says nothing";
}

TEST(Anomaly, IsOfMeasuredValues) {
  EXPECT_EQ(watch("anomaly: {}", {SeriesKind::counter, "l", "", Micros{0}, {}}).error().text,
            "it is a counter, which is never where it was: use trend or change");
  EXPECT_FALSE(watch("anomaly: {}", {SeriesKind::boolean, "", "", Micros{0}, {}}));
}

}  // namespace
}  // namespace tidegate::rules
