// Connections by TLS, and when the certificates of brokers end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "tests/gateway/mqtt/support.h"
#include "tests/support/broker.h"

namespace tidegate::mqtt {
namespace {

using test::Broker;
using ::testing::HasSubstr;
using ::testing::Not;

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
