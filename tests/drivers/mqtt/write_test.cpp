// Points that are set by publishing, at a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "drivers/mqtt/receiver.h"
#include "gateway/config/load.h"
#include "tests/drivers/mqtt/running.h"
#include "tests/fakes/fake_sink.h"
#include "tests/fakes/permission.h"
#include "tests/support/broker.h"
#include "tests/support/scripted_broker.h"

namespace tidegate::drivers::mqtt {
namespace {

using test::Broker;
using test::RunningMqtt;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// A lamp and a thermostat as bridges publish them; `timeout` of all their points.
std::string points(const std::string& timeout) {
  const std::string how = "timeout: " + timeout;
  return "subscriptions: [{topic: home/lamp, series: \"lamp/{field}\", payload: {fields: {"
         "on: {pointer: /state, kind: boolean, writable: {topic: home/lamp/set, "
         "payload: '{\"state\": \"{value}\"}', " +
         how +
         "}}, brightness: {kind: number, scale: 0.1, unit: \"%\", writable: {topic: home/lamp/set, "
         "payload: '{\"brightness\": {value}}', min: 0, max: 100, " +
         how +
         "}}}}}, "
         "{topic: home/mode, series: house/mode, payload: {kind: state, writable: {topic: home/mode/set, "
         "states: [heat, cool], retain: true, qos: 2, " +
         how +
         "}}}, {topic: home/bell, series: house/bell, payload: {kind: boolean, writable: {topic: home/bell/set, "
         "value_on: "
         "ring, verify: false}}}]";
}

class MqttWriting : public testing::Test {
 protected:
  void start(const std::string& timeout) {
    driver_ = std::make_unique<RunningMqtt>(broker_.url(), points(timeout), sink_);
    ASSERT_TRUE(sink_.wait_for_health(SourceHealth::up));
  }
  std::future<Status> write(const char* series, const char* value) {
    return std::async(std::launch::async,
                      [this, series, value] { return driver_->outlet()->write(series, value, fakes::granted); });
  }
  static std::string why(const Status& status) { return status ? "it is set" : status.error().text; }

  Broker broker_;
  std::unique_ptr<test::Process> device_ = broker_.subscribe("+/+/set");  ///< what it is told
  fakes::FakeSink sink_;
  std::unique_ptr<RunningMqtt> driver_;
};

TEST_F(MqttWriting, IsDoneWhenTheDeviceShowsIt) {
  start("30s");
  ASSERT_EQ(driver_->outlet()->points().size(), 4u);
  auto lamp = write("lamp/on", "on");
  ASSERT_TRUE(device_->wait_for_output("home/lamp/set {\"state\": \"ON\"}\n"));
  broker_.publish("home/lamp", R"({"state": "ON", "brightness": 5})");
  EXPECT_EQ(why(lamp.get()), "it is set");
  EXPECT_EQ(sink_.last("lamp/on")->value, 1);
  auto brightness = write("lamp/brightness", "62.3");
  ASSERT_TRUE(device_->wait_for_output("home/lamp/set {\"brightness\": 623}\n"));
  broker_.publish("home/lamp", R"({"state": "ON", "brightness": 300})");  // on its way
  broker_.publish("home/lamp", R"({"state": "ON", "brightness": 623})");
  EXPECT_EQ(why(brightness.get()), "it is set");
}

TEST_F(MqttWriting, IsAnErrorWhereTheDeviceShowsNothing) {
  start("100ms");
  const Status status = write("lamp/on", "off").get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::timed_out);
  EXPECT_THAT(status.error().text, HasSubstr("lamp/on: published to home/lamp/set, but nothing was heard of it within "
                                             "100 ms; look at the point before you try again"));
  EXPECT_TRUE(device_->wait_for_output("home/lamp/set {\"state\": \"OFF\"}\n"));
}

TEST_F(MqttWriting, IsAnErrorWhereTheDeviceShowsSomethingElse) {
  start("3s");
  // A device that says again and again that it is off.
  const test::Process stubborn({"mosquitto_pub", "-p", std::to_string(broker_.port()), "-t", "home/lamp", "-m",
                                R"({"state": "OFF", "brightness": 5})", "--repeat", "10000", "--repeat-delay", "0.05"});
  ASSERT_TRUE(sink_.wait_for_samples("lamp/on", 1));
  const Status status = write("lamp/on", "on").get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::conflict);
  EXPECT_EQ(status.error().text, "lamp/on: written, but it shows off instead of on");
}

TEST_F(MqttWriting, SendsStatesAndCommandsAsTheyAreSaid) {
  start("30s");
  EXPECT_EQ(why(write("house/bell", "on").get()), "it is set") << "nothing is read back of it";
  EXPECT_TRUE(device_->wait_for_output("home/bell/set ring\n"));
  auto mode = write("house/mode", "cool");
  ASSERT_TRUE(device_->wait_for_output("home/mode/set cool\n"));
  broker_.publish("home/mode", "cool");
  EXPECT_EQ(why(mode.get()), "it is set");
  const auto later = broker_.subscribe("+/+/set");
  EXPECT_TRUE(later->wait_for_output("home/mode/set cool\n")) << "it says retain";
  EXPECT_THAT(later->output(), testing::Not(HasSubstr("home/bell"))) << "and this does not";
}

TEST_F(MqttWriting, RefusesWhatThePointDoesNotTakeAndPublishesNothing) {
  start("30s");
  for (const auto& [status, expected] : std::vector<std::pair<Status, const char*>>{
           {write("lamp/brightness", "101").get(), "101 is not within 0 and 100"},
           {write("lamp/on", "dim").get(), "'dim' is none of on and off"},
           {write("house/mode", "dry").get(), "'dry' is none of heat, cool"},
           {write("lamp/colour", "1").get(), "no point that may be set"}}) {
    EXPECT_THAT(why(status), HasSubstr(expected));
  }
  broker_.publish("home/last/set", "x");
  ASSERT_TRUE(device_->wait_for_output("home/last/set x\n"));
  EXPECT_THAT(device_->output(), testing::Not(testing::ContainsRegex("home/(lamp|mode)/set")));
}

TEST_F(MqttWriting, WithoutABrokerIsNotDone) {
  start("30s");
  broker_.kill();
  ASSERT_TRUE(sink_.wait_for_health(SourceHealth::down));
  const Status status = write("lamp/on", "on").get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::unavailable);
  EXPECT_THAT(status.error().text, HasSubstr("lamp/on: not written: "));
}

TEST_F(MqttWriting, EndsWithItsSource) {
  start("30s");
  auto lamp = write("lamp/on", "on");
  ASSERT_TRUE(device_->wait_for_output("home/lamp/set"));
  driver_->ask_to_stop();
  EXPECT_THAT(why(lamp.get()), HasSubstr("look at the point before you try again"));
}

/// The broker keeps a command for a device that is away, and by then it is told that it was not done.
TEST_F(MqttWriting, OfADeviceThatIsAwayIsNotDoneWhenItComesBack) {
  const std::vector<std::string> session = {"-c", "-i", "lamp", "-q", "1"};
  broker_.subscribe("home/+/set", session);  // and is away again
  start("1s");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(write("lamp/on", "on").get().error().code, Errc::timed_out);
  EXPECT_EQ(why(write("house/bell", "on").get()), "it is set") << "5 s are not over";
  std::this_thread::sleep_for(2s);  // brokers count whole seconds
  const auto device = broker_.subscribe("home/+/set", session);
  EXPECT_TRUE(device->wait_for_output("home/bell/set ring\n"));
  EXPECT_THAT(device->output(), testing::Not(HasSubstr("home/lamp/set")));
}

/// A point without a subscriber: what is heard of it is nothing.
class MqttWriteDeadline : public testing::Test {
 protected:
  static constexpr auto kMuchLess = 8s;  ///< than a broker's patience, 10 s and 30 s, that a write once waited for

  std::unique_ptr<TopicOutlet> outlet(const std::string& url) {
    const config::Node section = test::source_section(
        "{name: field, type: mqtt, broker: \"" + url +
            "\", subscriptions: [{topic: home/lamp, series: lamp, payload: {kind: boolean, writable: {topic: "
            "home/lamp/set, timeout: 1s}}}, {topic: home/bell, series: bell, payload: {kind: boolean, writable: "
            "{topic: "
            "home/bell/set, timeout: 1s, verify: false}}}]}",
        problems_);
    auto made = std::make_unique<TopicOutlet>(read_options(section, "field", problems_).commands,
                                              tidegate::mqtt::connection_options(section, "field", problems_));
    EXPECT_EQ(problems_.text(), "");
    made->start();
    made->hears(true);
    return made;
  }
  static Status status_of(TopicOutlet& outlet, const char* series) {
    const auto start = std::chrono::steady_clock::now();
    Status status = outlet.write(series, "on", fakes::granted);
    EXPECT_LT(std::chrono::steady_clock::now() - start, kMuchLess) << series;
    return status;
  }

  config::Problems problems_;
};

TEST_F(MqttWriteDeadline, HoldsAtABrokerThatNeverAcknowledges) {
  using test::ScriptedBroker;
  ScriptedBroker::Script script;
  script.published = [](const ScriptedBroker::Publish&) {
    return ScriptedBroker::Answer{ScriptedBroker::Answer::Kind::silence, 0};
  };
  ScriptedBroker broker(script);
  const auto to = outlet(broker.url());
  auto first = std::async(std::launch::async, [&] { return status_of(*to, "lamp"); });
  ASSERT_TRUE(test::eventually([&] { return broker.publishes().size() == 1; }));
  // Those behind it wait for no longer, and what could not go out goes out no more.
  auto second = std::async(std::launch::async, [&] { return status_of(*to, "bell"); });
  auto third = std::async(std::launch::async, [&] { return status_of(*to, "lamp"); });
  const Status unsure = first.get();
  ASSERT_FALSE(unsure);
  EXPECT_EQ(unsure.error().code, Errc::timed_out);
  EXPECT_THAT(unsure.error().text, HasSubstr("the broker did not say that it has it; look at the point"));
  for (auto* later : {&second, &third}) {
    const Status status = later->get();
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().text, HasSubstr(": not written: "));
  }
  EXPECT_EQ(broker.publishes().size(), 1u);
  to->stop();
}

TEST_F(MqttWriteDeadline, HoldsWhereThereIsNoBroker) {
  const auto to = outlet("mqtt://127.0.0.1:" + std::to_string(test::free_port()));
  const Status status = status_of(*to, "lamp");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().text, HasSubstr("lamp: not written: "));
  to->stop();
}

/// An interlock that opens while the broker is awaited stops what has not gone out.
TEST_F(MqttWriteDeadline, WhatMayNotBeDoneAnyMoreWhenTheBrokerIsThereIsNotPublished) {
  test::ScriptedBroker broker({});
  const auto to = outlet(broker.url());
  std::atomic<int> asked = 0;
  const Permission withdrawn = [&] {
    ++asked;
    return fakes::refused();
  };
  for (const char* series : {"lamp", "bell"}) {
    const Status status = to->write(series, "on", withdrawn);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().text, fakes::refused().error().text) << series;
  }
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(status_of(*to, "bell")) << "and the next goes out";
  EXPECT_EQ(broker.publishes().size(), 1u);
  to->stop();
  asked = 0;
  const auto nowhere = outlet("mqtt://127.0.0.1:" + std::to_string(test::free_port()));
  EXPECT_FALSE(nowhere->write("bell", "on", withdrawn));
  EXPECT_EQ(asked, 0) << "it is asked when the command can go out, and not before";
  nowhere->stop();
}

/// What a broker kept, and what somebody says for a device that is away, is no answer of the device.
TEST_F(MqttWriting, TakesOldNewsForNoAnswer) {
  config::Problems problems;
  const config::Node section = test::source_section(
      "{name: field, type: mqtt, broker: \"" + broker_.url() +
          "\", subscriptions: [{topic: home/lamp, series: lamp, payload: {kind: boolean, writable: {topic: "
          "home/lamp/set, timeout: 2s}}}, {topic: home/lamp/status, availability: {}}]}",
      problems);
  const Options options = read_options(section, "field", problems);
  TopicOutlet outlet(options.commands, tidegate::mqtt::connection_options(section, "field", problems));
  ASSERT_EQ(problems.text(), "");
  Receiver receiver(options, "field", sink_, &outlet);
  outlet.start();
  outlet.hears(true);
  auto lamp = std::async(std::launch::async, [&] { return outlet.write("lamp", "on", fakes::granted); });
  ASSERT_TRUE(device_->wait_for_output("home/lamp/set ON\n"));
  receiver.take({"home/lamp", "ON", true}, Timestamp{1s});
  EXPECT_FALSE(lamp.get());
  ASSERT_EQ(sink_.last("lamp")->value, 1);
}

}  // namespace
}  // namespace tidegate::drivers::mqtt
