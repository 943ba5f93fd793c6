// A rule's snapshot, by the real program, through a kill at each of its moments, up to a real broker.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

#include "tests/e2e/fixture.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kPatience = 60s;  ///< the archivist looks every ten seconds

std::string configuration(const std::string& field, const std::string& cloud) {
  return fmt::format(R"(
gateway: {{name: hall-3}}
sources:
  - name: field
    type: mqtt
    broker: {}
    subscriptions: [{{topic: "plant/{{device}}/{{metric}}", payload: {{format: number}}}}]
rules:
  - name: hot
    series: "{{device}}/temperature"
    threshold: {{above: 90}}
    snapshot: {{before: 5m, after: 3s, series: ["{{device}}/pressure"]}}
uplinks:
  - {{name: cloud, type: mqtt, broker: {}, topic: site, series: ["+/pressure"]}}
)",
                     field, cloud);
}

json list(const test::GatewayProcess& gateway) {
  const auto listed = tidegate({"snapshots", "list", "--format", "json", "--data", gateway.data().string()});
  EXPECT_EQ(listed.status, 0) << listed.output;
  return json::parse(listed.output, nullptr, false);
}

/// What came on a topic, each id once, in order.
std::vector<json> sent(const std::string& printed, const std::string& topic) {
  std::vector<json> messages;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(topic + " ")) continue;
    const json message = json::parse(line.substr(topic.size() + 1), nullptr, false);
    const auto same = [&](const json& other) { return other["id"] == message["id"]; };
    if (std::none_of(messages.begin(), messages.end(), same)) messages.push_back(message);
  }
  return messages;
}

std::vector<double> values(const json& message, const std::string& series) {
  std::vector<double> found;
  if (message["series"].contains(series)) {
    for (const json& point : message["series"][series]["points"]) found.push_back(point[1]);
  }
  return found;
}

TEST(Snapshots, AreMadeOnceThroughKillsAndGoUpstreamWhateverTheUplinkLeavesOut) {
  test::Broker field, cloud;
  const auto upstream = cloud.subscribe("site/#");
  test::GatewayProcess gateway(kProgram, configuration(field.url(), cloud.url()));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/boiler1/pressure", "1.5");
  field.publish("plant/boiler1/humidity", "40");
  field.publish("plant/boiler1/temperature", "20");
  field.publish("plant/boiler1/temperature", "95");
  const auto raised = [&](const std::string& id) {
    return eventually([&] { return gateway.get("/api/v1/alerts").find(id) != std::string::npos; });
  };
  ASSERT_TRUE(raised("hot:boiler1"));
  gateway.kill();  // between the breach and the end of `after`
  EXPECT_EQ(list(gateway).size(), 0u);
  gateway.start();
  ASSERT_TRUE(eventually([&] { return list(gateway).size() == 1; }, kPatience)) << gateway.process().output();
  gateway.kill();  // perhaps before its cursor was saved
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/boiler2/temperature", "96");
  ASSERT_TRUE(raised("hot:boiler2"));
  ASSERT_TRUE(eventually([&] { return list(gateway).size() >= 2; }, kPatience)) << gateway.process().output();
  const json all = list(gateway);
  ASSERT_EQ(all.size(), 2u) << all;
  EXPECT_EQ(all[0]["alert"], "hot:boiler1");
  EXPECT_EQ(all[0]["samples"], 3);
  EXPECT_EQ(all[0]["kept"], "yes");
  EXPECT_EQ(all[1]["alert"], "hot:boiler2");

  const auto shown =
      tidegate({"snapshots", "show", all[0]["id"].dump(), "--format", "csv", "--data", gateway.data().string()});
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.output, HasSubstr("boiler1/pressure,"));
  EXPECT_THAT(shown.output, HasSubstr(",95,good,"));
  EXPECT_THAT(shown.output, testing::Not(HasSubstr("humidity")));
  const auto missing = tidegate({"snapshots", "show", "999999", "--data", gateway.data().string()});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.output, HasSubstr("`tidegate snapshots list` lists them"));

  EXPECT_TRUE(eventually([&] { return sent(upstream->output(), "site/snapshots").size() >= 2; }, kPatience));
  const auto snapshots = sent(upstream->output(), "site/snapshots");
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_EQ(snapshots[0]["snapshot"]["alert"], "hot:boiler1");
  EXPECT_THAT(values(snapshots[0], "boiler1/temperature"), ElementsAre(20, 95));
  EXPECT_THAT(values(snapshots[0], "boiler1/pressure"), ElementsAre(1.5));
  EXPECT_THAT(values(snapshots[1], "boiler2/temperature"), ElementsAre(96));
  // Of the samples only what the uplink asks for.
  field.publish("plant/boiler2/pressure", "2.5");
  std::vector<double> pressures;
  EXPECT_TRUE(eventually([&] {
    pressures.clear();
    for (const json& message : sent(upstream->output(), "site/samples")) {
      for (const char* series : {"boiler1/pressure", "boiler2/pressure"}) {
        for (const double value : values(message, series)) pressures.push_back(value);
      }
      EXPECT_FALSE(message["series"].contains("boiler1/temperature")) << message;
    }
    return pressures.size() >= 2;
  }));
  EXPECT_THAT(pressures, ElementsAre(1.5, 2.5));
  EXPECT_EQ(gateway.stop(), 0);
}

}  // namespace
}  // namespace tidegate::e2e
