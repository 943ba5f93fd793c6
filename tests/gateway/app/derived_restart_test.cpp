// What a restart does to sums, with the real pump and journal.

#include <gtest/gtest.h>

#include <numeric>

#include "rules/derived.h"
#include "tests/gateway/app/rules.h"
#include "tests/gateway/app/stepped_gateway.h"
#include "tests/support/temp_dir.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;
using test::Machine;

constexpr Timestamp kStart = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

std::vector<rules::Rule> derived_of(const std::string& yaml) {
  config::Problems problems;
  auto node = config::parse(yaml, "derived.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::list(rules::derived_shape()), problems);
  auto made = rules::parse_derived(node, problems);
  EXPECT_EQ(problems.text(), "");
  return made;
}

class Gateway final : public SteppedGateway {
 public:
  Gateway(const std::filesystem::path& disk, const std::string& derived) : SteppedGateway(disk, derived_of(derived)) {}

  void push(const std::string& name, std::span<const double> values, const SeriesInfo& info = {}) {
    std::vector<Sample> samples;
    for (const double value : values) {
      samples.push_back({*journal_->catalogue().intern(name, info), Quality::good, Reason::none,
                         clock_.now() + Micros(samples.size()), value});
    }
    intake_.push(samples);
    settle();
  }
  void push(const std::string& name, double value, const SeriesInfo& info = {}) { push(name, {&value, 1}, info); }

  double newest(const std::string& name) const {
    const auto id = journal_->catalogue().find(name);
    for (const Sample& sample : journal_->latest()) {
      if (id && sample.series == *id) return sample.value;
    }
    ADD_FAILURE() << name << " has no sample";
    return 0;
  }
  std::string unit(const std::string& name) const {
    return journal_->catalogue().entry(*journal_->catalogue().find(name)).info.unit;
  }
};

class DerivedRestart : public testing::Test {
 protected:
  void SetUp() override { Machine::start(kStart); }
  void begin(const std::string& derived) {
    gateway_.reset();
    gateway_ = std::make_unique<Gateway>(disk_->path(), derived);
  }
  /// It begins anew with what a program that is killed leaves on its disk.
  void kill(const std::string& derived) {
    auto left = std::make_unique<test::TempDir>();
    std::filesystem::copy(disk_->path(), left->path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    gateway_.reset();
    disk_ = std::move(left);
    begin(derived);
  }

  std::unique_ptr<test::TempDir> disk_ = std::make_unique<test::TempDir>();
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(DerivedRestart, AnIntegralCountsNoTimeTwiceHoweverOftenItIsKilled) {
  const SeriesInfo flow{SeriesKind::number, "L/min", "", {}, {}};
  for (const std::string every : {"0s", "2s"}) {
    const std::string derived = "[{name: \"{d}/litres\", from: \"{d}/flow\", integral: value, every: " + every + "}]";
    SetUp();
    disk_ = std::make_unique<test::TempDir>();
    begin(derived);
    gateway_->push("m/flow", 60, flow);
    for (int killed = 0; killed < 4; ++killed) {
      Machine::go(5s);
      kill(derived);
      Machine::go(1s);
      gateway_->push("m/other", killed);  // until then somebody watched
    }
    Machine::go(4s);
    gateway_->push("m/flow", 60, flow);
    Machine::go(4s);
    gateway_->push("m/other", 0);
    gateway_->push("m/flow", 60, flow);
    // Of each five seconds nothing tells that somebody watched.
    EXPECT_EQ(gateway_->newest("m/litres"), every == "0s" ? 12 : 8) << every;
  }
}

/// Told once more in the new unit, so that the next start goes on from that.
TEST_F(DerivedRestart, ASumGoesOnInAnotherUnit) {
  const SeriesInfo power{SeriesKind::number, "kW", "", {}, {}};
  const std::string kwh = "[{name: \"{d}/energy\", from: \"{d}/power\", integral: value, unit: kWh}]";
  const std::string wh = "[{name: \"{d}/energy\", from: \"{d}/power\", integral: value, unit: Wh}]";
  begin(kwh);
  gateway_->push("m/power", 1000, power);
  Machine::go(36s);
  gateway_->push("m/power", 1000, power);
  EXPECT_EQ(gateway_->newest("m/energy"), 10);
  for (int start = 0; start < 3; ++start) {
    begin(wh);
    EXPECT_EQ(gateway_->newest("m/energy"), 10'000) << start;
  }
  gateway_->push("m/power", 0, power);
  Machine::go(36s);
  kill(kwh);
  EXPECT_EQ(gateway_->newest("m/energy"), 10);
}

TEST_F(DerivedRestart, ASumThatCannotGoOnStaysAsItIs) {
  begin("[{name: \"{d}/total\", from: \"{d}/power\", integral: value, unit: kWh}]");
  gateway_->push("m/power", 1000, {SeriesKind::number, "kW", "", {}, {}});
  Machine::go(36s);
  gateway_->push("m/power", 1000, {SeriesKind::number, "kW", "", {}, {}});
  for (int start = 0; start < 2; ++start) {
    begin("[{name: \"{d}/total\", from: \"{d}/flow\", integral: value}]");
    gateway_->push("m/flow", 10, {SeriesKind::number, "L/min", "", {}, {}});
    Machine::go(36s);
    gateway_->push("m/flow", 10, {SeriesKind::number, "L/min", "", {}, {}});
    EXPECT_EQ(gateway_->newest("m/total"), 10);
    EXPECT_EQ(gateway_->unit("m/total"), "kWh");
  }
}

/// A meter that is read once an hour says 0 when it has just started, and the gateway starts before it says more.
TEST_F(DerivedRestart, AMisreadRegisterIsNotCountedOverARestart) {
  const SeriesInfo register_of{SeriesKind::counter, "kWh", "", 1h, {}};
  const std::string derived = "[{name: \"{d}/total\", from: \"{d}/energy\", increase: value}]";
  begin(derived);
  for (const double reading : {52310.5, 52310.75, 0.0}) {
    gateway_->push("m/energy", reading, register_of);
    Machine::go(1h);
  }
  kill(derived);
  gateway_->push("m/energy", 52311, register_of);
  EXPECT_EQ(gateway_->newest("m/total"), 0.5);
}

TEST_F(DerivedRestart, ASumOnTheClockKeepsWhatCameInOnePush) {
  const std::string derived = "[{name: \"{d}/total\", from: \"{d}/pulses\", increase: value, every: 2m}]";
  begin(derived);
  std::vector<double> readings(7501);
  std::iota(readings.begin(), readings.end(), 0);
  gateway_->push("m/pulses", readings);
  Machine::go(1min);
  kill(derived);
  gateway_->push("m/pulses", 7501);
  Machine::go(61s);
  gateway_->push("m/pulses", 7501);
  EXPECT_EQ(gateway_->newest("m/total"), 7501);
}

/// Behind the turn of a sum there come samples in the same push.
TEST_F(DerivedRestart, ASumOnTheClockGoesOnFromItsTurnWithinAPush) {
  const std::string derived = "[{name: \"{d}/total\", from: \"{d}/pulses\", increase: value, every: 1ms}]";
  begin(derived);
  std::vector<double> readings(7501);
  std::iota(readings.begin(), readings.end(), 0);
  gateway_->push("m/pulses", readings);
  EXPECT_EQ(gateway_->newest("m/total"), 7000) << "the sample of 7 ms";
  kill(derived);
  Machine::go(1min);
  gateway_->push("m/pulses", 7501);
  EXPECT_EQ(gateway_->newest("m/total"), 7500);
}

TEST_F(DerivedRestart, AWindowOfSamplesHoldsAsManyAsBefore) {
  const SeriesInfo slow{SeriesKind::number, "", "", 20min, {}};
  const std::string derived = "[{name: \"{d}/mean\", from: \"{d}/level\", value: \"avg(value, 5 samples)\"}]";
  begin(derived);
  for (const double level : {10, 10, 10, 10, 10, 20}) {
    gateway_->push("m/level", level, slow);
    for (int minute = 0; minute < 20; ++minute) {
      Machine::go(1min);
      gateway_->push("m/other", minute);  // somebody watches
    }
  }
  kill(derived);
  gateway_->push("m/level", 20, slow);
  EXPECT_EQ(gateway_->newest("m/mean"), 14);
}

}  // namespace
}  // namespace tidegate::app
