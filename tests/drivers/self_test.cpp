#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "tests/drivers/section.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers {
namespace {

using namespace std::chrono_literals;

class SelfDriver : public testing::Test {
 protected:
  void start() {
    std::string why;
    driver_ = test::make_driver("{name: gateway, type: self, every: 100ms}", clock_, metrics_, why);
    ASSERT_NE(driver_, nullptr) << why;
    thread_ = std::jthread([this](std::stop_token stop) { result_ = driver_->run(sink_, stop); });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
    EXPECT_TRUE(result_);
  }

  GatewayClock clock_;
  Metrics metrics_;
  fakes::FakeSink sink_;
  std::unique_ptr<Driver> driver_;
  Status result_;
  std::jthread thread_;
};

TEST_F(SelfDriver, ShowsEveryMetricUnderItsPath) {
  metrics_.counter("intake/dropped_samples", "samples", "Dropped.").add(3);
  metrics_.gauge("intake/depth", "samples", "Waiting.").set(17.5);
  start();
  ASSERT_TRUE(sink_.wait_for_samples("self/intake/dropped_samples", 1));
  stop();
  EXPECT_EQ(sink_.last("self/intake/dropped_samples")->value, 3);
  EXPECT_EQ(sink_.last("self/intake/depth")->value, 17.5);
  EXPECT_EQ(sink_.info("self/intake/dropped_samples")->kind, SeriesKind::counter);
  EXPECT_EQ(sink_.info("self/intake/depth")->kind, SeriesKind::number);
  EXPECT_EQ(sink_.info("self/intake/depth")->unit, "samples");
  EXPECT_EQ(sink_.info("self/intake/depth")->source, "gateway");
  EXPECT_TRUE(driver_->turns()) << "it measures how it keeps its turns";
}

TEST_F(SelfDriver, FollowsAMetricAndFindsThoseMadeLater) {
  Metric& depth = metrics_.gauge("depth", "", "");
  start();
  ASSERT_TRUE(sink_.wait_for_samples("self/depth", 1));
  depth.set(9);
  metrics_.gauge("later", "s", "").set(1);
  ASSERT_TRUE(sink_.wait_for_samples("self/later", 1));
  ASSERT_TRUE(sink_.wait_until([](const fakes::FakeSink& sink) { return sink.last("self/depth")->value == 9; }));
  stop();
}

TEST_F(SelfDriver, AMetricThatIsNoNumberIsABadSample) {
  metrics_.gauge("ratio", "", "").set(std::numeric_limits<double>::quiet_NaN());
  start();
  ASSERT_TRUE(sink_.wait_for_samples("self/ratio", 1));
  stop();
  EXPECT_EQ(sink_.last("self/ratio")->quality, Quality::bad);
  EXPECT_EQ(sink_.last("self/ratio")->reason, Reason::not_a_number);
  EXPECT_EQ(sink_.last("self/ratio")->value, 0);
}

TEST_F(SelfDriver, IsDegradedWhenTheGatewayRefusesASeries) {
  sink_.limit_series(1);
  metrics_.gauge("one", "", "");
  metrics_.gauge("two", "", "");
  start();
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::degraded));
  stop();
  EXPECT_EQ(sink_.names().size(), 1u);
}

}  // namespace
}  // namespace tidegate::drivers
