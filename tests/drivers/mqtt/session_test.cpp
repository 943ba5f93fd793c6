// What waits at a real broker while the gateway is away, of points that a restart has made it forget.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/drivers/mqtt/running.h"
#include "tests/fakes/fake_sink.h"
#include "tests/support/broker.h"

namespace tidegate::drivers::mqtt {
namespace {

using test::Broker;
using test::RunningMqtt;
using ::testing::HasSubstr;

/// What a visit hears, and the next one may get once more: the first may have gone before its acknowledgement went out.
constexpr double kFirst = 1;

/// True once a series has these values, in this order, that are no old news.
bool wait_for(const fakes::FakeSink& sink, const std::string& series, const std::vector<double>& expected) {
  return test::eventually([&] {
    std::vector<double> values;
    for (const Sample& sample : sink.samples(series)) {
      if (sample.reason != Reason::retained && sample.value != kFirst) values.push_back(sample.value);
    }
    return values == expected;
  });
}

class MqttSession : public ::testing::Test {
 protected:
  /// A gateway that comes for the first time, hears `topic` once, and goes away.
  void visit(const std::string& more, const std::string& topic, const std::string& payload) {
    fakes::FakeSink sink;
    const RunningMqtt driver(broker_.url(), options(more), sink);
    ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
    // What a device announces is subscribed to after a moment.
    ASSERT_TRUE(test::eventually([&] {
      broker_.publish(topic, payload);
      return !sink.samples().empty();
    }));
  }
  static std::string options(const std::string& more) { return "client_id: same, " + more; }

  Broker broker_;
};

constexpr const char* kEntity =
    R"({"name":"Level","state_topic":"tank/level","unit_of_measurement":"%","device":{"name":"Tank"}})";

TEST_F(MqttSession, KeepsWhatDevicesSaidThatAnnounceThemselves) {
  broker_.publish("homeassistant/sensor/tank/config", kEntity, 1, true);
  visit("profile: homeassistant", "tank/level", "1");
  for (const char* value : {"5", "6", "7"}) broker_.publish("tank/level", value);
  fakes::FakeSink sink;
  RunningMqtt driver(broker_.url(), options("profile: homeassistant"), sink);
  ASSERT_TRUE(wait_for(sink, "Tank/Level", {5, 6, 7}));
  EXPECT_EQ(sink.info("Tank/Level")->unit, "%");
  EXPECT_TRUE(sink.rejected().empty());
}

TEST_F(MqttSession, KeepsWhatHomieDevicesSaid) {
  for (const auto& [topic, payload] :
       std::vector<std::pair<std::string, std::string>>{{"homie/tank/$state", "ready"},
                                                        {"homie/tank/probe/level/$datatype", "float"},
                                                        {"homie/tank/probe/level/$unit", "%"},
                                                        {"homie/tank/probe/level", "1"}}) {
    broker_.publish(topic, payload, 1, true);
  }
  visit("profile: homie", "homie/tank/probe/level", "1");
  for (const char* value : {"5", "6", "7"}) broker_.publish("homie/tank/probe/level", value);
  fakes::FakeSink sink;
  RunningMqtt driver(broker_.url(), options("profile: homie"), sink);
  ASSERT_TRUE(wait_for(sink, "tank/probe/level", {5, 6, 7}));
  EXPECT_EQ(sink.info("tank/probe/level")->unit, "%");
}

TEST_F(MqttSession, KeepsWhatDevicesOfAProfileSaid) {
  visit("profile: zigbee2mqtt", "zigbee2mqtt/tank", R"({"level":1})");
  for (const char* value : {"5", "6", "7"}) {
    broker_.publish("zigbee2mqtt/tank", std::string(R"({"level":)") + value + "}");
  }
  fakes::FakeSink sink;
  RunningMqtt driver(broker_.url(), options("profile: zigbee2mqtt"), sink);
  ASSERT_TRUE(wait_for(sink, "tank/level", {5, 6, 7}));
}

/// `ack: committed` holds for them too: none is acknowledged before it is on disk.
TEST_F(MqttSession, TakesAgainWhatWasNotCommitted) {
  const std::string more = "profile: homeassistant, ack: committed";
  broker_.publish("homeassistant/sensor/tank/config", kEntity, 1, true);
  {
    fakes::FakeSink sink;
    const RunningMqtt driver(broker_.url(), options("profile: homeassistant"), sink);
    ASSERT_TRUE(test::eventually([&] {
      broker_.publish("tank/level", "1");
      return !sink.samples().empty();
    }));
  }
  broker_.publish("tank/level", "5");
  fakes::FakeSink sink;
  sink.commit_through(0);
  RunningMqtt driver(broker_.url(), options(more), sink);
  ASSERT_TRUE(sink.wait_for_samples("Tank/Level", 1));
  ASSERT_TRUE(sink.wait_until([](const fakes::FakeSink& s) { return s.committed_waits() == 1; }))
      << "it was acknowledged and is on no disk";
  sink.commit_through(1);
}

TEST_F(MqttSession, TellsOfWhatNobodyReadsAnyMore) {
  broker_.publish("homeassistant/sensor/tank/config", kEntity, 1, true);
  visit("profile: homeassistant", "tank/level", "1");
  broker_.publish("homeassistant/sensor/tank/config", "", 1, true);  // it is announced no more
  for (const char* value : {"5", "6"}) broker_.publish("tank/level", value);
  fakes::FakeSink sink;
  RunningMqtt driver(broker_.url(), options("profile: homeassistant"), sink);
  Metric& unread = driver.metrics().counter("mqtt/field/unread_messages", "", "");
  ASSERT_TRUE(test::eventually([&] { return unread.value() >= 2; }));
  ASSERT_EQ(sink.rejected().size(), 1u) << "once a topic";
  EXPECT_EQ(sink.rejected()[0].topic, "tank/level");
  EXPECT_THAT(sink.rejected()[0].reason, HasSubstr("nobody reads it"));
}

/// A filter that is written in another way is another subscription, and the broker keeps the old one too.
TEST_F(MqttSession, TellsOfWhatWaitedUnderASubscriptionThatIsNoMore) {
  visit("subscriptions: [{topic: \"tank/#\"}]", "tank/level", "1");
  broker_.publish("tank/level", "5");
  fakes::FakeSink sink;
  RunningMqtt driver(broker_.url(), options("subscriptions: [{topic: \"tank/{what}\"}]"), sink);
  Metric& unread = driver.metrics().counter("mqtt/field/unread_messages", "", "");
  ASSERT_TRUE(test::eventually([&] { return unread.value() >= 1; }));
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  ASSERT_EQ(sink.rejected().size(), 1u);
  EXPECT_THAT(sink.rejected()[0].reason, HasSubstr("a subscription of an earlier configuration brought it"));
  broker_.publish("tank/level", "6");
  ASSERT_TRUE(wait_for(sink, "level", {6}));
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
