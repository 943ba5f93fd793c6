// What the broker keeps is read before what waited there.

#include "gateway/mqtt/kept.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "tests/gateway/mqtt/support.h"
#include "tests/support/broker.h"
#include "tests/support/scripted_broker.h"

namespace tidegate::mqtt {
namespace {

using test::Broker;
using test::ScriptedBroker;
using ::testing::ElementsAre;

ConnectionOptions options_for(const std::string& url, ConnectionOptions::Version version) {
  ConnectionOptions options = mqtt::options_for(url, "gateway");
  options.version = version;
  options.session_expiry = 1h;
  return options;
}

/// What messages came, in their order.
class Heard {
 public:
  std::function<void(const Message&)> handler() {
    return [this](const Message& message) {
      const std::scoped_lock lock(mutex_);
      messages_.push_back(std::string(message.topic) + "=" + std::string(message.payload));
    };
  }
  std::vector<std::string> messages() const {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
};

class KeptOfEveryVersion : public ::testing::TestWithParam<ConnectionOptions::Version> {};
INSTANTIATE_TEST_SUITE_P(Kept, KeptOfEveryVersion, kVersions, name_of_version);

TEST_P(KeptOfEveryVersion, IsReadBeforeWhatWaitedInTheSession) {
  Broker broker;
  const auto options = options_for(broker.url(), GetParam());
  const std::vector<Subscription> values = {{"value/+", 1}};
  {
    Connection first(options, values, {});
    first.start();
    ASSERT_TRUE(first.wait_connected(20s, {}));
  }
  broker.publish("value/a", "5");
  broker.publish("about/a", "a number", 1, true);
  broker.publish("about/b", "a text", 0);
  Heard heard;
  Connection second(options, values, {heard.handler(), {}});
  second.read_first({{"about/+", 0}});
  second.start();
  ASSERT_TRUE(eventually([&] { return heard.messages().size() == 2; }));
  EXPECT_THAT(heard.messages(), ElementsAre("about/a=a number", "value/a=5"));
}

/// There may be as many as the broker queues for a client, and more.
TEST_P(KeptOfEveryVersion, IsReadWhole) {
  constexpr std::size_t kMany = 3000;
  Broker broker({.lines = {"max_queued_messages 1000"}});
  const auto options = options_for(broker.url(), GetParam());
  {
    Connection writer(options, {}, {});
    writer.start();
    ASSERT_TRUE(writer.wait_connected(20s, {}));
    for (std::size_t i = 0; i < kMany; ++i) {
      ASSERT_TRUE(writer.publish({"about/" + std::to_string(i), std::string(500, 'x'), 1, true}, {}));
    }
    ASSERT_TRUE(writer.flush(20s, {}));
  }
  Heard heard;
  const std::vector<Subscription> about = {{"about/+", 0}};
  ASSERT_TRUE(read_kept(options, about, heard.handler(), {}));
  EXPECT_EQ(heard.messages().size(), kMany);
}

class KeptAtABroker : public ::testing::Test {
 protected:
  /// Of what client id it says what.
  ScriptedBroker::Script answering(std::function<std::uint8_t(const std::string&)> code) {
    ScriptedBroker::Script script;
    script.connected = [this, code = std::move(code)](const std::string& id) {
      const std::scoped_lock lock(mutex_);
      ids_.push_back(id);
      return code(id);
    };
    return script;
  }
  std::vector<std::string> ids() const {
    const std::scoped_lock lock(mutex_);
    return ids_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;
};

TEST_F(KeptAtABroker, IsDoneWithoutWhereNoOtherClientIsLetIn) {
  constexpr std::uint8_t kClientIdNotValid = 0x85;
  ScriptedBroker broker(answering([](const std::string& id) { return id == "gateway" ? 0 : kClientIdNotValid; }));
  Connection connection(options_for(broker.url(), ConnectionOptions::Version::v5), {{"value/+", 1}}, {});
  connection.read_first({{"about/+", 0}});
  connection.start();
  EXPECT_TRUE(connection.wait_connected(20s, {}));
  EXPECT_THAT(ids(), ElementsAre("gateway-kept", "gateway"));
}

TEST_F(KeptAtABroker, IsWaitedForWhereTheBrokerTakesNobodyNow) {
  constexpr std::uint8_t kBusy = 0x89;
  int tries = 0;
  ScriptedBroker broker(answering([&](const std::string&) { return tries++ == 0 ? kBusy : 0; }));
  Connection connection(options_for(broker.url(), ConnectionOptions::Version::v5), {{"value/+", 1}}, {});
  connection.read_first({{"about/+", 0}});
  connection.start();
  EXPECT_TRUE(connection.wait_connected(20s, {}));
  EXPECT_THAT(ids(), ElementsAre("gateway-kept", "gateway-kept", "gateway"));
  ASSERT_EQ(broker.subscribes().size(), 2u);
  EXPECT_EQ(broker.subscribes()[0].filter, "about/+");
  EXPECT_EQ(broker.subscribes()[1].filter, "value/+");
}

}  // namespace
}  // namespace tidegate::mqtt
