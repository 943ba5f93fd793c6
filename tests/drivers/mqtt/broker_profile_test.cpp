// Payload formats, profiles and ways to connect, at a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/drivers/mqtt/running.h"
#include "tests/drivers/mqtt/sparkplug_payload.h"
#include "tests/support/broker.h"

namespace tidegate::drivers::mqtt {
namespace {

using test::Broker;
using test::Process;
using test::RunningMqtt;
using test::SparkplugPayload;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

bool wait_for_text(fakes::FakeSink& sink, const std::string& text) {
  return sink.wait_until([&](const fakes::FakeSink& s) {
    const auto reports = s.reports();
    return !reports.empty() && reports.back().text.find(text) != std::string::npos;
  });
}

TEST(MqttFormats, ArriveWhole) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(),
                           "subscriptions: [{topic: \"c/{device}\", payload: {format: cbor}}, {topic: \"m/{device}\", "
                           "payload: {format: msgpack}}, {topic: \"l/#\", series: \"{field}\", payload: {format: "
                           "line_protocol}}]",
                           sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("c/probe", std::string("\xa2\x61\x61\x00\x61\x62\x18\x64", 8));  // {"a":0,"b":100}
  broker.publish("m/probe", std::string("\x82\xa1\x78\x00\xa1\x79\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", 15));
  broker.publish("l/telegraf", "cpu,host=nas usage_idle=98.5\nmem,host=nas used=5i");
  ASSERT_TRUE(sink.wait_for_samples("mem/nas/used", 1));
  EXPECT_EQ(sink.last("probe/a")->value, 0);
  EXPECT_EQ(sink.last("probe/b")->value, 100);
  EXPECT_EQ(sink.last("probe/x")->value, 0);
  EXPECT_EQ(sink.last("probe/y")->value, 1.5);
  EXPECT_EQ(sink.last("cpu/nas/usage_idle")->value, 98.5);
}

TEST(MqttProfiles, KnowADeviceThatWasAwayBeforeTheyCame) {
  Broker broker;
  broker.publish("zigbee2mqtt/bridge/state", R"({"state":"online"})", 1, true);
  broker.publish("zigbee2mqtt/freezer/availability", R"({"state":"offline"})", 1, true);
  broker.publish("zigbee2mqtt/freezer", R"({"temperature":-18.37})", 1, true);
  broker.publish("zigbee2mqtt/oven/availability", R"({"state":"online"})", 1, true);
  broker.publish("zigbee2mqtt/oven", R"({"temperature":180})", 1, true);
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), "profile: zigbee2mqtt", sink);
  ASSERT_TRUE(sink.wait_for_samples("freezer/temperature", 1));
  ASSERT_TRUE(sink.wait_for_samples("oven/temperature", 1));
  EXPECT_TRUE(wait_for_text(sink, "; zigbee2mqtt (2 devices, 1 offline: freezer)"));
  EXPECT_EQ(sink.reports().back().health, SourceHealth::degraded);
  EXPECT_EQ(sink.last("freezer/temperature")->quality, Quality::bad);
  EXPECT_EQ(sink.last("oven/temperature")->reason, Reason::retained);
  broker.publish("zigbee2mqtt/freezer/availability", R"({"state":"online"})", 1, true);
  broker.publish("zigbee2mqtt/freezer", R"({"temperature":-18.4})");
  EXPECT_TRUE(wait_for_text(sink, "; zigbee2mqtt (2 devices)"));
  EXPECT_EQ(sink.reports().back().health, SourceHealth::up);
  EXPECT_EQ(sink.last("freezer/temperature")->quality, Quality::good);
}

TEST(MqttProfiles, AutoSaysWhatItGuessed) {
  Broker broker;
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), "profile: auto", sink);
  ASSERT_TRUE(wait_for_text(sink, "nothing yet that a profile reads"));
  broker.publish("tele/pump/SENSOR", R"({"Time":"2026-03-01T12:00:00","DS18B20":{"Temperature":70.3},"TempUnit":"C"})");
  EXPECT_TRUE(wait_for_text(sink, "guessed: tasmota (1 device)"));
}

TEST(MqttProfiles, SubscribeToWhatHomeAssistantsDevicesAnnounce) {
  Broker broker({.persistence = true});
  broker.publish("cellar/temperature", "4.5", 1, true);
  broker.publish("homeassistant/sensor/cellar/config",
                 R"({"name":"Temperature","stat_t":"cellar/temperature","unit_of_meas":"°C","dev":{"name":"Cellar"}})",
                 1, true);
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.url(), "profile: homeassistant", sink);
  ASSERT_TRUE(sink.wait_for_samples("Cellar/Temperature", 1));
  EXPECT_EQ(sink.last("Cellar/Temperature")->reason, Reason::retained);
  broker.publish("cellar/temperature", "5");
  ASSERT_TRUE(sink.wait_for_samples("Cellar/Temperature", 2));
  // It still hears of it after the broker was away.
  broker.restart();
  ASSERT_TRUE(sink.wait_until([](const fakes::FakeSink& s) {
    const auto all = s.reports();
    const auto down = [](const auto& report) { return report.health == SourceHealth::down; };
    return std::any_of(all.begin(), all.end(), down) && all.back().health == SourceHealth::up;
  }));
  broker.publish("cellar/temperature", "6");
  ASSERT_TRUE(sink.wait_until([](const fakes::FakeSink& s) { return s.last("Cellar/Temperature")->value == 6; }));
}

TEST(MqttSparkplug, HearsANodeDie) {
  Broker broker;
  fakes::FakeSink sink;
  auto commands = broker.subscribe("spBv1.0/plant/NCMD/edge");
  const RunningMqtt driver(broker.url(), "profile: sparkplug", sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  // A node whose last will is its death; without a zero byte, so that it fits on a command line.
  auto node =
      broker.subscribe("spBv1.0/plant/NCMD/edge", {"--will-topic", "spBv1.0/plant/NDEATH/edge", "--will-payload",
                                                   SparkplugPayload(1).metric("bdSeq", 4).longer(3).bytes()});
  const auto data = [](std::uint64_t seq, double value) {
    return SparkplugPayload(1).seq(seq).by_alias(1).number(value).bytes();
  };
  broker.publish("spBv1.0/plant/NDATA/edge", data(9, 1), 0);
  EXPECT_TRUE(commands->wait_for_output("Node Control/Rebirth"));
  auto birth = SparkplugPayload(1).seq(0);
  birth.metric("bdSeq", 4).longer(3).metric("pressure", 10).alias(1).number(2.5);
  broker.publish("spBv1.0/plant/NBIRTH/edge", birth.bytes(), 0);
  broker.publish("spBv1.0/plant/NDATA/edge", data(1, 3.5), 0);
  ASSERT_TRUE(sink.wait_for_samples("plant/edge/pressure", 2));
  EXPECT_EQ(sink.last("plant/edge/pressure")->value, 3.5);
  node->kill();
  ASSERT_TRUE(sink.wait_for_samples("plant/edge/pressure", 3));
  EXPECT_EQ(sink.last("plant/edge/pressure")->quality, Quality::bad);
  EXPECT_TRUE(wait_for_text(sink, "sparkplug (1 device, 1 offline: plant/edge)"));
}

TEST(MqttSparkplug, APrimaryHostTellsThatItIsThere) {
  Broker broker;
  auto states = broker.subscribe("spBv1.0/STATE/#");
  {
    fakes::FakeSink sink;
    const RunningMqtt driver(broker.url(), "profile: sparkplug, sparkplug: {host_id: gateway}", sink);
    ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
    EXPECT_TRUE(states->wait_for_output("spBv1.0/STATE/gateway {\"online\":true,\"timestamp\":"));
  }
  EXPECT_TRUE(states->wait_for_output("spBv1.0/STATE/gateway {\"online\":false,\"timestamp\":"));
}

TEST(MqttShare, GivesEachMessageToOneOfAGroup) {
  Broker broker;
  fakes::FakeSink one, other;
  const std::string more = "share: gateways, session_expiry: 0s, subscriptions: [{topic: \"z/{device}\"}], client_id: ";
  const RunningMqtt first(broker.url(), more + "one", one);
  const RunningMqtt second(broker.url(), more + "other", other);
  ASSERT_TRUE(one.wait_for_health(SourceHealth::up));
  ASSERT_TRUE(other.wait_for_health(SourceHealth::up));
  constexpr std::size_t kMessages = 20;
  for (std::size_t i = 0; i < kMessages; ++i) broker.publish("z/a", std::to_string(i));
  const auto total = [&] { return one.samples().size() + other.samples().size(); };
  EXPECT_TRUE(test::eventually([&] { return total() >= kMessages; }));
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(total(), kMessages);
  EXPECT_GT(one.samples().size(), 0u);
  EXPECT_GT(other.samples().size(), 0u);
}

TEST(MqttBrokers, AreSeveralSources) {
  Broker here, there;
  fakes::FakeSink near, far;
  const RunningMqtt first(here.url(), "subscriptions: [{topic: \"z/{device}\"}]", near);
  const RunningMqtt second(there.url(), "subscriptions: [{topic: \"z/{device}\"}]", far);
  ASSERT_TRUE(near.wait_for_health(SourceHealth::up));
  ASSERT_TRUE(far.wait_for_health(SourceHealth::up));
  here.publish("z/a", "1");
  there.publish("z/a", "2");
  ASSERT_TRUE(near.wait_for_samples("a", 1));
  ASSERT_TRUE(far.wait_for_samples("a", 1));
  EXPECT_EQ(near.last("a")->value, 1);
  EXPECT_EQ(far.last("a")->value, 2);
  // One that is away holds up no other.
  there.kill();
  ASSERT_TRUE(far.wait_for_health(SourceHealth::down));
  here.publish("z/a", "3");
  EXPECT_TRUE(near.wait_for_samples("a", 2));
}

TEST(MqttWebSocket, BringsMessages) {
  Broker broker({.websockets = true});
  fakes::FakeSink sink;
  const RunningMqtt driver(broker.websocket_url(), "subscriptions: [{topic: \"z/{device}\"}]", sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  const std::string large = "[" + std::string(60'000, ' ') + "7]";  // in several frames
  broker.publish("z/a", large);
  broker.publish("z/b", "8");
  ASSERT_TRUE(sink.wait_for_samples("b", 1));
  EXPECT_EQ(sink.last("a/0")->value, 7);
  broker.kill();
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::down));
  broker.start();
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("z/b", "9");
  EXPECT_TRUE(sink.wait_for_samples("b", 2));
}

TEST(MqttTls, IsUpAndTheEndOfTheBrokersCertificateIsTold) {
  for (const int days : {5, 365}) {
    Broker broker({.tls = true, .days = days, .websockets = true});
    const std::string tls = "tls: {ca: \"" + broker.certificates().ca.string() + "\"}, subscriptions: [{topic: a}]";
    for (const std::string& url : {broker.url(), broker.websocket_url()}) {
      fakes::FakeSink sink;
      RunningMqtt driver(url, tls, sink);
      const Metric& ends = driver.metrics().gauge("source/field/peer_certificate_expiry_timestamp", "s", "");
      ASSERT_TRUE(test::eventually([&] { return ends.value() > 0; }));
      const auto day = std::chrono::system_clock::now() + std::chrono::days(days);
      EXPECT_NEAR(ends.value(), std::chrono::duration<double>(day.time_since_epoch()).count(), 300);
      const std::string words = days == 5 ? "; the broker's certificate ends within 7 days, at " : "";
      EXPECT_TRUE(sink.wait_for_words("connected to " + url + words, SourceHealth::up));
      EXPECT_EQ(sink.reports().back().text.find("certificate") == std::string::npos, words.empty());
    }
  }
}

TEST(MqttWebSocket, IsSecureWhereAskedFor) {
  Broker broker({.tls = true, .websockets = true});
  fakes::FakeSink sink;
  const RunningMqtt driver(
      broker.websocket_url(),
      "tls: {ca: \"" + broker.certificates().ca.string() + "\"}, subscriptions: [{topic: \"z/{device}\"}]", sink);
  ASSERT_TRUE(sink.wait_for_health(SourceHealth::up));
  broker.publish("z/a", "7");
  ASSERT_TRUE(sink.wait_for_samples("a", 1));
  EXPECT_EQ(sink.last("a")->value, 7);
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
