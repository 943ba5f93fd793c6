// The driver at a real broker.

#include "tests/support/broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/drivers/mqtt/running.h"
#include "tests/fakes/fake_sink.h"

namespace tidegate::drivers::mqtt {
namespace {

using test::Broker;
using test::RunningMqtt;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr const char* kSubscriptions = "subscriptions: [{topic: \"z/{device}\"}]";

TEST(MqttDriver, BringsWhatIsPublishedAsSamples) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), kSubscriptions, sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  ASSERT_TRUE(sink.wait_for_words("connected to " + broker.url() + "; nothing yet on 'z/+'", SourceHealth::up));
  for (const char* value : {"-18.37", "-18.4", "-17.125"}) {
    broker.publish("z/freezer", std::string(R"({"temperature":)") + value + R"(,"door":false})");
  }
  ASSERT_TRUE(sink.wait_for_samples("freezer/temperature", 3));
  const auto samples = sink.samples("freezer/temperature");
  EXPECT_EQ(samples[0].value, -18.37);
  EXPECT_EQ(samples[1].value, -18.4);
  EXPECT_EQ(samples[2].value, -17.125);
  EXPECT_EQ(samples[0].quality, Quality::good);
  EXPECT_TRUE(sink.wait_for_words("connected to " + broker.url() + "; subscriptions (1 device)", SourceHealth::up));
}

TEST(MqttDriver, SaysOnWhichSubscriptionsNothingThatCanBeUsedCame) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(),
                           "subscriptions: [{topic: a/temp}, {topic: b/temp, payload: {format: number}}, "
                           "{topic: c/temp, payload: {fields: {t: /tt}}}]",
                           sink);
  ASSERT_TRUE(sink.wait_for_words("; nothing yet on 'a/temp', 'b/temp', 'c/temp'", SourceHealth::up));
  broker.publish("c/temp", R"({"t": 21.5})");
  ASSERT_TRUE(sink.wait_for_words("'b/temp', nothing that can be used yet on 'c/temp'", SourceHealth::up));
  EXPECT_EQ(sink.rejected().size(), 1u);
  broker.publish("a/temp", "21.5");
  EXPECT_TRUE(sink.wait_for_words("; nothing yet on 'b/temp', nothing that", SourceHealth::up));
}

TEST(MqttDriver, GoesOnAfterTheBrokerCameBack) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), kSubscriptions, sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.kill();
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink.reports().back().text, HasSubstr("next try in"));
  broker.start();
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("z/a", "5");
  EXPECT_TRUE(sink.wait_for_samples("a", 1));
}

TEST(MqttDriver, StartsWithoutAnyBroker) {
  Broker broker;
  broker.stop();
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), kSubscriptions, sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::down));
  EXPECT_THAT(sink.reports().back().text, HasSubstr("connection refused"));
}

TEST(MqttDriver, MarksRetainedMessages) {
  Broker broker;
  broker.publish("z/a", "1", 1, true);
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), kSubscriptions, sink);
  ASSERT_TRUE(sink.wait_for_samples("a", 1));
  EXPECT_EQ(sink.last("a")->reason, Reason::retained);
  broker.publish("z/a", "2", 1, true);
  ASSERT_TRUE(sink.wait_for_samples("a", 2));
  EXPECT_EQ(sink.last("a")->quality, Quality::good);
}

TEST(MqttDriver, RefusesALargePayloadAndGoesOn) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), kSubscriptions, sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("z/a", std::string(10'000'000, '1'));
  broker.publish("z/a", "2");
  ASSERT_TRUE(sink.wait_for_samples("a", 1));
  EXPECT_EQ(sink.last("a")->value, 2);
  ASSERT_EQ(sink.rejected().size(), 1u);
  EXPECT_THAT(sink.rejected()[0].reason, HasSubstr("10000000 bytes"));
}

TEST(MqttDriver, TakesAMessageOnceThatSeveralSubscriptionsFit) {
  Broker broker;
  broker.publish("z/a", "1", 1, true);
  fakes::FakeSink sink;
  const RunningMqtt driver(
      broker.url(),
      "subscriptions: [{topic: \"z/sensor-{id}\"}, {topic: \"z/{device}\"}, {topic: \"z/#\", series: "
      "\"all/{topic}\"}, {topic: \"#\", series: \"rest/{topic}\"}]",
      sink);
  ASSERT_TRUE(sink.wait_for_samples("a", 1));
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  for (const char* topic : {"z/a", "z/sensor-9", "z/b/c", "last"}) broker.publish(topic, "2");
  ASSERT_TRUE(sink.wait_for_samples("rest/last", 1));
  EXPECT_EQ(sink.samples("a").size(), 2u);
  EXPECT_EQ(sink.samples("9").size(), 1u);
  EXPECT_EQ(sink.samples("all/z/b/c").size(), 1u);
  EXPECT_EQ(sink.samples().size(), 5u);
}

TEST(MqttDriver, WatchesWhatTheBrokerDrops) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), std::string(kSubscriptions) + ", watch_broker: true", sink);
  ASSERT_TRUE(sink.wait_for_samples("field/broker/dropped_messages", 1));
  EXPECT_EQ(sink.info("field/broker/dropped_messages")->kind, SeriesKind::counter);
}

TEST(MqttDriver, ReadsSecretsAndSpeaks311) {
  Broker broker({.user = "gateway", .password = "right"});
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(),
                           std::string(kSubscriptions) + ", version: \"3.1.1\", user: gateway, password: right", sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("z/a", "5", 2);
  EXPECT_TRUE(sink.wait_for_samples("a", 1));
}

constexpr const char* kCommitted = ", client_id: same, ack: committed";

/// One message that the driver took in, and that waits for its commit now.
void make_it_wait(Broker& broker, fakes::FakeSink& sink) {
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("z/a", "5");
  ASSERT_TRUE(sink.wait_until([](const fakes::FakeSink& s) { return s.committed_waits() == 1; }));
}

TEST(MqttDriver, TakesAMessageInAgainThatGaveWayAtTheQueuesBound) {
  Broker broker;
  fakes::FakeSink sink;
  sink.commit_through(0);
  const RunningMqtt driver(broker.url(), std::string(kSubscriptions) + kCommitted, sink);
  make_it_wait(broker, sink);
  sink.drop_through(1);
  ASSERT_TRUE(sink.wait_for_samples("a", 2)) << "acknowledged, and on no disk";
  EXPECT_EQ(sink.samples("a")[1].value, 5);
  sink.commit_through(2);
  broker.publish("z/a", "6");
  ASSERT_TRUE(sink.wait_for_samples("a", 3));
  EXPECT_EQ(sink.samples("a")[2].value, 6);
  sink.commit_through(3);
}

TEST(MqttDriver, WaitsForACommitPastItsStop) {
  Broker broker;
  fakes::FakeSink sink;
  sink.commit_through(0);
  {
    RunningMqtt driver(broker.url(), std::string(kSubscriptions) + kCommitted, sink);
    make_it_wait(broker, sink);
    driver.ask_to_stop();
    EXPECT_FALSE(sink.wait_until([](const fakes::FakeSink& s) { return s.waits_given_up() > 0; }, 300ms));
    sink.commit_through(1);
  }
  EXPECT_EQ(sink.waits_given_up(), 0u);
}

TEST(MqttDriver, StopsThoughTheDiskTakesNothing) {
  Broker broker;
  fakes::FakeSink sink;
  sink.commit_through(0);
  {
    const RunningMqtt driver(broker.url(), std::string(kSubscriptions) + kCommitted, sink);
    make_it_wait(broker, sink);
  }
  EXPECT_EQ(sink.waits_given_up(), 1u);
}

/// A gateway that dies (as by a power cut) while a message waits for its commit.
[[noreturn]] void die_before_the_commit(const std::string& url, const std::string& more) {
  fakes::FakeSink sink;
  sink.commit_through(0);
  const RunningMqtt driver(url, more, sink);
  sink.wait_until([](const fakes::FakeSink& s) { return s.committed_waits() > 0; });
  _exit(sink.samples().size() == 1 ? 0 : 1);
}

TEST(MqttDriver, GetsAMessageAgainThatItHadNotCommitted) {
  Broker broker;
  const std::string more = std::string(kSubscriptions) + kCommitted;
  {
    fakes::FakeSink first;  // makes the session
    const RunningMqtt driver(broker.url(), more, first);
    ASSERT_TRUE(first.wait_for_health(SourceHealth::up));
  }
  broker.publish("z/a", "5");
  EXPECT_EXIT(die_before_the_commit(broker.url(), more), ::testing::ExitedWithCode(0), "");
  {
    fakes::FakeSink sink;
    const RunningMqtt driver(broker.url(), more, sink);
    ASSERT_TRUE(sink.wait_for_samples("a", 1));
    EXPECT_EQ(sink.last("a")->value, 5);
  }
  fakes::FakeSink after;
  const RunningMqtt driver(broker.url(), more, after);
  ASSERT_TRUE(after.wait_for_health(SourceHealth::up));
  broker.publish("z/a", "6");
  ASSERT_TRUE(after.wait_for_samples("a", 1));
  EXPECT_EQ(after.samples("a")[0].value, 6) << "the committed one came again";
}

}  // namespace
}  // namespace tidegate::drivers::mqtt

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  // The process that dies begins anew, without the threads of this one.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  return RUN_ALL_TESTS();
}
