#include "gateway/mqtt/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <mutex>
#include <thread>

#include "tests/support/broker.h"
#include "tests/support/scripted_broker.h"

namespace tidegate::mqtt {
namespace {

using namespace std::chrono_literals;
using test::Broker;
using test::eventually;
using test::ScriptedBroker;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A connection and what it has been told.
class Listener {
 public:
  explicit Listener(ConnectionOptions options, std::vector<Subscription> subscriptions = {}, bool start = true) {
    connection = std::make_unique<Connection>(
        std::move(options), std::move(subscriptions),
        Connection::Handlers{[this](const Message& message) {
                               const std::scoped_lock lock(mutex_);
                               messages_.push_back(std::string(message.topic) + "=" + std::string(message.payload) +
                                                   (message.retained ? " retained" : ""));
                             },
                             [this](const State& state) {
                               const std::scoped_lock lock(mutex_);
                               texts_.push_back(state.text);
                             }});
    if (start) connection->start();
  }

  std::vector<std::string> messages() const {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }
  bool heard(const std::string& message) const {
    return eventually([&] {
      const auto all = messages();
      return std::find(all.begin(), all.end(), message) != all.end();
    });
  }
  /// True once a state's text holds `part`.
  bool said(const std::string& part) const {
    return eventually([&] { return texts().find(part) != std::string::npos; });
  }
  std::string texts() const {
    const std::scoped_lock lock(mutex_);
    std::string all;
    for (const auto& text : texts_) all += text + "\n";
    return all;
  }
  bool connected() const { return connection->wait_connected(20s, {}); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
  std::vector<std::string> texts_;

 public:
  std::unique_ptr<Connection> connection;  // goes first: its handlers use the above
};

ConnectionOptions options_for(const std::string& url, const std::string& client_id = "tidegate-test") {
  ConnectionOptions options;
  options.broker = *Address::parse(url);
  options.client_id = client_id;
  options.first_wait = 50ms;
  options.longest_wait = 200ms;
  return options;
}

class EveryVersion : public ::testing::TestWithParam<ConnectionOptions::Version> {
 protected:
  ConnectionOptions options_for(const std::string& url) const {
    auto options = mqtt::options_for(url);
    options.version = GetParam();
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Connection, EveryVersion,
                         ::testing::Values(ConnectionOptions::Version::v5, ConnectionOptions::Version::v3_1_1),
                         [](const auto& version) {
                           return version.param == ConnectionOptions::Version::v5 ? "v5" : "v3_1_1";
                         });

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

class TlsConnection : public ::testing::Test {
 protected:
  ConnectionOptions trusting(const Broker& broker, const std::filesystem::path& ca) const {
    auto options = options_for(broker.url());
    options.tls.ca = ca;
    return options;
  }
};

TEST_F(TlsConnection, TrustsTheBrokerOfItsAuthority) {
  Broker broker({.tls = true});
  Listener listener(trusting(broker, broker.certificates().ca), {{"a", 1}});
  ASSERT_TRUE(listener.connected()) << listener.texts();
  broker.publish("a", "1");
  EXPECT_TRUE(listener.heard("a=1"));
}

TEST_F(TlsConnection, RefusesTheBrokerOfAnotherAuthority) {
  Broker broker({.tls = true});
  Listener listener(trusting(broker, broker.certificates().stranger_ca));
  EXPECT_TRUE(listener.said("the broker's certificate is not trusted")) << listener.texts();
  EXPECT_FALSE(listener.connection->state().up());
}

TEST_F(TlsConnection, RefusesTheCertificateOfAnotherHost) {
  Broker broker({.tls = true, .wrong_host = true});
  Listener listener(trusting(broker, broker.certificates().ca));
  EXPECT_TRUE(listener.said("certificate is for another host than '127.0.0.1'")) << listener.texts();
  EXPECT_FALSE(listener.connection->state().up());
}

TEST_F(TlsConnection, RefusesACertificateThatIsOver) {
  Broker broker({.tls = true, .days = -1});
  Listener listener(trusting(broker, broker.certificates().ca));
  EXPECT_TRUE(listener.said("the broker's certificate has expired")) << listener.texts();
  EXPECT_FALSE(listener.connection->state().up());
}

TEST_F(TlsConnection, ConnectsToAnyBrokerWhenToldNotToVerify) {
  Broker broker({.tls = true, .wrong_host = true});
  auto options = trusting(broker, {});
  options.tls.verify = false;
  EXPECT_TRUE(Listener(options).connected());
}

TEST_F(TlsConnection, ShowsItsCertificateToABrokerThatAsks) {
  Broker broker({.tls = true, .require_client_certificate = true});
  auto options = trusting(broker, broker.certificates().ca);
  options.tls.certificate = broker.certificates().client;
  options.tls.key = broker.certificates().client_key;
  Listener listener(options);
  EXPECT_TRUE(listener.connected()) << listener.texts();
}

/// What is said of a broker's certificate that ends in so many days.
struct Ending {
  int days;
  std::string words;
};

TEST_F(TlsConnection, SaysWhenTheBrokersCertificateEndsSoon) {
  for (const auto& [days, words] : std::vector<Ending>{{5, "; the broker's certificate ends within 7 days, at "},
                                                       {20, "; the broker's certificate ends within 30 days, at "},
                                                       {365, ""}}) {
    Broker broker({.tls = true, .days = days});
    Listener listener(trusting(broker, broker.certificates().ca), {{"a", 1}});
    const auto now = std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
    ASSERT_TRUE(eventually([&] { return listener.connection->state().certificate_ends.has_value(); }));
    const State state = listener.connection->state();
    EXPECT_EQ(state.phase, State::Phase::connected);
    EXPECT_LT(std::chrono::abs(*state.certificate_ends - (now + std::chrono::days(days))), 5min);
    EXPECT_THAT(state.text, HasSubstr("connected to " + broker.url() + words));
    EXPECT_EQ(state.notice.empty(), words.empty()) << state.notice;
  }
}

TEST_F(TlsConnection, LooksAtTheCertificateOfABrokerThatAsksForOne) {
  Broker broker({.tls = true, .days = 5, .require_client_certificate = true});
  auto options = trusting(broker, broker.certificates().ca);
  options.tls.certificate = broker.certificates().client;
  options.tls.key = broker.certificates().client_key;
  Listener listener(options);
  EXPECT_TRUE(listener.said("certificate ends within 7 days")) << listener.texts();
}

TEST_F(TlsConnection, SeesThatTheCertificateChangedOrExpiredWhileTheConnectionStands) {
  Broker broker({.tls = true, .days = 365});
  auto options = trusting(broker, broker.certificates().ca);
  options.look_every = 5ms;
  Listener listener(options, {{"a", 1}});
  ASSERT_TRUE(eventually([&] { return listener.connection->state().certificate_ends.has_value(); }));
  broker.renew(5);
  EXPECT_TRUE(listener.said("ends within 7 days")) << listener.texts();
  broker.renew(0);
  EXPECT_TRUE(listener.said("the broker's certificate ended at ")) << listener.texts();
  EXPECT_TRUE(listener.connection->publish({"a", "1"}, {}));
  EXPECT_TRUE(listener.heard("a=1"));
  EXPECT_THAT(listener.texts(), Not(HasSubstr("next try")));
}

TEST_F(TlsConnection, StopsWhileItLooksAtTheBrokersCertificate) {
  Broker broker({.tls = true});
  auto options = trusting(broker, broker.certificates().ca);
  options.look_every = 5ms;
  Listener listener(options);
  ASSERT_TRUE(eventually([&] { return listener.connection->state().certificate_ends.has_value(); }));
  ::kill(broker.pid(), SIGSTOP);  // the kernel still takes connections for it
  std::this_thread::sleep_for(500ms);
  const auto began = std::chrono::steady_clock::now();
  listener.connection.reset();
  const auto took = std::chrono::steady_clock::now() - began;
  ::kill(broker.pid(), SIGCONT);
  EXPECT_LT(took, 2500ms);  // a goodbye of one second that nobody answers
}

TEST_F(TlsConnection, SaysThatTheBrokerMissesACertificate) {
  Broker broker({.tls = true, .require_client_certificate = true});
  Listener listener(trusting(broker, broker.certificates().ca));
  EXPECT_TRUE(listener.said("the broker refused our certificate or its absence")) << listener.texts();
}

}  // namespace
}  // namespace tidegate::mqtt
