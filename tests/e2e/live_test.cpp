// The commands that ask a running gateway, by its socket: what they say, and what comes of what they ask for.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/e2e/fixture.h"
#include "tests/support/publisher.h"

namespace tidegate::e2e {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::eventually;
using test::Finished;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr int kUnwell = 2, kCalling = 3, kUsage = 64, kConfigurationWrong = 78, kInterrupted = 130;

/// A gateway whose readings come from a broker of its own.
class Live : public testing::Test {
 protected:
  void SetUp() override {
    gateway.start();
    ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  }

  Finished ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    return tidegate(std::move(arguments));
  }
  json ask_json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    return json::parse(ask(std::move(arguments)).output);
  }
  /// The alert as `alerts --json` has it; null where it does not stand.
  json alert(const std::string& id) const {
    const json all = ask_json({"alerts"});
    for (const json& one : all["alerts"]) {
      if (one["id"] == id) return one;
    }
    return {};
  }
  void raise_alert() {
    broker.publish("plant/boiler/temperature", "95");
    ASSERT_TRUE(eventually([&] { return alert("hot:boiler")["phase"] == "active"; }));
  }

  test::Broker broker;
  const std::string configuration = plant_configuration(broker.url(), "");
  test::GatewayProcess gateway{kProgram, configuration};
};

TEST_F(Live, StatusIsWellThenCalledThenUnwell) {
  const Finished well = ask({"status"});
  EXPECT_EQ(well.status, 0) << well.output;
  EXPECT_THAT(well.output, StartsWith("plant: Tidegate "));
  EXPECT_THAT(well.output, HasSubstr("sources   1 of 1 up"));
  EXPECT_THAT(well.output, HasSubstr("alerts    none"));
  raise_alert();
  const Finished called = ask({"status"});
  EXPECT_EQ(called.status, kCalling);
  EXPECT_THAT(called.output, HasSubstr("alerts    1 calls for somebody"));
  broker.kill();
  ASSERT_TRUE(eventually([&] { return ask({"status"}).status == kUnwell; }));
  EXPECT_THAT(ask({"status"}).output, ContainsRegex("NOT WELL  source field \\(mqtt\\) is (down|degraded) for "));
  const json picture = ask_json({"status"});
  EXPECT_EQ(picture["wrong"].size(), 1u);
  EXPECT_EQ(picture["calling"], 1);
  EXPECT_EQ(picture["alerts"][0]["id"], "hot:boiler");
  EXPECT_EQ(picture["state"]["gateway"]["name"], "plant");
}

TEST_F(Live, AlertsAreListedAcknowledgedAndShelved) {
  raise_alert();
  EXPECT_THAT(ask({"alerts"}).output, ContainsRegex("hot:boiler  critical  active  20.*Z +no "));
  EXPECT_EQ(ask_json({"alerts", "--unacknowledged", "--severity", "high", "--rule", "hot"})["alerts"].size(), 1u);
  EXPECT_EQ(ask_json({"alerts", "--rule", "cold"})["alerts"].size(), 0u);
  const Finished seen = ask({"ack", "hot:boiler", "--by", "anna", "--note", "on my way"});
  EXPECT_EQ(seen.output, "hot:boiler is active, acknowledged by anna\n");
  EXPECT_EQ(alert("hot:boiler")["acknowledged_by"], "anna");
  EXPECT_EQ(alert("hot:boiler")["note"], "on my way");
  EXPECT_EQ(ask_json({"alerts", "--unacknowledged"})["alerts"].size(), 0u);
  EXPECT_EQ(ask({"ack", "hot:boiler"}).status, 1) << "nothing to acknowledge any more";

  const json shelved = ask_json({"shelve", "hot:boiler", "--for", "2h", "--why", "valve is changed", "--by", "anna"});
  EXPECT_EQ(shelved["alert"]["shelved_why"], "valve is changed");
  EXPECT_TRUE(alert("hot:boiler")["silenced"]);
  EXPECT_EQ(ask({"status"}).status, 0) << "it calls nobody now";
  EXPECT_THAT(ask({"alerts"}).output, ContainsRegex("shelved until 20.*Z: valve is changed"));
  EXPECT_EQ(ask({"unshelve", "hot:boiler"}).status, 0);
  EXPECT_FALSE(alert("hot:boiler")["silenced"]);
  EXPECT_EQ(ask({"unshelve", "hot:boiler"}).status, 1) << "it is not shelved";
  const json out = ask_json({"shelve", "hot:boiler", "--out-of-service", "--why", "winter"});
  EXPECT_TRUE(out["alert"]["out_of_service"]);
  EXPECT_FALSE(out["alert"]["shelved_by"].get<std::string>().empty()) << "who runs the command";

  broker.publish("plant/oven/temperature", "95");
  ASSERT_TRUE(eventually([&] { return alert("hot:oven")["phase"] == "active"; }));
  const json mine = ask_json({"ack", "hot:oven", "--by", "anna", "--note", "on my way"})["alert"];
  EXPECT_EQ(mine["id"], "hot:oven");
  EXPECT_EQ(mine["phase"], "active");
  EXPECT_EQ(mine["acknowledged_by"], "anna");
  EXPECT_EQ(mine["note"], "on my way");
  EXPECT_EQ(mine["acknowledged"], true) << mine;

  EXPECT_THAT(ask({"ack", "hot:pump"}).output, HasSubstr("hot:pump"));
  EXPECT_EQ(ask({"ack", "hot:pump"}).status, 1);
  EXPECT_EQ(ask({"shelve", "hot:boiler", "--for", "90d", "--why", "x"}).status, kUsage);
  EXPECT_EQ(ask({"shelve", "hot:boiler", "--why", "x"}).status, kUsage);
  EXPECT_EQ(ask({"shelve", "hot:boiler", "--for", "2h"}).status, kUsage);
  EXPECT_EQ(ask({"alerts", "--severity", "bad"}).status, kUsage);

  EXPECT_THAT(ask({"comment", "hot:boiler", "parts are ordered", "--by", "anna"}).output,
              HasSubstr("anna said: parts are ordered"));
  EXPECT_EQ(alert("hot:boiler")["comment"], "parts are ordered");
  EXPECT_THAT(ask({"audit"}).output, ContainsRegex("anna +comment +hot:boiler +parts are ordered"));
  EXPECT_EQ(ask({"comment", "hot:boiler"}).status, kUsage);
  EXPECT_EQ(ask({"alerts", "report"}).status, 0) << "the group's other command is there as before";
  EXPECT_THAT(ask({"audit", "--format", "csv"}).output, HasSubstr("anna,acknowledge,hot:boiler,on my way"));
}

TEST_F(Live, TapShowsWhatComes) {
  test::Process tap({kProgram, "tap", "+/temperature", "--json", "--data", gateway.data()});
  ASSERT_TRUE(tap.wait_for_output("no series matches yet"));
  tap.signal(SIGPIPE);  // as a connection gives it that has gone: no reason to end without a word
  broker.publish("plant/boiler/pressure", "3");
  broker.publish("plant/boiler/temperature", "20.5");
  ASSERT_TRUE(tap.wait_for_output("20.5"));
  const std::string line = tap.output().substr(tap.output().find('{'));
  const json sample = json::parse(line.substr(0, line.find('\n')));
  EXPECT_EQ(sample["series"], "boiler/temperature");
  EXPECT_EQ(sample["value"], 20.5);
  EXPECT_EQ(sample["quality"], "good");
  EXPECT_THAT(tap.output(), Not(HasSubstr("pressure")));
  tap.signal(SIGINT);
  EXPECT_EQ(tap.wait(20s), kInterrupted);

  test::Process two({kProgram, "tap", "#", "--count", "2", "--data", gateway.data()});
  ASSERT_TRUE(eventually([&] {
    broker.publish("plant/boiler/temperature", "21");
    return !two.running();
  }));
  EXPECT_EQ(two.wait(1s), 0);
  EXPECT_THAT(two.output(), ContainsRegex("^20.*Z  boiler/temperature  21 °C\n20.*\n$"));
  EXPECT_EQ(ask({"tap", "a/#/b"}).status, kUsage);
  EXPECT_EQ(ask({"tap", "#", "--for", "ever"}).status, kUsage);
}

TEST_F(Live, TapEndsAtItsTimeWithoutAWordOfTheGateway) {
  gateway.process().signal(SIGSTOP);
  for (const char* lasts : {"0s", "1ms", "300ms"}) {  // before there is a connection, or while it waits
    test::Process tap({kProgram, "tap", "#", "--for", lasts, "--data", gateway.data()});
    EXPECT_EQ(tap.wait(20s), 0) << "after 25 s it would give up";
    EXPECT_EQ(tap.output(), "");
  }
  gateway.process().signal(SIGCONT);
}

TEST_F(Live, TapEndsWithTheGateway) {
  test::Process tap({kProgram, "tap", "#", "--data", gateway.data()});
  ASSERT_TRUE(tap.wait_for_output("no series matches yet"));
  EXPECT_EQ(gateway.stop(), 0);
  EXPECT_EQ(tap.wait(20s), 1);
  EXPECT_THAT(tap.output(), HasSubstr("the gateway has ended the stream"));
}

TEST_F(Live, TopTellsTheBusiestFirst) {
  json busiest;
  test::Publisher publisher(broker.port());
  ASSERT_TRUE(eventually([&] {
    test::Process top({kProgram, "top", "--once", "--json", "--every", "1s", "--data", gateway.data()});
    while (top.running()) {
      for (int i = 0; i < 6; ++i) publisher.publish("plant/boiler/temperature", std::to_string(i));
      publisher.publish("plant/boiler/pressure", "3");
      publisher.flush();
      std::this_thread::sleep_for(100ms);
    }
    EXPECT_EQ(top.wait(20s), 0);
    busiest = json::parse(top.output())["busiest"];
    return busiest.size() == 2;  // else none came between its two looks
  }));
  EXPECT_EQ(busiest[0]["series"], "boiler/temperature");
  EXPECT_EQ(busiest[1]["series"], "boiler/pressure");
  EXPECT_GT(busiest[1]["rate"], 0);
  EXPECT_GT(busiest[0]["rate"], busiest[1]["rate"]);
  const Finished table = ask({"top", "--once", "--every", "200ms"});
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.output, ContainsRegex("plant: .* samples/s, commit .*\nsamples/s  series\n"));
  test::Process endless({kProgram, "top", "--every", "200ms", "--data", gateway.data()});
  ASSERT_TRUE(endless.wait_for_output("samples/s  series"));
  endless.signal(SIGINT);
  EXPECT_EQ(endless.wait(20s), kInterrupted);
}

TEST_F(Live, ReloadTakesOverWhatIsRightAndTellsWhatIsWrong) {
  gateway.directory().write(
      "tidegate.yaml", configuration + "  - {name: cold, series: \"{device}/temperature\", threshold: {below: 3}}\n");
  EXPECT_EQ(ask_json({"reload"})["text"], "the configuration was reloaded");
  broker.publish("plant/boiler/temperature", "2");
  ASSERT_TRUE(eventually([&] { return alert("cold:boiler")["phase"] == "active"; }));
  gateway.directory().write("tidegate.yaml", configuration + "nonsense: 1\n");
  const Finished refused = ask({"reload"});
  EXPECT_EQ(refused.status, kConfigurationWrong);
  EXPECT_THAT(refused.output, HasSubstr("nonsense"));
  EXPECT_FALSE(alert("cold:boiler").is_null()) << "nothing was changed";
  gateway.directory().write("tidegate.yaml", "gateway: {name: other}\n");
  EXPECT_EQ(ask({"reload"}).output, "the configuration was reloaded; changes in gateway, storage need a restart\n");
}

TEST(LiveWithoutAGateway, SayWhatToDo) {
  test::TempDir directory;
  const std::string data = directory.path();
  const Finished nowhere = tidegate({"status", "--data", data});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_EQ(nowhere.output,
            fmt::format("tidegate status: no gateway runs there: {}/tidegate.sock does not exist. Start it (systemctl "
                        "start tidegate), or say where it is: --config FILE, --data FOLDER or --socket PATH\n",
                        data));
  EXPECT_THAT(tidegate({"alerts", "--socket", std::string(120, 'x')}).output,
              HasSubstr("longer than that of a socket"));
  test::GatewayProcess gateway(kProgram, "gateway: {name: plant}\n");
  gateway.start();
  const std::string socket = gateway.data() / "tidegate.sock";
  EXPECT_EQ(tidegate({"status", "--socket", socket}).status, 0);
  EXPECT_EQ(tidegate({"status", "--config",
                      gateway.directory().write("other.yaml", "storage: {path: data}\nno_such_key: 1\n")})
                .status,
            0);
  gateway.kill();
  const Finished crashed = tidegate({"tap", "#", "--socket", socket});
  EXPECT_EQ(crashed.status, 1);
  EXPECT_THAT(crashed.output, HasSubstr("nobody listens at " + socket + ", which a crash has left"));
}

TEST(LiveForAnotherUser, IsRefusedByTheSocketsMode) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  test::GatewayProcess gateway(kProgram, "gateway: {name: plant}\n");
  gateway.start();
  for (const auto& folder : {gateway.directory().path(), gateway.data()}) {
    std::filesystem::permissions(folder, std::filesystem::perms(0755));  // so that nothing but the socket is in the way
  }
  const std::string socket = gateway.data() / "tidegate.sock";
  const auto as_user = [&](const char* number) {
    return test::run({"setpriv", "--reuid", number, "--clear-groups", kProgram, "status", "--socket", socket});
  };
  EXPECT_EQ(as_user("0").status, 0);
  const Finished refused = as_user("65534");
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.output,
            fmt::format("tidegate status: {} is for the user that the gateway runs as, and root: try it "
                        "with sudo\n",
                        socket));
}

}  // namespace
}  // namespace tidegate::e2e
