// `tidegate read` and `tidegate drivers`: what a source reads, before anything is stored and while a gateway runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/fixture.h"
#include "tests/support/temp_dir.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Finished;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr int kFailed = 1, kUnwell = 2, kUsage = 64;

/// A configuration of which no gateway runs.
class Read : public testing::Test {
 protected:
  void write(const std::string& sources) {
    std::ofstream(file()) << "gateway: {name: bench}\nstorage: {path: '" << (folder.path() / "store").string()
                          << "'}\nsources:\n"
                          << sources;
  }
  std::string file() const { return (folder.path() / "tidegate.yaml").string(); }
  Finished read(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"read", "--config", file()});
    return tidegate(std::move(arguments));
  }

  test::TempDir folder;
};

TEST_F(Read, ShowsAValueOfEachPointAndStoresNothing) {
  write("  - {name: plant, type: simulator, every: 200ms}\n");
  const Finished shown = read({"plant"});
  EXPECT_EQ(shown.status, 0) << shown.output;
  EXPECT_THAT(shown.output, ContainsRegex("boiler1/temperature +[0-9.]+ +°C +good"));
  EXPECT_THAT(shown.output, ContainsRegex("coldroom/door +[01] +(closed|open) +good"));
  EXPECT_THAT(shown.output, HasSubstr("plant is up: "));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "store"));
}

TEST_F(Read, OfADeviceThatIsAwaySaysWhyAndFails) {
  write("  - {name: field, type: mqtt, broker: 'mqtt://127.0.0.1:1', subscriptions: [{topic: 'a/#'}]}\n");
  const Finished shown = read({"field", "--for", "1s"});
  EXPECT_EQ(shown.status, kFailed);
  EXPECT_THAT(shown.output, HasSubstr("field is down: cannot reach mqtt://127.0.0.1:1: connection refused"));
}

TEST_F(Read, TellsWhatThereIsWhereTheNameIsNone) {
  write("  - {name: plant, type: simulator}\n");
  const Finished told = read({"plont"});
  EXPECT_EQ(told.status, kUsage);
  EXPECT_THAT(told.output, HasSubstr("has no enabled source 'plont' (did you mean 'plant'?); it has: plant"));
}

TEST_F(Read, WaitsForTheMessagesOfABroker) {
  test::Broker broker;
  broker.publish("plant/boiler/temperature", "95", 1, true);
  write("  - {name: field, type: mqtt, broker: '" + broker.url() + "', subscriptions: [{topic: 'plant/{d}/{m}'}]}\n");
  const Finished shown = read({"field", "--for", "5s"});
  EXPECT_EQ(shown.status, 0) << shown.output;
  EXPECT_THAT(shown.output, ContainsRegex("boiler/temperature +95 +uncertain +retained"));
}

TEST_F(Read, LeavesAloneWhatWaitsAtTheBrokerForTheGateway) {
  test::Broker broker;
  test::GatewayProcess gateway{kProgram,
                               plant_configuration(broker.url(), "", "client_id: the-gateway\n    ack: committed")};
  gateway.start();
  ASSERT_TRUE(test::eventually([&] { return source_is(gateway, "up"); }));
  gateway.stop();
  write("  - {name: field, type: mqtt, broker: '" + broker.url() +
        "', client_id: the-gateway, ack: committed, subscriptions: [{topic: 'plant/{d}/{m}'}]}\n");
  broker.publish("plant/boiler/temperature", "95");
  EXPECT_EQ(read({"field", "--for", "1s"}).status, kFailed);
  gateway.start();
  EXPECT_TRUE(test::eventually([&] {
    return tidegate({"read", "field", "--data", gateway.data()}).output.find("boiler/temperature") != std::string::npos;
  }));
}

TEST(ReadOfAGateway, ThatRunsIsWhatItReadLast) {
  test::Broker broker;
  test::GatewayProcess gateway{kProgram, plant_configuration(broker.url(), "")};
  gateway.start();
  ASSERT_TRUE(test::eventually([&] { return source_is(gateway, "up"); }));
  broker.publish("plant/boiler/temperature", "71.5");
  const auto read = [&] { return tidegate({"read", "field", "--json", "--data", gateway.data()}); };
  ASSERT_TRUE(test::eventually([&] { return read().status == 0; })) << read().output;
  const std::string output = read().output;
  const json rows = json::parse(output.substr(0, output.rfind(']') + 1));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["series"], "boiler/temperature");
  EXPECT_EQ(rows[0]["value"], 71.5);
  EXPECT_EQ(rows[0]["quality"], "good");
  EXPECT_THAT(output, HasSubstr("(what the running gateway read last)"));
  broker.kill();
  EXPECT_TRUE(test::eventually([&] { return read().status == kUnwell; }));
}

TEST(Drivers, AreListedAndEachIsDescribed) {
  const Finished all = tidegate({"drivers"});
  EXPECT_EQ(all.status, 0);
  EXPECT_THAT(all.output, ContainsRegex("mqtt +Subscribes at an MQTT broker"));
  const Finished one = tidegate({"drivers", "mqtt"});
  EXPECT_EQ(one.status, 0);
  EXPECT_THAT(one.output, HasSubstr("| `broker` |"));
  const json schema = json::parse(tidegate({"drivers", "mqtt", "--json"}).output);
  EXPECT_TRUE(schema["properties"].contains("broker"));
  const Finished wrong = tidegate({"drivers", "mqt"});
  EXPECT_EQ(wrong.status, kUsage);
  EXPECT_THAT(wrong.output, HasSubstr("there is no 'mqt' (did you mean 'mqtt'?)"));
}

}  // namespace
}  // namespace tidegate::e2e
