#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gateway/config/load.h"
#include "rules/kinds.h"

namespace tidegate::rules {

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

/// As of `rules:`.
inline std::vector<Rule> rules(const std::string& list) {
  config::Problems problems;
  config::Node node = config::parse(list, "rules.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::list(rule_shape()), problems);
  auto compiled = parse_rules(node, problems);
  EXPECT_EQ(problems.text(), "");
  return compiled;
}

/// A rule, as from a rules file: "threshold: {above: 5}, for: 3s".
inline Rule rule(const std::string& condition, const std::string& series = "b") {
  return std::move(rules("[{name: hot, series: '" + series + "', " + condition + "}]").at(0));
}

/// What its kind makes of a series.
inline Result<Watch> watch(const std::string& condition, const SeriesInfo& info = {}) {
  return rule(condition).make(info, {});
}

inline std::unique_ptr<Detector> detector(const std::string& condition, const SeriesInfo& info = {}) {
  auto made = watch(condition, info);
  EXPECT_TRUE(made);
  return std::move(made->detector);
}

inline Sample at(Timestamp time, double value) { return {SeriesId{0}, Quality::good, Reason::none, time, value}; }

/// Values that walk, jump and stand still, at uneven times with gaps.
inline std::vector<Sample> restless(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> step(0, 0.4);
  std::vector<Sample> samples;
  Timestamp now = kStart;
  double value = 20;
  int still = 0;
  for (int i = 0; i < count; ++i) {
    now += std::chrono::milliseconds(random() % 60 == 0 ? random() % 20'000 : random() % 800);
    if (random() % 100 == 0) still = static_cast<int>(random() % 60);
    if (still > 0) {
      --still;
    } else {
      value += random() % 70 == 0 ? 20 * step(random) : step(random);
    }
    samples.push_back(at(now, value));
  }
  return samples;
}

/// Those that a window of this width holds at the newest one's time: the definition.
inline std::vector<Sample> within(const std::vector<Sample>& all, Micros width) {
  std::vector<Sample> held;
  for (const Sample& sample : all) {
    if (sample.time > all.back().time - width) held.push_back(sample);
  }
  return held;
}

/// After a restart a detector sees what its lookback holds, and goes on as if it had never been away.
inline void expect_lookback_suffices(const std::string& condition, std::uint64_t seed) {
  const auto lasting = detector(condition);
  std::vector<Sample> all;
  for (const Sample& sample : restless(seed, 1500)) {
    all.push_back(sample);
    const Finding found = lasting->observe(sample);
    const auto restarted = detector(condition);
    Finding again;
    for (const Sample& old : within(all, restarted->lookback())) again = restarted->observe(old);
    ASSERT_EQ(again.verdict, found.verdict) << condition << " seed " << seed << " sample " << all.size();
  }
}

}  // namespace tidegate::rules
