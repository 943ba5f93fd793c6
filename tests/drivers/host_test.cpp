#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/temp_dir.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class HostDriver : public testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_.path() / file).parent_path());
    std::ofstream(root_.path() / file) << text;
  }

  void start(const std::string& options) {
    std::string why;
    driver_ = test::make_driver("{name: box, type: host, every: 200ms, " + options + "}", clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { result_ = driver_->run(sink_, stop); });
  }
  void start_on_fake_tree(const std::string& groups) {
    start("root: '" + root_.path().string() + "', groups: " + groups);
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
    EXPECT_TRUE(result_);
  }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  test::TempDir root_;
  std::unique_ptr<Driver> driver_;
  Status result_;
  std::jthread thread_;
};

TEST_F(HostDriver, ShowsTheMachineThatThisRunsOn) {
  start("groups: [cpu, memory, network, uptime]");
  ASSERT_TRUE(sink_.wait_for_samples("box/cpu_usage", 1));
  ASSERT_TRUE(sink_.wait_for_samples("box/memory_used", 2));
  ASSERT_TRUE(sink_.wait_for_samples("box/uptime", 2));
  stop();
  for (const Sample& sample : sink_.samples()) {
    EXPECT_EQ(sample.quality, Quality::good);
    EXPECT_TRUE(std::isfinite(sample.value));
  }
  const auto usage = sink_.last("box/cpu_usage");
  EXPECT_GE(usage->value, 0);
  EXPECT_LE(usage->value, 100);
  EXPECT_GT(sink_.last("box/uptime")->value, 0);
  EXPECT_EQ(sink_.info("box/memory_used")->unit, "%");
  EXPECT_EQ(sink_.info("box/memory_used")->source, "box");
  EXPECT_EQ(sink_.info("box/memory_used")->expected_interval, Micros{200ms});
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up);
  EXPECT_TRUE(driver_->turns()) << "it measures how it keeps them";
}

TEST_F(HostDriver, AFailedReadIsABadSampleAndSaidInWords) {
  put("proc/uptime", "10.0 1.0\n");
  put("proc/meminfo", "MemTotal: 2048 kB\nMemAvailable: 1024 kB\n");
  start_on_fake_tree("[memory, uptime]");
  ASSERT_TRUE(sink_.wait_for_samples("box/memory_used", 1));
  std::filesystem::remove(root_.path() / "proc/meminfo");
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::degraded));
  stop();
  const auto last = sink_.last("box/memory_used");
  EXPECT_EQ(last->quality, Quality::bad);
  EXPECT_EQ(last->reason, Reason::no_answer);
  EXPECT_EQ(last->value, 0);
  EXPECT_EQ(sink_.last("box/uptime")->quality, Quality::good);
  EXPECT_THAT(sink_.reports().back().text, AllOf(HasSubstr("proc/meminfo"), HasSubstr("trying again")));
}

TEST_F(HostDriver, IsDownWhenNothingCanBeReadAndUpAgainAfterwards) {
  start_on_fake_tree("[memory, uptime]");
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  EXPECT_TRUE(sink_.samples().empty());
  put("proc/uptime", "10.0 1.0\n");
  put("proc/meminfo", "MemTotal: 2048 kB\nMemAvailable: 1024 kB\n");
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
  stop();
  EXPECT_EQ(sink_.last("box/memory_used")->value, 50);
}

TEST_F(HostDriver, WhatWasUnpluggedTurnsBadOnceAndIsNoProblem) {
  put("sys/class/hwmon/hwmon0/name", "stick\n");
  put("sys/class/hwmon/hwmon0/temp1_input", "30000\n");
  put("proc/uptime", "10.0 1.0\n");
  start_on_fake_tree("[temperature, uptime]");
  ASSERT_TRUE(sink_.wait_for_samples("box/temperature/stick_temp1", 1));
  std::filesystem::remove_all(root_.path() / "sys/class/hwmon/hwmon0");
  ASSERT_TRUE(sink_.wait_until(
      [](const fakes::FakeSink& sink) { return sink.last("box/temperature/stick_temp1")->quality == Quality::bad; }));
  const std::size_t then = sink_.samples("box/uptime").size();
  ASSERT_TRUE(sink_.wait_for_samples("box/uptime", then + 2));
  stop();
  const auto all = sink_.samples("box/temperature/stick_temp1");
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const Sample& s) { return s.quality == Quality::bad; }), 1);
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up);
}

TEST_F(HostDriver, ACounterThatStepsBackIsLeftOutAndNoFailedRead) {
  const auto traffic = [](int bytes) {
    return "a\nb\neth0: " + std::to_string(bytes) + " 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n";
  };
  // Replaced in one step, so that no read finds half a file.
  const auto replace = [&](const std::string& file, const std::string& text) {
    put("new", text);
    std::filesystem::rename(root_.path() / "new", root_.path() / file);
  };
  put("proc/net/dev", traffic(5000));
  put("proc/loadavg", "0 0 0 1/1 1\n");
  put("proc/stat", "cpu  0 0 0 1000 0 0 0 0 0 0\n");
  put("proc/uptime", "10.0 1.0\n");
  start_on_fake_tree("[cpu, network, uptime]");
  const auto polls = [&](std::size_t more) {
    return sink_.wait_for_samples("box/uptime", sink_.samples("box/uptime").size() + more);
  };
  ASSERT_TRUE(sink_.wait_for_samples("box/network/eth0/received", 1));
  replace("proc/stat", "cpu  0 0 0 2000 0 0 0 0 0 0\n");
  ASSERT_TRUE(sink_.wait_for_samples("box/cpu_usage", 1));
  replace("proc/net/dev", traffic(100));
  replace("proc/stat", "cpu  0 0 0 1990 0 0 0 0 0 0\n");
  ASSERT_TRUE(polls(3));
  stop();
  for (const Sample& sample : sink_.samples()) EXPECT_EQ(sample.quality, Quality::good);
  EXPECT_EQ(sink_.reports().back().health, SourceHealth::up);
}

TEST_F(HostDriver, ASeriesThatTheGatewayRefusesIsSaidInWords) {
  put("proc/uptime", "10.0 1.0\n");
  put("proc/meminfo", "MemTotal: 2048 kB\nMemAvailable: 1024 kB\n");
  sink_.limit_series(2);
  start_on_fake_tree("[memory, uptime]");
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::degraded));
  stop();
  EXPECT_THAT(sink_.reports().back().text, HasSubstr("has its 2 series already"));
}

TEST_F(HostDriver, SeriesBeginWithThePrefix) {
  put("proc/uptime", "10.0 1.0\n");
  start_on_fake_tree("[uptime], prefix: hall3/gateway");
  ASSERT_TRUE(sink_.wait_for_samples("hall3/gateway/uptime", 1));
  stop();
}

TEST(HostDriverOptions, ThatMakeNoSenseAreProblemsAtTheirPlace) {
  GatewayClock clock;
  Metrics metrics;
  for (const auto& [options, expected] :
       std::vector<std::pair<std::string, std::string>>{{"groups: []", "no group"},
                                                        {"groups: [cpus]", "cpu"},
                                                        {"every: 1ms", "200ms"},
                                                        {"every: 5", "5"},
                                                        {"prefix: 'a//b'", "prefix"},
                                                        {"interval: 5s", "interval"}}) {
    std::string why;
    EXPECT_EQ(test::make_driver("{name: box, type: host, " + options + "}", clock, metrics, why), nullptr) << options;
    EXPECT_THAT(why, AllOf(HasSubstr("test.yaml:1:"), HasSubstr(expected)));
  }
}

}  // namespace
}  // namespace tidegate::drivers
