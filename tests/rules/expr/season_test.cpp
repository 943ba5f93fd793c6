// season(x, period), beside its definition.

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "tests/rules/expr/support.h"

namespace tidegate::rules::expr {
namespace {

/// Cells of 6.25 s.
constexpr Micros kPeriod = minutes(10);
constexpr Micros kCell = kPeriod / 96;

/// A shape that comes again, on a level that drifts, and noise; samples a few seconds apart, now and then none for
/// long.
std::vector<Sample> seasonal(std::uint64_t seed, int periods, bool has_silences) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0, 0.3);
  std::vector<Sample> samples;
  for (Timestamp time = kStart; time < kStart + periods * kPeriod;) {
    const double turn = 6.283185307179586 * static_cast<double>((time - kStart).count()) / 6e8;
    samples.push_back(at(time, 1e6 + 5 * std::sin(turn) + (std::sin(turn) > 0.9 ? 20 : 0) + turn / 7 + noise(random)));
    time += milliseconds(500 + random() % 4'000);
    if (has_silences && random() % 1'000 == 0) time += seconds(random() % 400);
  }
  return samples;
}

/// Word for word, without any care for cost.
class Definition {
 public:
  void add(const Sample& sample) { cells_[number(sample.time)].push_back(sample.value); }

  std::optional<double> expected(Timestamp now) const {
    const auto level_now = level(number(now));
    if (!level_now) return std::nullopt;
    for (const std::int64_t cell : {number(now), number(now) - 1, number(now) + 1}) {
      std::vector<double> offsets;
      for (int season = 1; season <= 7; ++season) {
        const auto one = mean(cell - 96 * season), its_level = level(cell - 96 * season);
        if (one && its_level) offsets.push_back(*one - *its_level);
      }
      if (offsets.empty()) continue;
      std::sort(offsets.begin(), offsets.end());
      return *level_now + (offsets[(offsets.size() - 1) / 2] + offsets[offsets.size() / 2]) / 2;
    }
    return std::nullopt;
  }

 private:
  static std::int64_t number(Timestamp time) { return time.time_since_epoch() / kCell; }
  std::optional<double> mean(std::int64_t cell) const {
    const auto found = cells_.find(cell);
    if (found == cells_.end()) return std::nullopt;
    double sum = 0;
    for (const double value : found->second) sum += value;
    return sum / static_cast<double>(found->second.size());
  }
  /// Of the season before a cell, without the tenth at either end; nothing where its first quarter had none.
  std::optional<double> level(std::int64_t cell) const {
    std::vector<double> means;
    bool is_early = false;
    for (std::int64_t past = cell - 96; past < cell; ++past) {
      if (const auto one = mean(past)) {
        means.push_back(*one);
        is_early = is_early || past < cell - 72;
      }
    }
    if (!is_early) return std::nullopt;
    std::sort(means.begin(), means.end());
    const auto cut = static_cast<std::ptrdiff_t>(means.size() / 10);
    double sum = 0;
    for (auto one = means.begin() + cut; one != means.end() - cut; ++one) sum += *one;
    return sum / static_cast<double>(means.size() - 2 * static_cast<std::size_t>(cut));
  }

  std::map<std::int64_t, std::vector<double>> cells_;
};

TEST(ExpressionSeason, IsWhatItsDefinitionSays) {
  for (const bool has_silences : {false, true}) {
    Program made = program("season(value, 10m)");
    Definition definition;
    int known = 0;
    std::size_t i = 0;
    for (const Sample& sample : seasonal(3, 14, has_silences)) {
      made.observe(0, sample);
      definition.add(sample);
      if (++i % 5 != 0) continue;
      const Value found = made.evaluate(sample.time);
      const auto expected = definition.expected(sample.time);
      ASSERT_EQ(found.known, expected.has_value()) << i;
      if (expected) {
        ASSERT_NEAR(found.value, *expected, 1e-5) << i;  // kept as floats beside the level
        ++known;
      }
    }
    EXPECT_GT(known, 200);
  }
}

TEST(ExpressionSeason, KnowsTheTimeOfTheSeason) {
  Program made = program("value - season(value, 10m)");
  double largest = 0;
  Timestamp first = kNever;
  for (const Sample& sample : seasonal(5, 6, false)) {
    made.observe(0, sample);
    const Value off = made.evaluate(sample.time);
    if (off.known) first = std::min(first, sample.time);
    if (sample.time > kStart + 3 * kPeriod) largest = std::max(largest, std::abs(off.value));
  }
  EXPECT_GE(first, kStart + kPeriod * 7 / 4);
  EXPECT_LE(first, kStart + kPeriod * 7 / 4 + 2 * kCell);
  EXPECT_LT(largest, 24) << "where the step of 20 falls into a cell it is off by no more than that";
}

/// What was measured at another time of the season is not held against what is usual now.
TEST(ExpressionSeason, IsOfTheTimeOfTheNewestSample) {
  Program made = program("season(value, 10m)");
  const auto samples = seasonal(7, 3, false);
  for (const Sample& sample : samples) made.observe(0, sample);
  const Timestamp last = samples.back().time;
  const Value now = made.evaluate(last);
  EXPECT_TRUE(now.known);
  EXPECT_EQ(made.wake(), kNever);
  EXPECT_EQ(made.evaluate(last + kPeriod / 4), now);
  made.observe(0, at(last + kPeriod / 4, samples.back().value));
  EXPECT_NE(made.evaluate(last + kPeriod / 4), now);
  made.observe(0, at(last + kPeriod * 5 / 4 + 2 * kCell, samples.back().value));
  EXPECT_FALSE(made.evaluate(last + kPeriod * 5 / 4 + 2 * kCell).known) << "nothing is left of the last season";
}

TEST(ExpressionSeason, LookbackSuffices) {
  const std::string text = "value - season(value, 10m)";
  Program lasting = program(text);
  const auto samples = seasonal(9, 14, true);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    lasting.observe(0, samples[i]);
    if (i % 97 != 0) continue;
    Program restarted = program(text);
    for (std::size_t old = 0; old <= i; ++old) {
      if (samples[old].time > samples[i].time - restarted.lookback()) restarted.observe(0, samples[old]);
    }
    ASSERT_EQ(lasting.evaluate(samples[i].time), restarted.evaluate(samples[i].time)) << i;
  }
}

TEST(ExpressionSeason, HasTheUnitOfItsSeries) {
  const Named named{{"value", input("°F")}, {"energy", input("kWh", SeriesKind::counter)}};
  EXPECT_EQ(program("season(value, 1d)", named).unit(), "°F");
  EXPECT_EQ(program("season(avg(value, 10m), 1d)", named).lookback(), hours(9 * 24) + minutes(10));
  EXPECT_EQ(error_of("value - season(value, 1d) > 5 °C", named), "");
  EXPECT_EQ(error_of("season(rate(energy, 15m), 1d) > 5 kW", named), "");
}

}  // namespace
}  // namespace tidegate::rules::expr
