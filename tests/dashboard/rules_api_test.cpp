// Rules by the HTTP interface: what is asked and answered. What a save does to a gateway is e2e's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/dashboard/rig.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using tidegate::test::HttpResponse;
using Headers = std::map<std::string, std::string>;

class RulesApi : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }
  json get_json(const std::string& path) {
    const auto response = rig.http().get(path);
    EXPECT_EQ(response.status, 200) << path << response.body;
    return json::parse(response.body);
  }
  HttpResponse post(const std::string& path, const json& body, Headers headers = {}) {
    headers.emplace("Content-Type", "application/json");
    return rig.http().post(path, body.dump(), headers);
  }
  HttpResponse save(const std::string& text, const std::string& if_match, const std::string& note = {}) {
    return post("/api/v1/rules/text", {{"text", text}, {"note", note}}, {{"If-Match", if_match}});
  }
  std::string etag() { return rig.http().get("/api/v1/rules/text").headers.at("etag"); }
  std::string detail(const HttpResponse& response) { return json::parse(response.body).at("detail"); }

  Rig rig;
};

TEST_F(RulesApi, EveryRuleIsListedWithItsPlaceAndState) {
  RuleView hot{"hot",        "threshold", "above 90 °C", "{device}/temperature", Severity::critical, "5c1f09be",
               "rules.yaml", 3,           true};
  hot.instances = 2;
  RuleView away{"away", "absence", "silent for 1m", "a/b", Severity::warning, "0a0b0c0d", "conf.d/line1.yaml", 7};
  away.off = {"ada", kStart, "the line is down"};
  RuleView later{"later", "absence", "silent for 1h", "a/b"};
  later.enabled = false;
  GatewayView view;
  view.rules = {hot, away, later};
  rig.gateway.set_view(view);
  const json rules = get_json("/api/v1/rules")["rules"];
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0],
            json::parse(R"({"name": "hot", "kind": "threshold", "condition": "above 90 °C", "severity": "critical",
      "series": "{device}/temperature", "instances": 2, "active": 0, "unfit": 0, "problems": [], "off": false, "off_by": "",
      "off_since": null, "off_note": "", "version": "5c1f09be", "enabled": true, "file": "rules.yaml", "line": 3,
      "editable": true})"));
  EXPECT_EQ(rules[1]["off"], true);
  EXPECT_EQ(rules[1]["off_by"], "ada");
  EXPECT_EQ(rules[1]["off_since"], 1700000000000000);
  EXPECT_EQ(rules[1]["off_note"], "the line is down");
  EXPECT_EQ(rules[1]["editable"], false);
  EXPECT_EQ(rules[2]["enabled"], false);
  const json state = get_json("/api/v1/state")["rules"];
  ASSERT_EQ(state.size(), 2u) << "what is disabled where it stands is nothing to the page";
  EXPECT_EQ(state[0]["off"], false);
  EXPECT_EQ(state[1]["off"], true);
}

TEST_F(RulesApi, TwoEditorsDoNotOverwriteOneAnother) {
  const std::string seen = etag();
  EXPECT_EQ(seen, "\"e1\"");
  EXPECT_EQ(get_json("/api/v1/rules/text"), (json{{"text", ""}, {"etag", "e1"}}));
  const auto first = save("rules: []\n", seen, "begin");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.headers.at("etag"), "\"e2\"");
  const auto second = save("rules: [other]\n", seen);
  EXPECT_EQ(second.status, 412);
  EXPECT_THAT(detail(second), HasSubstr("by rig"));
  EXPECT_EQ(get_json("/api/v1/rules/text")["text"], "rules: []\n");
  EXPECT_EQ(save("rules: [other]\n", etag()).status, 200);
  EXPECT_EQ(save("rules: [mine]\n", "*").status, 200);
}

TEST_F(RulesApi, ASaveSaysWhatItReplaces) {
  const auto blind = post("/api/v1/rules/text", {{"text", ""}});
  EXPECT_EQ(blind.status, 428);
  EXPECT_THAT(detail(blind), HasSubstr("If-Match"));
  EXPECT_THAT(blind.body, HasSubstr("Precondition Required"));
  EXPECT_EQ(save("x", "e1").status, 400) << "without its quotes";
  EXPECT_EQ(save("x", "W/\"e1\"").status, 412) << "a weak one is no promise";
  EXPECT_EQ(save("x", "\"e0\", \"e1\"").status, 200);
  EXPECT_EQ(post("/api/v1/rules/text", {{"note", ""}}, {{"If-Match", "*"}}).status, 400)
      << "no text is not an empty one";
  EXPECT_EQ(post("/api/v1/rules/text", {{"txt", ""}}, {{"If-Match", "*"}}).status, 400);
}

TEST_F(RulesApi, AMistakeIsToldToBeReadAndToBeMarked) {
  const auto refused = save("rules:\n- wrong\n", etag());
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(json::parse(refused.body), json::parse(R"({"title": "Bad Request", "status": 400,
      "detail": "rules.yaml:2:3: unknown key 'wrong'",
      "problems": [{"file": "rules.yaml", "line": 2, "column": 3, "text": "unknown key 'wrong'"}]})"));
  EXPECT_EQ(etag(), "\"e1\"");
}

TEST_F(RulesApi, ACheckSaysWhatWouldChangeAndChangesNothing) {
  const auto good = post("/api/v1/rules/validate", {{"text", "rules: []"}});
  EXPECT_EQ(json::parse(good.body), json::parse(R"({"problems": [], "added": ["new"], "removed": ["old"],
      "changed": ["edited"], "alerts_ended": ["old:boiler1"]})"));
  const auto wrong = post("/api/v1/rules/validate", {{"text", "wrong"}});
  EXPECT_EQ(wrong.status, 200) << "the check was done";
  EXPECT_EQ(json::parse(wrong.body)["problems"][0]["line"], 2);
  EXPECT_EQ(etag(), "\"e1\"");
}

TEST_F(RulesApi, HistoryIsGivenInPages) {
  for (const char* text : {"a\n", "b\n", "c\n"}) save(text, etag(), std::string("to ") + text[0]);
  const json first = get_json("/api/v1/rules/history?limit=3");
  ASSERT_EQ(first["versions"].size(), 3u);
  EXPECT_EQ(first["versions"][0], json::parse(R"({"version": 4, "time": 1700000000000000, "who": "rig",
      "why": "rules saved", "note": "to c"})"));
  EXPECT_EQ(first["next"], "2");
  const json rest = get_json("/api/v1/rules/history?limit=3&before=2");
  ASSERT_EQ(rest["versions"].size(), 1u);
  EXPECT_EQ(rest["versions"][0]["version"], 1);
  EXPECT_EQ(rest["next"], nullptr);
  EXPECT_EQ(rig.http().get("/api/v1/rules/history?before=x").status, 400);
}

TEST_F(RulesApi, ADifferenceIsTextAndLines) {
  save("a\nb\n", etag());
  save("a\nc\n", etag());
  const json diff = get_json("/api/v1/rules/diff?from=2");
  EXPECT_EQ(diff["text"], "--- rules.yaml 2\n+++ rules.yaml\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
  EXPECT_EQ(diff["lines"], json::parse(R"([{"kind": "both", "from": 1, "to": 1, "text": "a"},
      {"kind": "removed", "from": 2, "to": null, "text": "b"}, {"kind": "added", "from": null, "to": 2, "text": "c"}])"));
  EXPECT_EQ(get_json("/api/v1/rules/diff?from=3&to=2")["lines"][1]["text"], "c");
  EXPECT_EQ(get_json("/api/v1/rules/diff?from=3&to=3")["text"], "");
  EXPECT_EQ(rig.http().get("/api/v1/rules/diff?from=9").status, 404);
  EXPECT_EQ(rig.http().get("/api/v1/rules/diff").status, 400);
}

TEST_F(RulesApi, ARollbackIsASaveOfAnOldText) {
  save("a\n", etag());
  save("b\n", etag());
  const std::string seen = etag();
  EXPECT_EQ(post("/api/v1/rules/rollback", {{"version", 2}}).status, 428);
  EXPECT_EQ(post("/api/v1/rules/rollback", {{"version", 2}}, {{"If-Match", "\"e1\""}}).status, 412);
  EXPECT_EQ(post("/api/v1/rules/rollback", {{"version", 9}}, {{"If-Match", seen}}).status, 404);
  EXPECT_EQ(post("/api/v1/rules/rollback", {{"version", 2}, {"note", "b was worse"}}, {{"If-Match", seen}}).status,
            200);
  EXPECT_EQ(get_json("/api/v1/rules/text")["text"], "a\n");
  const json newest = get_json("/api/v1/rules/history")["versions"][0];
  EXPECT_EQ(newest["why"], "rules of 2");
  EXPECT_EQ(newest["note"], "b was worse");
  EXPECT_EQ(get_json("/api/v1/rules/text?version=3")["text"], "b\n");
}

TEST_F(RulesApi, ARuleIsTurnedOffAndOnByName) {
  EXPECT_EQ(post("/api/v1/rules/disable", {{"name", "hot"}, {"note", "repairs"}}).status, 200);
  EXPECT_EQ(post("/api/v1/rules/disable", {{"name", "hot"}}).status, 409);
  EXPECT_EQ(post("/api/v1/rules/disable", {{"name", "no"}}).status, 404);
  EXPECT_EQ(post("/api/v1/rules/disable", {{"note", "x"}}).status, 400);
  EXPECT_EQ(post("/api/v1/rules/enable", {{"name", "hot"}}).status, 200);
  const auto switches = rig.gateway.rules().switches();
  ASSERT_EQ(switches.size(), 2u);
  EXPECT_EQ(switches[0].who, "rig");
  EXPECT_EQ(switches[0].note, "repairs");
  EXPECT_FALSE(switches[1].off);
}

}  // namespace
}  // namespace tidegate::dashboard::test
