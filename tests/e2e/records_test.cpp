// What people decided is kept with the store: the configurations that ran and who did what, through kills, a reload, a
// backup and damage.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/fixture.h"
#include "tests/support/http_client.h"

namespace tidegate::e2e {
namespace {

using test::eventually;
using test::Finished;
using test::GatewayProcess;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

constexpr std::string_view kQuiet = "sources: [{name: plant, type: simulator, every: 100ms, faults: false}]\n";
constexpr std::string_view kEdited =
    "sources: [{name: plant, type: simulator, every: 100ms, faults: false}]\n"
    "rules: [{name: warm, threshold: {above: 2}, series: boiler1/temperature}]  # in another order\n";
constexpr std::string_view kWatched =
    "sources: [{name: plant, type: simulator, every: 100ms, faults: false}]\n"
    "rules: [{name: warm, series: boiler1/temperature, threshold: {above: 1}}]\n";

TEST(Records, OfConfigurationsAndAcknowledgementsOutliveKillsABackupAndDamage) {
  GatewayProcess gateway(kProgram, kQuiet);
  gateway.start();
  gateway.reload(kWatched);
  ASSERT_TRUE(eventually([&] { return gateway.get("/api/v1/alerts").find("\"id\":\"warm\"") != std::string::npos; }));
  const auto alerts = nlohmann::json::parse(gateway.get("/api/v1/alerts"));
  const std::string id = alerts["alerts"][0]["id"];
  const std::map<std::string, std::string> anna = {{"Content-Type", "application/json"}, {"Tidegate-User", "anna"}};
  const auto answer =
      gateway.http().post("/api/v1/alerts/ack", nlohmann::json{{"id", id}, {"note", "on my way"}}.dump(), anna);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const nlohmann::json shelf = {{"id", id}, {"why", "valve is changed"}, {"out_of_service", true}};
  const auto shelved = gateway.http().post("/api/v1/alerts/shelve", shelf.dump(), anna);
  ASSERT_EQ(shelved.status, 200) << shelved.body;
  gateway.kill();
  gateway.start();
  gateway.reload(kEdited);
  ASSERT_TRUE(gateway.process().wait_for_output("the configuration was reloaded"));
  ASSERT_TRUE(
      eventually([&] { return gateway.get("/api/v1/alerts").find("\"out_of_service\":true") != std::string::npos; }));
  gateway.reload("rules: [{name: warm, above: many}]\n");  // refused: it never ran
  ASSERT_TRUE(gateway.process().wait_for_output("reload refused"));

  const std::string data = gateway.data();
  const Finished log = tidegate({"config", "log", "--data", data, "--format", "csv"});
  EXPECT_EQ(log.status, 0);
  EXPECT_THAT(
      log.output,
      ContainsRegex(
          "1,20.*Z,started,tidegate.yaml\r\n2,20.*Z,reloaded,tidegate.yaml\r\n3,20.*Z,reloaded,tidegate.yaml\r\n$"));
  const Finished first = tidegate({"config", "show", "1", "--data", data});
  EXPECT_THAT(first.output, HasSubstr("# tidegate.yaml\n"));
  EXPECT_THAT(first.output, HasSubstr(std::string(kQuiet)));
  EXPECT_THAT(first.output, Not(HasSubstr("warm")));
  EXPECT_THAT(tidegate({"config", "show", "--data", data}).output, HasSubstr("warm"));
  EXPECT_EQ(tidegate({"config", "show", "7", "--data", data}).status, 1);
  const Finished history = tidegate({"rules", "history", "--data", data, "--format", "csv"});
  EXPECT_EQ(history.status, 0);
  EXPECT_THAT(history.output, ContainsRegex("\r\nwarm,[0-9a-f]{8},20.*Z,2,made\r\n"
                                            "warm,[0-9a-f]{8},20.*Z,3,threshold.above 1 -> 2\r\n$"));
  EXPECT_EQ(tidegate({"rules", "history", "cold", "--data", data}).status, 1);

  EXPECT_THAT(tidegate({"store", "stats", "--data", data}).output,
              ContainsRegex("records .* in 1 file: 3 configurations, 5 entries of the audit"));

  const fs::path copy = gateway.directory() / "copy";
  ASSERT_EQ(tidegate({"backup", copy, "--data", data}).status, 0);
  EXPECT_EQ(gateway.stop(), 0);
  const fs::path restored = gateway.directory() / "restored";
  ASSERT_EQ(tidegate({"restore", copy, "--data", restored}).status, 0);
  const Finished audit = tidegate({"audit", "--data", restored, "--format", "csv"});
  EXPECT_EQ(audit.status, 0) << audit.output;
  EXPECT_THAT(audit.output, ContainsRegex("3,20.*Z,anna,acknowledge,warm,on my way\r\n"
                                          "4,20.*Z,anna,shelve,warm,out of service: valve is changed\r\n"
                                          "5,20.*Z,the gateway,configuration,3,reloaded\r\n$"));

  {
    std::fstream file(restored / "state.db", std::ios::in | std::ios::out | std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(file)), {});
    file.seekp(static_cast<std::streamoff>(whole.find("on my way")));
    file << "far away ";
  }
  EXPECT_EQ(tidegate({"audit", "--data", restored}).status, 65);
  const Finished check = tidegate({"store", "check", "--data", restored});
  EXPECT_EQ(check.status, 65);
  EXPECT_THAT(check.output, HasSubstr("state.db: audit: entry 3 does not follow"));
}

}  // namespace
}  // namespace tidegate::e2e
