// Rules that are edited while the gateway runs: two editors, mistakes, kills between any two steps, what a saved rule
// does, rules that are off, and that no answer has a secret in it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "tests/e2e/fixture.h"
#include "tests/support/publisher.h"

namespace tidegate::e2e {
namespace {

using nlohmann::json;
using test::eventually;
using test::GatewayProcess;
using test::HttpClient;
using test::HttpResponse;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

constexpr const char* kPlant =
    "sources: [{name: me, type: self}]\n"
    "rules:\n"
    "  - {name: written, series: nobody/x, absence: {for: 1s}, severity: high}\n";

std::string lost(const std::string& name, const std::string& device = "ghost") {
  return "  - {name: " + name + ", series: " + device + "/x, absence: {for: 1s}}\n";
}

class Desk : public testing::Test {
 protected:
  void SetUp() override { gateway.start(); }

  HttpResponse post(const std::string& path, const json& body, const std::string& who = "ada",
                    const std::string& if_match = {}) const {
    std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}, {"Tidegate-User", who}};
    if (!if_match.empty()) headers.emplace("If-Match", if_match);
    return gateway.http().post(path, body.dump(), headers);
  }
  std::string etag() const { return gateway.http().get("/api/v1/rules/text").headers.at("etag"); }
  HttpResponse save(const std::string& text, const std::string& note = {}, const std::string& who = "ada") const {
    return post("/api/v1/rules/text", {{"text", text}, {"note", note}}, who, etag());
  }
  HttpResponse turn(const std::string& name, bool off, const std::string& note = {}) const {
    return post(off ? "/api/v1/rules/disable" : "/api/v1/rules/enable", {{"name", name}, {"note", note}});
  }
  std::string text() const { return get_json(gateway, "/api/v1/rules/text")["text"]; }
  json rule(const std::string& name) const {
    const json rules = get_json(gateway, "/api/v1/rules")["rules"];
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const json& one) { return one["name"] == name; });
    return found == rules.end() ? json() : *found;
  }
  json history() const { return get_json(gateway, "/api/v1/rules/history")["versions"]; }
  bool is_up(const std::string& alert) const {
    const json alerts = get_json(gateway, "/api/v1/alerts")["alerts"];
    return std::any_of(alerts.begin(), alerts.end(),
                       [&](const json& one) { return one["id"] == alert && one["phase"] == "active"; });
  }
  /// Causes of an alert's transitions, oldest first.
  std::vector<std::string> causes(const std::string& alert) const {
    std::vector<std::string> causes;
    const json log = get_json(gateway, "/api/v1/alerts/log")["log"];
    for (auto one = log.rbegin(); one != log.rend(); ++one) {
      if ((*one)["alert"]["id"] == alert) causes.push_back((*one)["cause"]);
    }
    return causes;
  }
  fs::path file() const { return gateway.data() / "rules.yaml"; }

  GatewayProcess gateway{kProgram, kPlant};
};

TEST_F(Desk, ASavedRuleFiresAndItsPlaceIsTold) {
  EXPECT_EQ(text(), "");
  const auto saved = save("rules:\n" + lost("lost"), "the ghost too");
  ASSERT_EQ(saved.status, 200) << saved.body;
  EXPECT_EQ(saved.headers.at("etag"), etag());
  EXPECT_TRUE(eventually([&] { return is_up("lost"); }));
  EXPECT_EQ(rule("lost")["file"], "rules.yaml");
  EXPECT_EQ(rule("lost")["line"], 2);
  EXPECT_EQ(rule("lost")["editable"], true);
  EXPECT_EQ(rule("written")["file"], "tidegate.yaml");
  EXPECT_EQ(rule("written")["editable"], false);
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(history()[0]["who"], "ada");
  EXPECT_EQ(history()[0]["note"], "the ghost too");
  gateway.kill();
  gateway.start();
  EXPECT_TRUE(eventually([&] { return rule("lost")["instances"] == 1; }));
  EXPECT_EQ(history()[0]["who"], "ada") << "a start with the same texts is no version";
}

TEST_F(Desk, OfTwoEditorsTheSecondIsToldWhoWasFaster) {
  const std::string seen = etag();
  EXPECT_EQ(post("/api/v1/rules/text", {{"text", "rules:\n" + lost("a")}, {"note", "a"}}, "ada", seen).status, 200);
  const auto second = post("/api/v1/rules/text", {{"text", "rules:\n" + lost("b")}}, "bob", seen);
  EXPECT_EQ(second.status, 412);
  EXPECT_THAT(second.body, HasSubstr("changed meanwhile by ada at 20"));
  EXPECT_EQ(text(), "rules:\n" + lost("a"));
  EXPECT_EQ(save("rules:\n" + lost("a") + lost("b"), "", "bob").status, 200);
  EXPECT_EQ(history()[0]["who"], "bob");
}

TEST_F(Desk, ManyEditorsAtOnceLoseNothing) {
  constexpr int kEditors = 6, kEach = 5;
  std::atomic<int> saved{0};
  {
    std::vector<std::jthread> editors;
    for (int editor = 0; editor < kEditors; ++editor) {
      editors.emplace_back([this, editor, &saved] {
        for (int i = 0; i < kEach;) {
          const auto now = gateway.http().get("/api/v1/rules/text");
          std::string mine = json::parse(now.body)["text"];
          if (mine.empty()) mine = "rules:\n";
          mine += lost("e" + std::to_string(editor) + "-" + std::to_string(i));
          const auto response =
              post("/api/v1/rules/text", {{"text", mine}}, "e" + std::to_string(editor), now.headers.at("etag"));
          ASSERT_THAT(response.status, testing::AnyOf(200, 412, 503)) << response.body;
          if (response.status != 200) continue;
          ++i;
          ++saved;
        }
      });
    }
  }
  EXPECT_EQ(saved, kEditors * kEach);
  for (int editor = 0; editor < kEditors; ++editor) {
    for (int i = 0; i < kEach; ++i)
      EXPECT_FALSE(rule("e" + std::to_string(editor) + "-" + std::to_string(i)).is_null()) << editor << " " << i;
  }
}

TEST_F(Desk, AMistakeChangesNothingAndEveryOneIsTold) {
  ASSERT_EQ(save("rules:\n" + lost("lost")).status, 200);
  const std::string before = text();
  const auto refused = save("rules:\n" + lost("written") +
                            "  - {name: odd, series: a/b, thershold: {above: 1}}\n"
                            "  - {name: env, series: a/b, absence: {for: 1s}, message: !env HOME}\n"
                            "sources: [{name: other, type: self}]\n");
  ASSERT_EQ(refused.status, 400) << refused.body;
  const json problem = json::parse(refused.body);
  std::set<int> lines;
  for (const json& one : problem["problems"]) {
    EXPECT_EQ(one["file"], "rules.yaml") << one;
    lines.insert(one["line"].get<int>());
  }
  EXPECT_EQ(lines, (std::set<int>{2, 3, 4, 5})) << problem["detail"];
  EXPECT_THAT(problem["detail"], HasSubstr("rules.yaml:4:"));
  EXPECT_THAT(problem["detail"], HasSubstr("!env cannot stand here"));
  EXPECT_THAT(problem["detail"], HasSubstr("'sources' does not belong here: this file holds rules and nothing else"));
  EXPECT_EQ(text(), before);
  EXPECT_EQ(test::read_file(file()), before);
  EXPECT_EQ(history().size(), 2u);
  EXPECT_TRUE(rule("odd").is_null());
  const auto checked = tidegate({"check", gateway.directory() / "tidegate.yaml"});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

TEST_F(Desk, ACheckTellsWhatWouldComeOfIt) {
  ASSERT_EQ(save("rules:\n" + lost("goes") + lost("stays", "other")).status, 200);
  ASSERT_TRUE(eventually([&] { return is_up("goes") && is_up("stays"); }));
  const auto checked =
      post("/api/v1/rules/validate",
           {{"text", "rules:\n" + lost("comes") + "  - {name: stays, series: other/x, absence: {for: 2s}}\n"}});
  EXPECT_EQ(json::parse(checked.body), json::parse(R"({"problems": [], "added": ["comes"], "removed": ["goes"],
      "changed": ["stays"], "alerts_ended": ["goes"]})"));
  const auto moved =
      post("/api/v1/rules/validate", {{"text", "rules:\n" + lost("goes", "elsewhere") + lost("stays", "other")}});
  EXPECT_EQ(json::parse(moved.body)["alerts_ended"], json::parse(R"(["goes"])")) << "it stands on another series";
  EXPECT_TRUE(is_up("goes"));
}

TEST_F(Desk, AMistakeOfTheAdministratorsFilesIsToldAsTheirs) {
  gateway.directory().write("tidegate.yaml", std::string(kPlant) + "nonsense: 1\n");
  const auto refused = save("rules:\n" + lost("lost"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(json::parse(refused.body)["problems"][0]["file"], "tidegate.yaml");
  gateway.directory().write("tidegate.yaml", kPlant);
  EXPECT_EQ(save("rules:\n" + lost("lost")).status, 200);
}

TEST_F(Desk, ARuleThatIsOffEndsItsAlertsAndSaysWhoTurnedItOff) {
  ASSERT_TRUE(eventually([&] { return is_up("written"); }));
  ASSERT_EQ(turn("written", true, "the line is down").status, 200);
  EXPECT_TRUE(eventually([&] { return causes("written") == std::vector<std::string>{"raised", "rule removed"}; }));
  EXPECT_FALSE(is_up("written"));
  EXPECT_EQ(rule("written")["off"], true);
  EXPECT_EQ(rule("written")["off_by"], "ada");
  EXPECT_EQ(rule("written")["off_note"], "the line is down");
  EXPECT_EQ(rule("written")["enabled"], true);
  EXPECT_EQ(get_json(gateway, "/api/v1/state")["rules"][0]["off"], true);
  EXPECT_EQ(turn("written", true).status, 409);
  EXPECT_THAT(turn("writen", true).body, HasSubstr("did you mean 'written'?"));
  gateway.kill();
  gateway.start();
  EXPECT_EQ(rule("written")["off"], true);
  EXPECT_EQ(rule("written")["instances"], 0);
  const auto audit = tidegate({"audit", "--data", gateway.data()});
  EXPECT_THAT(audit.output, testing::ContainsRegex("ada +rule off +written +the line is down"));
  ASSERT_EQ(turn("written", false).status, 200);
  EXPECT_TRUE(eventually([&] { return is_up("written"); }));
  EXPECT_EQ(turn("written", false).status, 409);
}

TEST_F(Desk, ARuleThatIsOffAndGoneIsTold) {
  ASSERT_EQ(save("rules:\n" + lost("lost")).status, 200);
  ASSERT_EQ(turn("lost", true).status, 200);
  ASSERT_EQ(save("rules: []\n").status, 200);
  EXPECT_TRUE(gateway.process().wait_for_output("there is no rule 'lost' any more; it is off as soon as there is one"));
  EXPECT_THAT(tidegate({"check", gateway.directory() / "tidegate.yaml"}).output, HasSubstr("good"));
  ASSERT_EQ(save("rules:\n" + lost("lost")).status, 200);
  EXPECT_EQ(rule("lost")["off"], true) << "it came back";
  EXPECT_EQ(turn("lost", false).status, 200);
}

TEST_F(Desk, ARollbackBringsAnOlderTextBack) {
  ASSERT_EQ(save("rules:\n" + lost("one")).status, 200);
  const std::int64_t first = history()[0]["version"];
  ASSERT_EQ(save("rules:\n" + lost("two")).status, 200);
  const json diff = get_json(gateway, "/api/v1/rules/diff?from=" + std::to_string(first));
  EXPECT_THAT(diff["text"], HasSubstr("\n-" + lost("one") + "+" + lost("two")));
  const auto back = post("/api/v1/rules/rollback", {{"version", first}, {"note", "two was worse"}}, "bob", etag());
  ASSERT_EQ(back.status, 200) << back.body;
  EXPECT_EQ(text(), "rules:\n" + lost("one"));
  EXPECT_TRUE(rule("two").is_null());
  EXPECT_EQ(history()[0]["why"], "rules of " + std::to_string(first));
  EXPECT_EQ(history()[0]["who"], "bob");
  const std::int64_t begin = history().back()["version"];
  ASSERT_EQ(post("/api/v1/rules/rollback", {{"version", begin}}, "bob", etag()).status, 200) << "before any was saved";
  EXPECT_EQ(text(), "");
  EXPECT_TRUE(rule("one").is_null());
}

TEST_F(Desk, TheCommandLineEditsThemToo) {
  const auto ask = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "rules");
    arguments.insert(arguments.end(), {"--data", gateway.data()});
    return tidegate(std::move(arguments));
  };
  const auto mine = gateway.directory().write("mine.yaml", "rules:\n" + lost("lost"));
  EXPECT_EQ(ask({"validate", mine}).output, "good; it would change:\nnew rule: lost\n");
  const auto saved = ask({"save", mine, "--note", "begin", "--by", "ada"});
  EXPECT_EQ(saved.status, 0) << saved.output;
  EXPECT_EQ(saved.output, "rules saved, by ada\n");
  EXPECT_EQ(ask({"text"}).output, "rules:\n" + lost("lost"));
  const auto stale = ask({"save", mine, "--replaces", "0123456789abcdef"});
  EXPECT_EQ(stale.status, 1);
  EXPECT_THAT(stale.output, HasSubstr("tidegate rules save: the rules were changed meanwhile by ada"));
  const auto wrong = gateway.directory().write("wrong.yaml", "rules:\n  - {nam: x}\n");
  EXPECT_THAT(ask({"validate", wrong}).output, HasSubstr("rules.yaml:2:6: unknown key 'nam'"));
  EXPECT_EQ(ask({"validate", wrong}).status, 78);
  EXPECT_THAT(ask({"save", wrong}).output, HasSubstr("rules.yaml:2:6: unknown key 'nam'"));
  EXPECT_EQ(ask({"save", wrong}).status, 64);
  EXPECT_THAT(ask({"save", gateway.directory().write("big.yaml", std::string(70'000, '#'))}).output,
              HasSubstr("takes at most 65536"));
  EXPECT_EQ(ask({"save", gateway.directory() / "none.yaml"}).status, 64);
  EXPECT_THAT(ask({"versions"}).output, testing::ContainsRegex("2 +20.* ada +rules saved +begin\n"));
  EXPECT_THAT(ask({"diff", "1"}).output, HasSubstr("+rules:\n+" + lost("lost")));
  EXPECT_EQ(ask({"off", "lost", "--by", "bob", "--note", "noise"}).output, "rule off lost, by bob\n");
  EXPECT_EQ(rule("lost")["off_by"], "bob");
  EXPECT_EQ(ask({"off", "lost"}).status, 1);
  EXPECT_EQ(ask({"on", "lost"}).status, 0);
  EXPECT_EQ(rule("lost")["off"], false);
  EXPECT_EQ(ask({"rollback", "1"}).status, 0);
  EXPECT_EQ(text(), "");
  EXPECT_EQ(ask({"rollback", "99"}).status, 1);
  EXPECT_THAT(tidegate({"rules", "list", "--config", gateway.directory() / "tidegate.yaml"}).output,
              Not(HasSubstr("lost")));
}

TEST_F(Desk, CommandsThatReadTheConfigurationReadTheseRulesToo) {
  const std::string config = gateway.directory().write("look.yaml", "storage: {path: data}\n" + std::string(kPlant));
  ASSERT_EQ(save("rules:\n" + lost("lost")).status, 200);
  EXPECT_THAT(tidegate({"rules", "list", "--config", config}).output, HasSubstr("lost"));
  EXPECT_THAT(tidegate({"check", config}).output, HasSubstr("1 source, 2 rules"));
  ASSERT_EQ(turn("lost", true).status, 200);
  EXPECT_THAT(tidegate({"rules", "list", "--config", config}).output, Not(HasSubstr("lost")));
  std::ofstream(file()) << "rules:\n  - {nam: x}\n";
  const auto checked = tidegate({"check", config});
  EXPECT_EQ(checked.status, 78);
  EXPECT_THAT(checked.output, HasSubstr((gateway.data() / "rules.yaml").string() + ":2:6: unknown key 'nam'"));
  gateway.process().signal(SIGHUP);
  EXPECT_TRUE(gateway.process().wait_for_output("rules.yaml:2:6: unknown key 'nam'"));
  EXPECT_FALSE(rule("lost").is_null()) << "a reload that is refused changes nothing";
}

TEST_F(Desk, KillsLeaveTheOldTextOrTheNewOneWhole) {
  std::mt19937 random(11);
  std::string before = text();
  int old_ones = 0, new_ones = 0;
  for (int i = 0; i < test::kills(25); ++i) {
    std::string next = "rules:\n";
    for (int j = 0; j < 60; ++j) next += lost("r" + std::to_string(i) + "-" + std::to_string(j));
    const std::string seen = etag();
    std::jthread editor([&] {
      try {
        post("/api/v1/rules/text", {{"text", next}}, "ada", seen);
      } catch (const std::exception&) {
        // killed under it
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    gateway.kill();
    editor.join();
    gateway.start();
    const std::string now = text();
    ASSERT_TRUE(now == before || now == next) << now;
    (now == before ? old_ones : new_ones) += 1;
    EXPECT_EQ(get_json(gateway, "/api/v1/rules")["rules"].size(), now.empty() ? 1u : 61u);
    const std::string newest = std::to_string(history()[0]["version"].get<int>());
    EXPECT_EQ(get_json(gateway, "/api/v1/rules/text?version=" + newest)["text"], now) << "the history tells what runs";
    before = now;
  }
  ::testing::Test::RecordProperty("old", old_ones);
  ::testing::Test::RecordProperty("new", new_ones);
}

TEST_F(Desk, ABackupHasTheRulesAndARestoreBringsThemToWork) {
  ASSERT_EQ(save("rules:\n" + lost("kept") + lost("quiet")).status, 200);
  ASSERT_EQ(turn("quiet", true).status, 200);
  const fs::path backup = gateway.directory() / "backup";
  ASSERT_EQ(tidegate({"backup", backup, "--data", gateway.data()}).status, 0);
  ASSERT_EQ(save("rules:\n" + lost("later")).status, 200);
  ASSERT_EQ(turn("later", true).status, 200);
  const auto restored = tidegate({"restore", backup, "--force", "--data", gateway.data()});
  ASSERT_EQ(restored.status, 0) << restored.output;
  ASSERT_TRUE(eventually([&] { return gateway.get("/healthz") == "ok\n" && !rule("kept").is_null(); }));
  EXPECT_TRUE(rule("later").is_null());
  EXPECT_EQ(rule("quiet")["off"], true);
  EXPECT_EQ(text(), "rules:\n" + lost("kept") + lost("quiet"));
  gateway.kill();
  fs::remove_all(gateway.data());
  ASSERT_EQ(tidegate({"restore", backup, "--data", gateway.data()}).status, 0);
  gateway.start();
  EXPECT_TRUE(eventually([&] { return rule("kept")["instances"] == 1; }));
}

TEST(DeadLetters, AreReadOnceMoreWhenTheSourceWasMended) {
  test::Broker field;
  const std::string before = plant_configuration(field.url(), "");
  GatewayProcess gateway(kProgram, before);
  gateway.start();
  ASSERT_TRUE(eventually([&] { return source_is(gateway, "up"); }));
  test::Publisher publisher(field.port());
  publisher.publish("plant/boiler/temperature", R"({"value": 21.5})", 1);
  publisher.publish("plant/boiler/temperature", std::string(5000, 'x'), 1);
  publisher.flush();
  json letters;
  ASSERT_TRUE(eventually([&] {
    letters = get_json(gateway, "/api/v1/dead-letters")["dead_letters"];
    return letters.size() == 2 && letters[0]["id"] != 0 && letters[1]["id"] != 0;
  })) << letters;
  const bool first_is_json = letters[0]["payload"] == R"({"value": 21.5})";
  const json& letter = letters[first_is_json ? 0 : 1];
  const auto resubmit = [&](const json& id) {
    return gateway.http().post("/api/v1/dead-letters/resubmit", json{{"id", id}}.dump());
  };
  EXPECT_THAT(resubmit(letter["id"]).body, HasSubstr("it still cannot be used: "));
  EXPECT_EQ(resubmit(letter["id"]).status, 409);
  EXPECT_THAT(resubmit(letters[first_is_json ? 1 : 0]["id"]).body, HasSubstr("the first 4096 bytes are kept"));
  EXPECT_EQ(resubmit(99'999).status, 404);
  EXPECT_EQ(get_json(gateway, "/api/v1/dead-letters")["dead_letters"].size(), 2u) << "a try is no further letter";
  std::string mended = before;
  const std::string number = "payload: {format: number, unit: °C}";
  mended.replace(mended.find(number), number.size(), "payload: {format: json, fields: {value: /value}}");
  gateway.reload(mended);
  ASSERT_TRUE(gateway.process().wait_for_output("the configuration was reloaded")) << gateway.process().output();
  const auto done = resubmit(letter["id"]);
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_THAT(done.body, HasSubstr("1 sample"));
  EXPECT_THAT(resubmit(letter["id"]).body, HasSubstr("has had it read already")) << "once";
  EXPECT_TRUE(eventually([&] {
    const json series = get_json(gateway, "/api/v1/series")["series"];
    return std::any_of(series.begin(), series.end(), [&](const json& one) {
      return one["last"].is_array() && one["last"][1] == 21.5 && one["last"][0] == letter["time"];
    });
  })) << get_json(gateway, "/api/v1/series");
}

TEST(DeskSecrets, NoAnswerHasOne) {
  const std::string canary = "canary-93c1";
  GatewayProcess gateway(kProgram,
                         "sources: [{name: me, type: self}]\n"
                         "uplinks:\n"
                         "  - {name: one, type: mqtt, broker: \"mqtt://127.0.0.1:1\", user: u, password: " +
                             canary +
                             "}\n"
                             "  - {name: two, type: mqtt, broker: \"mqtt://127.0.0.1:1\", user: u, password: "
                             "!secret broker}\n");
  fs::permissions(gateway.directory().write("secrets.yaml", "broker: " + canary + "\n"), fs::perms(0600));
  gateway.start();
  const auto post = [&](const std::string& path, const json& body) {
    return gateway.http().post(path, body.dump(), {{"Content-Type", "application/json"}, {"If-Match", "*"}}).body;
  };
  std::string all;
  for (const char* bad :
       {"rules:\n  - {name: a, series: a/b, absence: {for: 1s}, message: !secret broker}\n",
        "rules:\n  - {name: !secret broker, series: a/b, absence: {for: 1s}}\n",
        "rules:\n  - {name: a, series: a/b, absence: {for: !file secrets.yaml}}\n", "rules: !secret x\n"}) {
    const std::string answer = post("/api/v1/rules/text", {{"text", bad}});
    EXPECT_THAT(answer, HasSubstr("cannot stand here")) << bad;
    all += answer + post("/api/v1/rules/validate", {{"text", bad}});
  }
  all += post("/api/v1/rules/text", {{"text", "rules:\n" + lost("lost")}});
  all += post("/api/v1/rules/disable", {{"name", "lost"}});
  for (const char* path : {"/api/v1/rules", "/api/v1/rules/text", "/api/v1/rules/text?version=1",
                           "/api/v1/rules/history", "/api/v1/rules/diff?from=1", "/api/v1/state"}) {
    const auto response = gateway.http().get(path);
    EXPECT_EQ(response.status, 200) << path;
    all += response.body;
  }
  EXPECT_THAT(all, Not(HasSubstr(canary)));
  EXPECT_THAT(gateway.process().output(), Not(HasSubstr(canary)));
}

}  // namespace
}  // namespace tidegate::e2e
