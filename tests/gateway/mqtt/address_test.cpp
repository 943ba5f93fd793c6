#include <gtest/gtest.h>

#include "gateway/config/load.h"
#include "gateway/mqtt/options.h"
#include "gateway/mqtt/probe.h"

namespace tidegate::mqtt {
namespace {

TEST(Address, HasThePortOfItsSchemeUnlessItNamesOne) {
  EXPECT_EQ(Address::parse("mqtt://10.0.0.1")->text(), "mqtt://10.0.0.1:1883");
  EXPECT_EQ(Address::parse("mqtts://cloud.example")->text(), "mqtts://cloud.example:8883");
  EXPECT_EQ(Address::parse("mqtt://localhost:1884")->paho_uri(), "tcp://localhost:1884");
  EXPECT_EQ(Address::parse("mqtts://localhost:1884/")->paho_uri(), "ssl://localhost:1884");
  EXPECT_EQ(Address::parse("ws://broker/mqtt")->paho_uri(), "ws://broker:80/mqtt");
  EXPECT_EQ(Address::parse("wss://broker:9001")->paho_uri(), "wss://broker:9001");
}

TEST(Address, TakesIpv6InBrackets) {
  const auto address = Address::parse("mqtt://[fe80::1]:2000");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host, "fe80::1");
  EXPECT_EQ(address->paho_uri(), "tcp://[fe80::1]:2000");
}

TEST(Address, RefusesWhatIsNoneAndShowsHowToWriteOne) {
  for (const char* wrong : {"", "10.0.0.1", "http://10.0.0.1", "mqtt://", "mqtt://:1883", "mqtt://a:0",
                            "mqtt://a:65536", "mqtt://a:18x", "mqtt://[::1", "mqtt://[::1]x", "mqtt://a/b"}) {
    const auto address = Address::parse(wrong);
    ASSERT_FALSE(address) << wrong;
    EXPECT_NE(address.error().text.find("mqtt://"), std::string::npos) << wrong;
  }
}

TEST(Address, WantsUserAndPasswordInTheirOwnFieldsAndDoesNotRepeatThem) {
  const auto address = Address::parse("mqtt://eve:hunter2@10.0.0.1");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().text.find("hunter2"), std::string::npos);
  EXPECT_NE(address.error().text.find("'password'"), std::string::npos);
}

class ConnectionSection : public ::testing::Test {
 protected:
  ConnectionOptions read(const std::string& yaml) {
    auto fields = connection_fields();
    for (auto& field : session_fields()) fields.push_back(field);
    const auto shape = config::Shape::object("a connection", fields);
    auto node = config::parse(yaml, "t.yaml", ".", config::References::system(), problems);
    config::check(node, shape, problems);
    if (!problems.empty()) return {};
    return connection_options(node, "field", problems);
  }
  config::Problems problems;
};

TEST_F(ConnectionSection, NeedsOnlyABroker) {
  const auto options = read("broker: mqtt://10.0.0.1\n");
  EXPECT_EQ(problems.text(), "");
  EXPECT_EQ(options.version, ConnectionOptions::Version::v5);
  EXPECT_TRUE(options.client_id.starts_with("tidegate-") && options.client_id.ends_with("-field")) << options.client_id;
  EXPECT_EQ(options.keep_alive, std::chrono::seconds(30));
  EXPECT_EQ(options.session_expiry, std::chrono::hours(1));
}

TEST_F(ConnectionSection, TakesEverything) {
  const auto options = read(
      "broker: mqtts://10.0.0.1\nversion: \"3.1.1\"\nclient_id: me\nuser: u\npassword: p\nkeep_alive: 1m\n"
      "session_expiry: 0s\nwill: {topic: a/b, payload: gone, qos: 2, retain: false}\ntls: {verify: false}\n");
  EXPECT_EQ(problems.text(), "");
  EXPECT_EQ(options.version, ConnectionOptions::Version::v3_1_1);
  EXPECT_EQ(options.client_id, "me");
  EXPECT_EQ(options.password, "p");
  EXPECT_EQ(options.session_expiry, Micros(0));
  ASSERT_TRUE(options.will);
  EXPECT_EQ(options.will->qos, 2);
  EXPECT_FALSE(options.tls.verify);
}

TEST_F(ConnectionSection, PointsAtPartsThatDoNotFit) {
  read("broker: mqtt://10.0.0.1\npassword: hunter2\ntls: {ca: no-such.pem, certificate: no-such.pem}\n");
  const std::string text = problems.text();
  EXPECT_NE(text.find("t.yaml:2:11: a password needs a 'user'"), std::string::npos) << text;
  EXPECT_NE(text.find("tls needs a broker address that starts with mqtts://"), std::string::npos) << text;
  EXPECT_NE(text.find("cannot read no-such.pem"), std::string::npos) << text;
  EXPECT_NE(text.find("needs both 'certificate' and 'key'"), std::string::npos) << text;
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
}

}  // namespace
}  // namespace tidegate::mqtt
