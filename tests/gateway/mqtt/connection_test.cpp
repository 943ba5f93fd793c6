#include "gateway/mqtt/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/gateway/mqtt/support.h"
#include "tests/support/broker.h"
#include "tests/support/scripted_broker.h"

namespace tidegate::mqtt {
namespace {

using test::Broker;
using test::ScriptedBroker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EveryVersion : public ::testing::TestWithParam<ConnectionOptions::Version> {
 protected:
  ConnectionOptions options_for(const std::string& url) const {
    auto options = mqtt::options_for(url);
    options.version = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Connection, EveryVersion, kVersions, name_of_version);

TEST_P(EveryVersion, ReceivesWhatItSubscribedTo) {
  Broker broker;
  broker.publish("a/kept", "1", 1, true);
  Listener listener(options_for(broker.url()), {{"a/+", 1}, {"b/#", 2}});
  ASSERT_TRUE(listener.connected()) << listener.texts();
  EXPECT_TRUE(listener.heard("a/kept=1 retained"));
  broker.publish("a/b", "21.5", 0);
  broker.publish("b/c/d", "on", 2);
  broker.publish("c", "not ours");
  broker.publish("a/last", "x");
  EXPECT_TRUE(listener.heard("a/last=x"));
  EXPECT_THAT(listener.messages(), ElementsAre("a/kept=1 retained", "a/b=21.5", "b/c/d=on", "a/last=x"));
}

TEST_P(EveryVersion, SubscribesAgainAfterTheBrokerCameBackWithoutItsSessions) {
  Broker broker;
  Listener listener(options_for(broker.url()), {{"a/+", 1}});
  ASSERT_TRUE(listener.connected()) << listener.texts();
  broker.kill();
  EXPECT_TRUE(listener.said("next try in"));
  broker.start();
  ASSERT_TRUE(listener.connected()) << listener.texts();
  broker.publish("a/b", "2");
  EXPECT_TRUE(listener.heard("a/b=2")) << listener.texts();
}

TEST_P(EveryVersion, ReceivesAtNextConnectWhatAPersistentSessionKept) {
  Broker broker;
  auto options = options_for(broker.url());
  options.session_expiry = 1h;
  { ASSERT_TRUE(Listener(options, {{"a/+", 1}}).connected()); }
  broker.publish("a/b", "while away");
  Listener listener(options, {{"a/+", 1}});
  EXPECT_TRUE(listener.heard("a/b=while away")) << listener.texts();
}

TEST_P(EveryVersion, SaysThatTheCredentialsAreBadAndNeverShowsThem) {
  Broker broker({.user = "gateway", .password = "right"});
  auto options = options_for(broker.url());
  options.user = "gateway";
  options.password = "hunter2";
  Listener listener(options);
  EXPECT_TRUE(listener.said("refused by " + broker.url() + ": ")) << listener.texts();
  EXPECT_TRUE(listener.said("password")) << listener.texts();
  EXPECT_THAT(listener.texts(), Not(HasSubstr("hunter2")));
  EXPECT_FALSE(listener.connection->state().up());
}

TEST_P(EveryVersion, PublishesInOrderAndKnowsThatTheBrokerHasAllOfIt) {
  Broker broker;
  const auto subscriber = broker.subscribe("out/#", {"-q", "1"});
  auto options = options_for(broker.url());
  options.max_in_flight = 5;
  Listener sender(options);
  ASSERT_TRUE(sender.connected());
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(sender.connection->publish({"out/x", std::to_string(i)}, {}));
    expected = "out/x " + std::to_string(i);
  }
  EXPECT_TRUE(sender.connection->flush(20s, {}));
  ASSERT_TRUE(subscriber->wait_for_output(expected));
  const std::string output = subscriber->output();
  std::size_t last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto at = output.find("out/x " + std::to_string(i) + "\n");
    ASSERT_NE(at, std::string::npos) << i;
    EXPECT_GE(at, last) << i;
    last = at;
  }
}

TEST_P(EveryVersion, SaysWhatTheBrokerRefusesToSubscribeItToAndGoesOnWithTheRest) {
  ScriptedBroker broker({.subscribed = [](const auto& subscribe) -> std::uint8_t {
    if (subscribe.filter != "secret/#") return 1;
    return GetParam() == ConnectionOptions::Version::v5 ? 0x87 : 0x80;
  }});
  Listener listener(options_for(broker.url()), {{"a/+", 1}, {"secret/#", 1}, {"b", 1}});
  ASSERT_TRUE(listener.connected()) << listener.texts();
  const State state = listener.connection->state();
  EXPECT_EQ(state.phase, State::Phase::limited);
  EXPECT_THAT(state.text, HasSubstr("but it refused to subscribe us to 'secret/#' ("));
  EXPECT_THAT(state.text, Not(HasSubstr("'b'")));
  EXPECT_EQ(broker.subscribes().size(), 3u);
}

TEST(Connection, GivesItsSubscriptionsTheirIdsWhereTheBrokerTakesThem) {
  for (const bool available : {true, false}) {
    ScriptedBroker broker({.subscription_ids_available = available});
    Listener listener(options_for(broker.url()), {{"a/+", 1, 268'435'455}, {"b", 1, 7}, {"c", 1}});
    ASSERT_TRUE(listener.connected()) << listener.texts();
    const auto subscribes = broker.subscribes();
    ASSERT_EQ(subscribes.size(), 3u);
    EXPECT_EQ(subscribes[0].id, available ? std::optional<std::uint32_t>(268'435'455) : std::nullopt);
    EXPECT_EQ(subscribes[1].id, available ? std::optional<std::uint32_t>(7) : std::nullopt);
    EXPECT_EQ(subscribes[2].id, std::nullopt);
  }
}

/// Publishes with a stop that has come already, which a full window obeys and an open one never looks at.
Status publish_at_once(Connection& connection, const std::string& payload) {
  std::stop_source stopped;
  stopped.request_stop();
  return connection.publish({"out", payload}, stopped.get_token());
}

TEST(Connection, HasNoMoreOnTheWayThanTheBrokerTakes) {
  ScriptedBroker broker({.receive_maximum = 4, .published = [](const auto&) {
                           return ScriptedBroker::Answer{ScriptedBroker::Answer::Kind::silence, 0};
                         }});
  Listener sender(options_for(broker.url()));
  ASSERT_TRUE(sender.connected()) << sender.texts();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(publish_at_once(*sender.connection, std::to_string(i))) << i;
  const Status fifth = publish_at_once(*sender.connection, "4");
  ASSERT_FALSE(fifth) << "Paho would hold it back for a second";
  EXPECT_EQ(fifth.error().code, Errc::stopped);
}

/// Publishes to a broker that answers the second message like this; a third one where it stays, for what is sent to a
/// connection that is being closed may find it broken before its reason was read.
Error refused_by(ScriptedBroker::Answer answer) {
  ScriptedBroker broker({.published = [answer](const auto& publish) {
    return publish.payload == "2" ? answer : ScriptedBroker::Answer{};
  }});
  Listener sender(options_for(broker.url()));
  EXPECT_TRUE(sender.connected()) << sender.texts();
  Status sent;
  const int messages = answer.kind == ScriptedBroker::Answer::Kind::code ? 3 : 2;
  for (int i = 1; sent && i <= messages; ++i) sent = sender.connection->publish({"out", std::to_string(i)}, {});
  if (sent) sent = sender.connection->flush(20s, {});
  EXPECT_FALSE(sent);
  return sent ? Error{} : sent.error();
}

TEST(Connection, TellsAMessageThatWillNeverBeTakenFromOneThatMayBeLater) {
  using Answer = ScriptedBroker::Answer;
  EXPECT_EQ(refused_by({Answer::Kind::code, 0x95}).code, Errc::invalid);
  EXPECT_EQ(refused_by({Answer::Kind::code, 0x99}).code, Errc::invalid);
  EXPECT_EQ(refused_by({Answer::Kind::disconnect, 0x95}).code, Errc::invalid);
  for (const int later : {0x80, 0x83, 0x87, 0x90, 0x97}) {
    const Error error = refused_by({Answer::Kind::code, static_cast<std::uint8_t>(later)});
    EXPECT_EQ(error.code, Errc::unavailable) << later << " " << error.text;
  }
  EXPECT_EQ(refused_by({Answer::Kind::close, 0}).code, Errc::interrupted);
}

TEST(Connection, DoesNotEvenSendWhatIsLargerThanTheBrokerTakes) {
  ScriptedBroker broker({.maximum_packet_size = 100});
  Listener sender(options_for(broker.url()));
  ASSERT_TRUE(sender.connected()) << sender.texts();
  constexpr std::size_t kAround = 1 + 1 + 2 + 3 + 2 + 1;  // type, length, topic, id, no properties
  const Status sent = sender.connection->publish({"out", std::string(101 - kAround, 'x')}, {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Errc::invalid);
  EXPECT_THAT(sent.error().text, HasSubstr("no message of more than 100 bytes"));
  ASSERT_TRUE(sender.connection->publish({"out", std::string(100 - kAround, 'x')}, {}));
  EXPECT_TRUE(sender.connection->flush(20s, {}));
  EXPECT_EQ(broker.publishes().size(), 1u);
  EXPECT_EQ(broker.connections(), 1);
}

TEST(Connection, GivesItsUserNameAndPassword) {
  Broker broker({.user = "gateway", .password = "right"});
  auto options = options_for(broker.url());
  options.user = "gateway";
  options.password = "right";
  EXPECT_TRUE(Listener(options).connected());
}

TEST(Connection, SaysThatNothingListensAndConnectsOnceSomethingDoes) {
  Broker broker;
  broker.stop();
  Listener listener(options_for(broker.url()));
  EXPECT_TRUE(listener.said("connection refused")) << listener.texts();
  EXPECT_TRUE(listener.said("next try in")) << listener.texts();
  broker.start();
  EXPECT_TRUE(listener.connected()) << listener.texts();
}

TEST(Connection, SaysThatAHostNameIsUnknown) {
  Listener listener(options_for("mqtt://no-such-host.invalid"));
  EXPECT_TRUE(listener.said("host name 'no-such-host.invalid' is not found")) << listener.texts();
}

TEST(Connection, HintsAtAnotherClientWithItsId) {
  Broker broker;
  Listener first(options_for(broker.url(), "same"));
  ASSERT_TRUE(first.connected());
  Listener second(options_for(broker.url(), "same"));
  EXPECT_TRUE(first.said("look for another client with the id 'same'")) << first.texts();
}

TEST(Connection, RefusesToPublishWhileItIsDown) {
  Broker broker;
  Listener sender(options_for(broker.url()));
  ASSERT_TRUE(sender.connected());
  broker.kill();
  ASSERT_TRUE(sender.said("next try in"));
  EXPECT_FALSE(sender.connection->publish({"a", "1"}, {}));
}

TEST(Connection, CountsNothingAsSentWhenTheBrokerDiesBeforeItsAcknowledgement) {
  Broker broker;
  Listener sender(options_for(broker.url()));
  ASSERT_TRUE(sender.connected());
  ::kill(broker.pid(), SIGSTOP);
  ASSERT_TRUE(sender.connection->publish({"a", "1"}, {}));
  broker.kill();
  const Status flushed = sender.connection->flush(20s, {});
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::interrupted);
  broker.start();
  ASSERT_TRUE(sender.connected());
  ASSERT_TRUE(sender.connection->publish({"a", "1"}, {}));
  EXPECT_TRUE(sender.connection->flush(20s, {}));
}

TEST(Connection, GivesUpOnABrokerThatAcknowledgesNothing) {
  Broker broker;
  Listener sender(options_for(broker.url()));
  ASSERT_TRUE(sender.connected());
  ::kill(broker.pid(), SIGSTOP);
  ASSERT_TRUE(sender.connection->publish({"a", "1"}, {}));
  const Status flushed = sender.connection->flush(300ms, {});
  ::kill(broker.pid(), SIGCONT);
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::timed_out);
  EXPECT_TRUE(eventually([&] { return sender.connected() && sender.connection->publish({"a", "2"}, {}).has_value(); }));
  EXPECT_TRUE(sender.connection->flush(20s, {}));
}

TEST(Connection, AnnouncesItselfAndSaysGoodbyeWithoutItsWill) {
  Broker broker;
  const auto status = broker.subscribe("status");
  {
    auto options = options_for(broker.url());
    options.will = Will{"status", "died"};
    Listener listener(options, {}, false);
    listener.connection->announce({"status", "online", 1, true}, {"status", "offline", 1, true});
    listener.connection->start();
    ASSERT_TRUE(listener.connected());
  }
  EXPECT_TRUE(status->wait_for_output("status offline"));
  EXPECT_THAT(status->output(), HasSubstr("status online"));
  EXPECT_THAT(status->output(), Not(HasSubstr("died")));
}

TEST(Connection, DoesNotWaitLongForTheAnswerToItsGoodbye) {
  ScriptedBroker broker({.published = [](const auto& publish) {
    const bool greeting = publish.payload == "online";
    return ScriptedBroker::Answer{greeting ? ScriptedBroker::Answer::Kind::code
                                           : ScriptedBroker::Answer::Kind::silence};
  }});
  Listener listener(options_for(broker.url()), {}, false);
  listener.connection->announce({"status", "online", 1, true}, {"status", "offline", 1, true});
  listener.connection->start();
  ASSERT_TRUE(listener.connected());
  const auto began = std::chrono::steady_clock::now();
  listener.connection.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 8s);  // about two; no test of speed, hence the room
  EXPECT_EQ(broker.publishes().back().payload, "offline");
}

TEST(Connection, StopsWhileItIsConnectingToNobody) {
  Broker broker;
  broker.stop();
  Listener listener(options_for(broker.url()));
  listener.said("connecting");
}

}  // namespace
}  // namespace tidegate::mqtt
