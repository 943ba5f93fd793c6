// A sensor of which nobody says how often it speaks is missed all the same, once it has spoken regularly: with the real
// pump and journal, over restarts.

#include <gtest/gtest.h>

#include "rules/derived.h"
#include "tests/gateway/app/rules.h"
#include "tests/gateway/app/stepped_gateway.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::Machine;

constexpr Timestamp kStart = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
constexpr Micros kInterval = 10s;

std::vector<rules::Rule> all_of(const std::string& derived, const std::string& rules) {
  config::Problems problems;
  auto node = config::parse(derived, "derived.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::list(rules::derived_shape()), problems);
  std::vector<rules::Rule> all = rules::parse_derived(node, problems);
  EXPECT_EQ(problems.text(), "");
  for (rules::Rule& rule : rules_of(rules)) all.push_back(std::move(rule));
  return all;
}

class Gateway final : public SteppedGateway {
 public:
  explicit Gateway(const std::filesystem::path& disk)
      : SteppedGateway(disk, all_of("[{name: \"{d}/mean\", from: \"{d}/level\", value: \"avg(value, 5 samples)\"}]",
                                    "rules: [{name: high, series: \"{d}/level\", when: {condition: value > 30, "
                                    "on_unknown: fire}}]")) {}

  void push(const std::string& name, double value) {
    const Sample sample{*journal_->catalogue().intern(name, SeriesInfo{}), Quality::good, Reason::none, clock_.now(),
                        value};
    intake_.push({&sample, 1});
    settle();
  }
  Micros interval(const std::string& name) const {
    const SeriesInfo info = journal_->catalogue().entry(*journal_->catalogue().find(name)).info;
    return std::chrono::floor<std::chrono::milliseconds>(info.expected_interval);
  }
  Sample newest(const std::string& name) const {
    const auto id = journal_->catalogue().find(name);
    for (const Sample& sample : journal_->latest()) {
      if (id && sample.series == *id) return sample;
    }
    ADD_FAILURE() << name << " has no sample";
    return {};
  }
  bool is_high() const {
    const auto alerts = journal_->alerts();
    return std::any_of(alerts->begin(), alerts->end(),
                       [](const AlertRecord& alert) { return alert.rule == "high" && alert.phase == Phase::active; });
  }
};

class LearnedInterval : public testing::Test {
 protected:
  void SetUp() override {
    Machine::start(kStart);
    begin();
  }
  void begin() {
    gateway_.reset();
    gateway_ = std::make_unique<Gateway>(disk_.path());
  }
  void speak(int times, double value = 20) {
    for (int i = 0; i < times; ++i) {
      gateway_->push("m/level", value);
      Machine::go(kInterval);
    }
  }
  /// Something else speaks.
  void be_silent(Micros how_long) {
    for (Micros at{0}; at < how_long; at += kInterval) {
      gateway_->push("m/other", 1);
      Machine::go(kInterval);
    }
  }

  test::TempDir disk_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(LearnedInterval, ASensorThatFallsSilentIsNotKnownAnyMore) {
  speak(100);
  EXPECT_EQ(gateway_->interval("m/level"), kInterval);
  EXPECT_EQ(gateway_->newest("m/mean").quality, Quality::good);
  EXPECT_FALSE(gateway_->is_high());
  be_silent(40s);
  EXPECT_EQ(gateway_->newest("m/mean").quality, Quality::bad);
  EXPECT_EQ(gateway_->newest("m/mean").reason, Reason::no_answer);
  EXPECT_TRUE(gateway_->is_high()) << "the rule says so of what is not known";
  speak(2);
  EXPECT_EQ(gateway_->newest("m/mean").quality, Quality::good);
  EXPECT_FALSE(gateway_->is_high());
}

TEST_F(LearnedInterval, WhatHasNotSpokenRegularlyIsTakenForAlive) {
  speak(10);
  be_silent(10min);
  EXPECT_EQ(gateway_->interval("m/level"), 0s);
  EXPECT_EQ(gateway_->newest("m/mean").quality, Quality::good);
  EXPECT_FALSE(gateway_->is_high());
}

TEST_F(LearnedInterval, IsKnownAfterARestartThatTheSensorDoesNotSee) {
  speak(100);
  begin();
  be_silent(50s);
  EXPECT_EQ(gateway_->newest("m/mean").quality, Quality::bad);
  EXPECT_TRUE(gateway_->is_high());
}

/// When it becomes known, and when the gateway starts: how far back the newest five lie is known by it.
TEST_F(LearnedInterval, AWindowOfSamplesGoesOnAsItWas) {
  speak(95, 10);
  speak(1, 60);
  EXPECT_EQ(gateway_->newest("m/mean").value, 20);
  speak(2, 10);
  EXPECT_EQ(gateway_->interval("m/level"), kInterval);
  EXPECT_EQ(gateway_->newest("m/mean").value, 20);
  begin();
  speak(2, 10);
  EXPECT_EQ(gateway_->newest("m/mean").value, 20) << "five with the one of 60";
  speak(1, 10);
  EXPECT_EQ(gateway_->newest("m/mean").value, 10);
}

}  // namespace
}  // namespace tidegate::app
