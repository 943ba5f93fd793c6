#include "drivers/polled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "drivers/point.h"
#include "drivers/schedule.h"
#include "gateway/core/sleep.h"
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

/// A door that devices stand before while they are read, until a test opens it.
class Door {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Until it is open, or a stop.
  void pass(const std::stop_token& stop) {
    most_ = std::max<int>(most_, ++before_);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return open_; });
    --before_;
  }
  int before() const { return before_; }
  int most() const { return most_; }  ///< that ever stood before it

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  std::atomic<int> before_ = 0, most_ = 0;
};

class Held final : public PolledDevice {
 public:
  explicit Held(Door& door) : door_(door) {}
  Status open(Sink&) override { return {}; }
  Result<std::string> read(std::size_t, Turn& turn) override {
    door_.pass(turn.stop);
    return "it was held";
  }
  void lose(std::size_t, Reason, Turn&) override {}

 private:
  Door& door_;
};

/// Notes how many of its line are being read at once.
class Crowded final : public PolledDevice {
 public:
  struct Line {
    std::atomic<int> inside = 0, most = 0, reads = 0;
  };
  explicit Crowded(Line& line) : line_(line) {}
  Status open(Sink&) override { return {}; }
  Result<std::string> read(std::size_t, Turn& turn) override {
    line_.most = std::max<int>(line_.most, ++line_.inside);
    sleep_for(2ms, turn.stop);  // what it takes to answer
    --line_.inside;
    ++line_.reads;
    return "";
  }
  void lose(std::size_t, Reason, Turn&) override {}

 private:
  Line& line_;
};

class Throwing final : public PolledDevice {
 public:
  explicit Throwing(Door& door) : door_(door) {}
  Status open(Sink&) override { return {}; }
  Result<std::string> read(std::size_t, Turn&) override {
    if (door_.before() == 2) throw std::runtime_error("out of paper");
    return "";
  }
  void lose(std::size_t, Reason, Turn&) override {}

 private:
  Door& door_;
};

class LinesOfASource : public PolledSource {
 protected:
  ~LinesOfASource() override {
    thread_ = {};  // before the doors and scripts go
    driver_.reset();
  }
  void add(const std::string& name, const std::string& line, std::unique_ptr<PolledDevice> device) {
    devices_.push_back({name, {50ms}, std::move(device), line});
  }
  void start() {
    driver_ = make_polled(std::move(devices_), "all", {"line", clock_, metrics_});
    thread_ = std::jthread([this](std::stop_token stop) { EXPECT_TRUE(driver_->run(sink_, stop)); });
  }
  bool stand_before_the_door(int devices) {
    return sink_.wait_until([&](const fakes::FakeSink&) { return door_.before() == devices; });
  }
  bool more_samples(const std::string& series, std::size_t more) {
    return sink_.wait_for_samples(series, sink_.samples(series).size() + more);
  }

  Door door_;
  std::vector<Polled> devices_;
};

TEST_F(LinesOfASource, DoNotWaitForOneAnother) {
  add("held", "a", std::make_unique<Held>(door_));
  add("one", "b", std::make_unique<Scripted>(one_, "one", 1));
  start();
  ASSERT_TRUE(stand_before_the_door(1));
  ASSERT_TRUE(more_samples("one/g0", 10));
  EXPECT_EQ(door_.before(), 1);
  EXPECT_TRUE(sink_.reports().empty()) << "whether it answers is not known";
  door_.open();
  EXPECT_TRUE(says(SourceHealth::degraded, "2 of 2 answer; held: it was held"));
}

TEST_F(LinesOfASource, HaveOneHealthInOrderOfTheDevices) {
  Scripted::Script three;
  add("one", "z", std::make_unique<Scripted>(one_, "one", 1));
  add("two", "y", std::make_unique<Scripted>(two_, "two", 1));
  add("three", "z", std::make_unique<Scripted>(three, "three", 1));
  one_.answers = two_.answers = false;
  three.doubtful = true;
  start();
  EXPECT_TRUE(says(SourceHealth::degraded, "1 of 3 answer; one, two: no answer in 5ms; three: register 7 is refused"));
  one_.answers = two_.answers = true;
  EXPECT_TRUE(says(SourceHealth::degraded, "3 of 3 answer; three: register 7 is refused"));
  three.doubtful = false;
  EXPECT_TRUE(says(SourceHealth::up, "all"));
  thread_ = {};
}

TEST_F(LinesOfASource, ReadTheirOwnDevicesOneAfterAnother) {
  std::vector<Crowded::Line> lines(20);
  for (std::size_t i = 0; i < 4 * lines.size(); ++i)
    add(std::to_string(i), std::to_string(i % lines.size()), std::make_unique<Crowded>(lines[i % lines.size()]));
  start();
  for (const Crowded::Line& line : lines) {
    EXPECT_TRUE(sink_.wait_until([&](const auto&) { return line.reads >= 20; }));
    EXPECT_EQ(line.most, 1);
  }
  thread_ = {};
}

TEST_F(LinesOfASource, AreSixteenAtOnceAtMostAndAStopEndsThemAll) {
  for (int i = 0; i < 30; ++i) add(std::to_string(i), std::to_string(i), std::make_unique<Held>(door_));
  start();
  ASSERT_TRUE(stand_before_the_door(kMostLinesAtOnce));
  const auto asked = std::chrono::steady_clock::now();
  thread_ = {};
  EXPECT_LT(std::chrono::steady_clock::now() - asked, 3s);
  EXPECT_EQ(door_.before(), 0);
  EXPECT_EQ(door_.most(), static_cast<int>(kMostLinesAtOnce));
}

TEST_F(LinesOfASource, GoOnWhileAsManyHangAsLeaveOneThread) {
  const int hang = kMostLinesAtOnce - 1;
  std::vector<Scripted::Script> scripts(25);
  for (int i = 0; i < hang; ++i)
    add("held" + std::to_string(i), "h" + std::to_string(i), std::make_unique<Held>(door_));
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const std::string name = "d" + std::to_string(i);
    add(name, name, std::make_unique<Scripted>(scripts[i], name, 1));
  }
  start();
  EXPECT_TRUE(stand_before_the_door(hang));
  for (std::size_t i = 0; i < scripts.size(); ++i) EXPECT_TRUE(reads(scripts[i], 3)) << i;
  EXPECT_EQ(door_.before(), hang);
  thread_ = {};
}

TEST_F(LinesOfASource, EndWithTheOneThatThrows) {
  add("a", "a", std::make_unique<Held>(door_));
  add("b", "b", std::make_unique<Held>(door_));
  add("c", "c", std::make_unique<Throwing>(door_));
  driver_ = make_polled(std::move(devices_), "all", {"line", clock_, metrics_});
  EXPECT_THROW(static_cast<void>(driver_->run(sink_, {})), std::runtime_error);
  EXPECT_EQ(door_.before(), 0);
}

TEST_F(LinesOfASource, CountTheirTurnsTogether) {
  add("held", "a", std::make_unique<Held>(door_));
  add("one", "b", std::make_unique<Scripted>(one_, "one", 1));
  start();
  ASSERT_TRUE(stand_before_the_door(1));
  ASSERT_TRUE(more_samples("one/g0", 10));
  ASSERT_TRUE(driver_->turns());
  const double before = driver_->turns()->time;
  door_.open();
  ASSERT_TRUE(sink_.wait_until([&](const auto&) { return driver_->turns()->time > before + 0.3; }));
  // Of nine turns that came meanwhile, the first is late alone.
  EXPECT_TRUE(sink_.wait_until([&](const auto&) { return driver_->turns()->missed >= 8; }));
  EXPECT_GE(driver_->turns()->lateness, 0.3);
}

}  // namespace
}  // namespace tidegate::drivers
