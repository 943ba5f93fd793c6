#include "drivers/polled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "drivers/point.h"
#include "drivers/schedule.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::vector<std::size_t> due(Schedule& schedule, Micros at) { return schedule.take_due(Timestamp{at}); }

TEST(ScheduleOfReads, IsAllAtTheStartAndThenEachAtItsMultiples) {
  Schedule schedule({1s, 5s}, Timestamp{7300ms});
  EXPECT_EQ(schedule.next(), Timestamp{7300ms});
  EXPECT_EQ(due(schedule, 7300ms), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(schedule.next(), Timestamp{8s});
  EXPECT_EQ(due(schedule, 8s), (std::vector<std::size_t>{0}));
  EXPECT_EQ(due(schedule, 8900ms), (std::vector<std::size_t>{}));
  EXPECT_EQ(due(schedule, 9s), (std::vector<std::size_t>{0}));
  EXPECT_EQ(due(schedule, 10s), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(schedule.missed(), 0u);
}

TEST(ScheduleOfReads, SkipsAndCountsWhatItMissed) {
  Schedule schedule({1s}, Timestamp{0s});
  due(schedule, 0s);
  EXPECT_EQ(due(schedule, 4500ms), (std::vector<std::size_t>{0}));
  EXPECT_EQ(schedule.missed(), 3u);
  EXPECT_EQ(schedule.next(), Timestamp{5s});
}

TEST(ScheduleOfReads, AStepOfTheClockIsNoTurnThatWasMissed) {
  Schedule schedule({1s}, Timestamp{0s});
  due(schedule, 0s);
  due(schedule, 24h * 365);
  EXPECT_EQ(schedule.missed(), 0u);
}

TEST(RecentMost, ForgetsAfterAMinuteOrTwo) {
  RecentMost most;
  most.add(Timestamp{0s}, 5ms);
  most.add(Timestamp{30s}, 9ms);
  most.add(Timestamp{61s}, 1ms);
  EXPECT_EQ(most.value(), Micros{9ms});
  most.add(Timestamp{125s}, 2ms);
  EXPECT_EQ(most.value(), Micros{2ms});
}

/// A device of one point a group, whose answers a test decides.
class Scripted final : public PolledDevice {
 public:
  struct Script {
    std::atomic<bool> answers = true;
    std::atomic<int> reads = 0;
    std::atomic<bool> doubtful = false;
  };

  Scripted(Script& script, const std::string& name, std::size_t groups) : script_(script) {
    for (std::size_t i = 0; i < groups; ++i) points_.emplace_back(name + "/g" + std::to_string(i), ValueOptions{});
  }
  Status open(Sink& sink) override {
    for (Point& point : points_) {
      if (Status opened = point.open(sink, SeriesKind::number, 50ms); !opened) return opened;
    }
    return {};
  }
  Result<std::string> read(std::size_t group, Turn& turn) override {
    ++script_.reads;
    if (!script_.answers) return fail(Errc::timed_out, "no answer in 5ms");
    points_[group].take(turn.sink, {Reading::Type::number, 1}, turn.clock.now(), turn.samples);
    return script_.doubtful ? "register 7 is refused" : "";
  }
  void lose(std::size_t group, Reason why, Turn& turn) override {
    points_[group].lose(why, turn.clock.now(), turn.samples);
  }

 private:
  Script& script_;
  std::vector<Point> points_;
};

class PolledSource : public testing::Test {
 protected:
  void start(std::vector<Micros> intervals) {
    std::vector<Polled> devices;
    devices.push_back({"one", intervals, std::make_unique<Scripted>(one_, "one", intervals.size())});
    devices.push_back({"two", intervals, std::make_unique<Scripted>(two_, "two", intervals.size())});
    driver_ = make_polled(std::move(devices), "2 devices", {"line", clock_, metrics_});
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool says(SourceHealth health, const std::string& text) {
    return sink_.wait_until([&](const fakes::FakeSink& sink) {
      const auto all = sink.reports();
      return !all.empty() && all.back() == fakes::FakeSink::Report{health, text};
    });
  }
  bool reads(const Scripted::Script& script, int more) {
    const int before = script.reads;
    return sink_.wait_until([&](const fakes::FakeSink&) { return script.reads >= before + more; });
  }

  Scripted::Script one_, two_;
  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  std::jthread thread_;
};

TEST_F(PolledSource, ReadsAllOfItsDevicesAndIsUp) {
  start({50ms, 200ms});
  ASSERT_TRUE(sink_.wait_for_samples("one/g0", 5));
  ASSERT_TRUE(sink_.wait_for_samples("two/g1", 2));
  EXPECT_TRUE(says(SourceHealth::up, "2 devices"));
  EXPECT_EQ(sink_.last("one/g0")->quality, Quality::good);
}

TEST_F(PolledSource, WhatDoesNotAnswerIsBadLeftAloneAndComesBack) {
  two_.answers = false;
  start({50ms});
  ASSERT_TRUE(says(SourceHealth::degraded, "1 of 2 answer; two: no answer in 5ms"));
  EXPECT_EQ(sink_.last("two/g0")->reason, Reason::no_answer);
  const int before = two_.reads;
  ASSERT_TRUE(reads(one_, 10));
  EXPECT_LE(two_.reads - before, 1) << "it was not left alone";
  two_.answers = true;
  ASSERT_TRUE(says(SourceHealth::up, "2 devices"));
  EXPECT_EQ(sink_.last("two/g0")->quality, Quality::good);
}

TEST_F(PolledSource, IsDownWhenNothingAnswers) {
  one_.answers = two_.answers = false;
  start({50ms});
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("0 of 2 answer; one, two: no answer in 5ms"));
  EXPECT_GE(metrics_.counter("source/line/failed_reads", "", "").value(), 2);
}

TEST_F(PolledSource, AllGroupsOfADeviceThatIsSilentAreBad) {
  one_.answers = false;
  start({50ms, 50ms, 50ms});
  ASSERT_TRUE(sink_.wait_for_samples("one/g2", 1));
  EXPECT_EQ(sink_.last("one/g0")->quality, Quality::bad);
  EXPECT_EQ(sink_.last("one/g2")->quality, Quality::bad);
}

TEST_F(PolledSource, SaysWhatIsWrongWithADeviceThatAnswers) {
  two_.doubtful = true;
  start({50ms, 50ms});
  EXPECT_TRUE(says(SourceHealth::degraded, "2 of 2 answer; two: register 7 is refused"));
  two_.doubtful = false;
  EXPECT_TRUE(says(SourceHealth::up, "2 devices"));
}

TEST_F(PolledSource, SaysThatItHasNoRoomForItsSeries) {
  sink_.limit_series(1);
  start({50ms});
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::degraded));
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("two: the source has its 1 series already"));
}

}  // namespace
}  // namespace tidegate::drivers
