// The whole way with real parts: a broker, the program, a viewer, a broker upstream.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "gateway/journal/journal.h"
#include "tests/e2e/fixture.h"
#include "tests/support/http_client.h"
#include "tests/support/publisher.h"
#include "tests/support/sse_client.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Broker;
using test::eventually;
using test::GatewayProcess;
using test::HttpClient;
using test::Publisher;
using test::SseClient;
using testing::ElementsAre;

double stored(const GatewayProcess& gateway) { return gateway.metric("tidegate_journal_committed_samples_total"); }

std::vector<double> values_of(const Upstream& upstream, const std::string& series) {
  std::vector<double> values;
  for (const auto& value : upstream.values) {
    if (value.series == series) values.push_back(value.value);
  }
  return values;
}

TEST(Pipeline, APublishedValueIsStoredJudgedShownAndSentOn) {
  Broker field, cloud;
  const auto upstream = cloud.subscribe("site/#");
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), cloud.url()));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  SseClient viewer = gateway.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));

  field.publish("plant/boiler/temperature", "20.5");
  field.publish("plant/boiler/temperature", "93.25");
  const auto raised = viewer.wait_for("alert");
  ASSERT_TRUE(raised);
  const json alert = raised->json()["alerts"][0];
  EXPECT_EQ(alert["cause"], "raised");
  EXPECT_EQ(alert["alert"]["id"], "hot:boiler");
  EXPECT_EQ(alert["alert"]["value"], 93.25);
  EXPECT_EQ(alert["alert"]["limit"], 90);
  EXPECT_TRUE(viewer.wait_for("delta", [](const auto& event) {
    const json values = event.json()["values"];
    return values.contains("boiler/temperature") && values["boiler/temperature"][1] == 93.25;
  }));

  const auto acknowledged = gateway.http().post("/api/v1/alerts/ack", R"({"id":"hot:boiler"})",
                                                {{"Content-Type", "application/json"}, {"Tidegate-User", "lead"}});
  EXPECT_EQ(acknowledged.status, 200) << acknowledged.body;
  field.publish("plant/boiler/temperature", "80");
  EXPECT_TRUE(
      viewer.wait_for("alert", [](const auto& event) { return event.json()["alerts"][0]["cause"] == "cleared"; }));

  const json history = get_json(gateway, "/api/v1/history?series=boiler/temperature");
  double low = 1e9, high = -1e9, count = 0;
  for (const auto& point : history["series"][0]["points"]) {
    low = std::min(low, point[1].get<double>());
    high = std::max(high, point[2].get<double>());
    count += point[5].get<double>();
  }
  EXPECT_EQ(low, 20.5);
  EXPECT_EQ(high, 93.25);
  EXPECT_EQ(count, 3);

  EXPECT_TRUE(eventually([&] {
    const Upstream sent = read_upstream(upstream->output());
    return values_of(sent, "boiler/temperature").size() == 3 && sent.alert_causes.size() == 3;
  }));
  const Upstream sent = read_upstream(upstream->output());
  EXPECT_THAT(values_of(sent, "boiler/temperature"), ElementsAre(20.5, 93.25, 80));
  EXPECT_THAT(sent.alert_causes, ElementsAre("hot:boiler raised", "hot:boiler acknowledged", "hot:boiler cleared"));
  EXPECT_EQ(gateway.stop(), 0);
}

/// With sources, an uplink and an alert: every kind of line that there is.
TEST(Pipeline, ItsMetricsPassPromtool) {
  Broker field, cloud;
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), cloud.url()));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/boiler/temperature", "93.25");
  ASSERT_TRUE(eventually([&] { return get_json(gateway, "/api/v1/alerts")["alerts"].size() == 1; }));
  const std::string metrics = gateway.get("/metrics");
  EXPECT_THAT(metrics, testing::HasSubstr("tidegate_source_up{source=\"field\""));
  EXPECT_THAT(metrics, testing::HasSubstr("tidegate_uplink_up{uplink=\"cloud\""));
  const auto file = gateway.directory().write("metrics", metrics);
  const auto checked = test::run({"sh", "-c", "promtool check metrics < " + file.string()});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

TEST(Pipeline, ARuleWhoseUnitDoesNotConvertSaysSoInTheState) {
  GatewayProcess gateway(kProgram,
                         "sources: [{name: gateway, type: self}]\n"
                         "rules: [{name: warm, series: \"self/{part}/{metric}\", threshold: {above: 90 °C}}]\n");
  gateway.start();
  json rule;
  EXPECT_TRUE(eventually([&] { return (rule = get_json(gateway, "/api/v1/state")["rules"][0])["unfit"] > 0; }));
  EXPECT_EQ(rule["condition"], "above 90 °C");
  ASSERT_FALSE(rule["problems"].empty()) << rule;
  EXPECT_THAT(rule["problems"][0].get<std::string>(), testing::HasSubstr("°C does not convert to that")) << rule;
}

TEST(Pipeline, ItServesWithoutAnyBrokerAndSaysSo) {
  GatewayProcess gateway(kProgram, plant_configuration("mqtt://127.0.0.1:1", "mqtt://127.0.0.1:1"));
  gateway.start();
  EXPECT_TRUE(eventually([&] { return source_is(gateway, "down"); }));
  const json state = get_json(gateway, "/api/v1/state");
  EXPECT_THAT(state["sources"][0]["text"].get<std::string>(), testing::HasSubstr("refused"));
  EXPECT_EQ(gateway.stop(), 0);
}

TEST(Pipeline, ABrokerKilledMidWayIsTakenUpAgain) {
  Broker field;
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), ""));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/a/x", "1");
  ASSERT_TRUE(eventually([&] { return stored(gateway) == 1; }));
  field.kill();
  EXPECT_TRUE(eventually([&] { return source_is(gateway, "down"); }));
  field.start();
  EXPECT_TRUE(eventually([&] { return source_is(gateway, "up"); }, 60s));
  field.publish("plant/a/x", "2");
  EXPECT_TRUE(eventually([&] { return stored(gateway) == 2; }));
}

TEST(Pipeline, WhileTheCloudIsAwayNothingIsLostAndTheOrderStays) {
  Broker field, cloud;
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), cloud.url()));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  cloud.stop();
  constexpr int kCount = 500;
  Publisher publisher(field.port());
  for (int i = 0; i < kCount; ++i) {
    publisher.publish("plant/a/x", std::to_string(i), 1);
    if (i % 50 == 0) {
      publisher.flush();
      std::this_thread::sleep_for(60ms);  // several batches
    }
  }
  publisher.flush();
  publisher.publish("plant/boiler/temperature", "95", 1);
  publisher.flush();
  ASSERT_TRUE(eventually([&] { return stored(gateway) == kCount + 1; }));
  // Killed while the backlog waits: it is on disk.
  gateway.kill();
  cloud.start();
  const auto upstream = cloud.subscribe("site/#");
  gateway.start();
  EXPECT_TRUE(eventually([&] { return read_upstream(upstream->output()).values.size() >= kCount + 1; }, 60s));
  const Upstream sent = read_upstream(upstream->output());
  const auto values = values_of(sent, "a/x");
  ASSERT_EQ(values.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
  EXPECT_THAT(sent.alert_causes, ElementsAre("hot:boiler raised"));
  EXPECT_TRUE(eventually([&] { return get_json(gateway, "/api/v1/state")["uplinks"][0]["backlog_batches"] == 0; }));
}

TEST(Pipeline, AReloadTakesOverWhatChangedAndABadOneChangesNothing) {
  Broker field;
  const std::string before = plant_configuration(field.url(), "");
  GatewayProcess gateway(kProgram, before);
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/boiler/temperature", "95");
  ASSERT_TRUE(eventually([&] { return get_json(gateway, "/api/v1/alerts")["alerts"].size() == 1; }));

  gateway.reload("sources: [{name: field, type: mqttt}]\n");
  ASSERT_TRUE(gateway.process().wait_for_output("reload refused"));
  EXPECT_TRUE(source_is(gateway, "up"));

  std::string after = before;
  after.replace(after.find("above: 90, clear_below: 85"), 26, "above: 60, clear_below: 50");
  gateway.reload(after);
  ASSERT_TRUE(gateway.process().wait_for_output("the configuration was reloaded"));
  field.publish("plant/boiler/temperature", "55");
  ASSERT_TRUE(eventually([&] { return stored(gateway) == 2; }));
  const json alerts = get_json(gateway, "/api/v1/alerts")["alerts"];
  ASSERT_EQ(alerts.size(), 1u) << "55 is above the new clear level";
  const json log = get_json(gateway, "/api/v1/alerts/log")["log"];
  EXPECT_EQ(log.size(), 1u) << "a reload announced it again: " << log.dump();
}

/// The lamp is lit by a gateway that is killed, and put out by a reload of the next, which has the rule no more.
TEST(Pipeline, ALampThatARuleLitGoesOutThoughTheGatewayWasKilledAndTheRuleIsGone) {
  Broker field;
  const auto lamp = field.subscribe("lamps/#");
  const std::string parts = "sources: [{name: field, type: mqtt, broker: \"" + field.url() +
                            "\", subscriptions: [{topic: \"plant/{device}/{metric}\", payload: {format: number}}]}]\n"
                            "uplinks: [{name: lamps, type: mqtt_messages, broker: \"" +
                            field.url() + "\"}]\n";
  const std::string rule =
      "rules: [{name: hot, series: \"{device}/temperature\", threshold: {above: 90},\n"
      "  publish: [{to: lamps, topic: \"lamps/{device}\", raised: \"{value}\", cleared: dark, retain: true}]}]\n";
  GatewayProcess gateway(kProgram, parts + rule);
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  field.publish("plant/boiler/temperature", "95");
  ASSERT_TRUE(lamp->wait_for_output("lamps/boiler 95\n"));
  const json raised = get_json(gateway, "/api/v1/alerts/log")["log"][0];
  EXPECT_EQ(raised["publish"].dump(), R"([{"payload":"95","retain":true,"to":"lamps","topic":"lamps/boiler"}])");
  gateway.kill();
  gateway.start();
  gateway.reload(parts);
  ASSERT_TRUE(lamp->wait_for_output("lamps/boiler dark\n")) << lamp->output();
}

std::string uplink(const std::string& name, const std::string& broker, const std::string& more = "") {
  return "  - {name: " + name + ", type: mqtt, broker: \"" + broker + "\", topic: " + name + more + "}\n";
}

TEST(Pipeline, AReloadLeavesAnUplinkAloneThatDidNotChange) {
  Broker cloud;
  const auto same = cloud.subscribe("same/status");
  const auto other = cloud.subscribe("other/status");
  const auto online = [](const test::Process& status) {
    std::size_t times = 0;
    const std::string said = status.output();
    for (auto at = said.find("online"); at != std::string::npos; at = said.find("online", at + 1)) ++times;
    return times;
  };
  const std::string before = "sources: [{name: self, type: self}]\nuplinks:\n" + uplink("same", cloud.url());
  GatewayProcess gateway(kProgram, before + uplink("other", cloud.url()));
  gateway.start();
  ASSERT_TRUE(eventually([&] { return online(*same) == 1 && online(*other) == 1; }));
  gateway.reload(before + uplink("other", cloud.url(), ", max_in_flight: 7"));
  ASSERT_TRUE(eventually([&] { return online(*other) == 2; }));
  // What it says at its end comes after anything that the reload made it say.
  EXPECT_EQ(gateway.stop(), 0);
  ASSERT_TRUE(same->wait_for_output("offline"));
  EXPECT_EQ(online(*same), 1u) << same->output();
}

TEST(Pipeline, ASourceAndAnUplinkOfOneNameAtOneBrokerLeaveEachOtherAlone) {
  Broker broker;
  const auto upstream = broker.subscribe("site/#");
  GatewayProcess gateway(kProgram, plant_configuration(broker.url(), "") +
                                       "uplinks: [{name: field, type: mqtt, topic: site, broker: \"" + broker.url() +
                                       "\"}]\n");
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  broker.publish("plant/a/x", "1");
  ASSERT_TRUE(upstream->wait_for_output("site/samples {"));
  broker.publish("plant/a/x", "2");
  EXPECT_TRUE(eventually([&] { return values_of(read_upstream(upstream->output()), "a/x").size() == 2; }));
  EXPECT_EQ(broker.log().find("already connected"), std::string::npos) << broker.log();
}

TEST(Pipeline, AStopDoesNotWaitForManyBrokersThatDoNotAnswer) {
  Broker cloud;
  std::string configuration = "sources: [{name: self, type: self}]\nuplinks:\n";
  for (int i = 0; i < 12; ++i) configuration += uplink("cloud" + std::to_string(i), cloud.url());
  const auto online = cloud.subscribe("+/status");
  GatewayProcess gateway(kProgram, configuration);
  gateway.start();
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(online->wait_for_output("cloud" + std::to_string(i) + "/status"));
  ::kill(cloud.pid(), SIGSTOP);
  EXPECT_EQ(gateway.stop(), 0) << "killed after 20 s; all together need about two";
  ::kill(cloud.pid(), SIGCONT);
}

/// A journal as a gateway left it whose clock stood there: one sample, one commit.
void leave_behind(const std::filesystem::path& directory, Timestamp clock_at) {
  const FakeClock clock(clock_at);
  Metrics metrics;
  journal::Options options;
  options.directory = directory;
  auto journal = journal::Journal::open(options, clock, metrics);
  ASSERT_TRUE(journal) << journal.error().text;
  Batch batch;
  const SeriesId boiler = *(*journal)->catalogue().intern("boiler/temperature", {});
  batch.samples = {{boiler, Quality::good, Reason::none, clock_at, 50}};
  ASSERT_TRUE((*journal)->append(std::move(batch)));
}

TEST(Pipeline, AClockThatComesBackBehindTheLastCommitHidesNothing) {
  Broker field;
  GatewayProcess gateway(kProgram, plant_configuration(field.url(), ""));
  const Timestamp left_off = GatewayClock().now() + 1h;
  leave_behind(gateway.data(), left_off);
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  EXPECT_GE(get_json(gateway, "/api/v1/state")["gateway"]["time"], left_off.time_since_epoch().count());
  field.publish("plant/boiler/temperature", "95");
  EXPECT_TRUE(
      eventually([&] { return get_json(gateway, "/api/v1/alerts").dump().find("hot:boiler") != std::string::npos; }));
  EXPECT_EQ(gateway.stop(), 0);
  EXPECT_THAT(gateway.process().output(), testing::HasSubstr("behind the last run"));
}

TEST(CommandLine, AWrongConfigurationStopsTheStartWithEveryProblem) {
  const test::TempDir directory;
  const auto file = directory.write("tidegate.yaml", "sources:\n  - {name: a, type: modbuss}\nruls: []\n");
  for (const auto& command :
       std::vector<std::vector<std::string>>{{kProgram, "check", file}, {kProgram, "run", "--config", file}}) {
    const auto done = test::run(command);
    EXPECT_EQ(done.status, 78);
    EXPECT_THAT(done.output, testing::HasSubstr("tidegate.yaml:2:"));
    EXPECT_THAT(done.output, testing::HasSubstr("did you mean 'rules'"));
  }
}

TEST(CommandLine, TheSchemaIsJsonAndTheHelpHelps) {
  const auto schema = tidegate({"schema"});
  EXPECT_EQ(schema.status, 0);
  EXPECT_TRUE(json::parse(schema.output)["properties"].contains("sources"));
  const auto help = tidegate({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, testing::HasSubstr("check"));
  EXPECT_EQ(tidegate({"frobnicate"}).status, 64);
}

TEST(CommandLine, ASecondGatewayOnTheSameJournalIsRefused) {
  GatewayProcess gateway(kProgram, "{}\n");
  gateway.start();
  const auto second = tidegate(
      {"run", "--config", gateway.directory() / "tidegate.yaml", "--data", gateway.data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.output, testing::HasSubstr("in use by process"));
}

}  // namespace
}  // namespace tidegate::e2e
