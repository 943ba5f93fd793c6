#include "gateway/journal/sqlite.h"
#include "gateway/state/state.h"
#include "tests/dashboard/http_fixture.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST_F(Http, SeriesHaveTheirNewestValue) {
  const auto boiler =
      rig.series("boiler1/temperature", {.unit = "°C", .source = "plant", .labels = {{"area", "east"}}});
  rig.commit({reading(boiler, 20.5)});
  EXPECT_EQ(get_json("/api/v1/series"), json::parse(R"({"series": [{"name": "boiler1/temperature", "kind": "number",
      "unit": "°C", "source": "plant", "labels": {"area": "east"}, "stale_after": 3000000,
      "last": [1700000000000000, 20.5, "good", ""]}]})"));
}

TEST_F(Http, CountsAreOfSeriesThatSpoke) {
  EXPECT_EQ(get("/api/v1/series/counts").body, R"({"time":1700000000000000,"counts":{}})");
  rig.series("boiler1/temperature");
  rig.series("silent");
  rig.series("pump/\"speed\"");
  rig.gateway.set_counts({7, 0, 12345678901});
  EXPECT_EQ(get_json("/api/v1/series/counts")["counts"],
            json::parse(R"({"boiler1/temperature": 7, "pump/\"speed\"": 12345678901})"));
  rig.gateway.set_counts({7});
  EXPECT_EQ(get_json("/api/v1/series/counts")["counts"].size(), 1u);
}

TEST_F(Http, HistoryIsTheJournalsEnvelope) {
  const auto a = rig.series("a/b"), c = rig.series("c/d/e");
  std::vector<Sample> samples;
  for (int i = 0; i < 10; ++i) samples.push_back(reading(a, i, std::chrono::seconds(i)));
  samples.push_back({.series = c, .quality = Quality::bad, .reason = Reason::no_answer, .time = kStart});
  rig.commit(samples);
  const std::string range = "&from=1700000000000000&to=1700000010000000";
  EXPECT_EQ(get_json("/api/v1/history?series=a/b&series=c%2Fd%2Fe&points=1" + range),
            json::parse(R"({"from": 1700000000000000, "to": 1700000010000000, "series": [
              {"name": "a/b", "points": [[1700000009000000, 0, 9, 4.5, 9, 10, 0]]},
              {"name": "c/d/e", "points": [[1700000000000000, null, null, null, null, 0, 1]]}]})"));
  EXPECT_EQ(get_json("/api/v1/history?series=a/b&points=10" + range)["series"][0]["points"].size(), 10u);
  EXPECT_TRUE(get_json("/api/v1/history?series=a/b&to=1000000")["series"][0]["points"].empty());
}

TEST_F(Http, HistoryThatCannotBeGivenIsAProblemThatSaysWhy) {
  const auto missing = get("/api/v1/history?series=no/such");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(json::parse(missing.body), json::parse(R"({"title": "Not Found", "status": 404,
      "detail": "there is no series 'no/such'; /api/v1/series lists them"})"));
  EXPECT_EQ(get("/api/v1/history").status, 400);
  EXPECT_EQ(get("/api/v1/history?series=a&points=-1").status, 400);
  EXPECT_EQ(get("/api/v1/history?series=%3Cimg%20onerror%3E%0D%0A%00").status, 404);
}

TEST_F(Http, HistoryIsToBeHadAsCsv) {
  const auto a = rig.series("a/b"), formula = rig.series("=SUM(1),\"x\"");
  rig.commit({reading(a, 1),
              reading(a, 4, std::chrono::seconds(1)),
              reading(formula, -5),
              {.series = formula, .quality = Quality::bad, .reason = Reason::no_answer, .time = kStart + Micros{1}}});
  const std::string query =
      "/api/v1/history?series=a/b&series=%3DSUM(1)%2C%22x%22&points=1&to=1700000010000000&from=1700000000000000";
  const auto csv = get(query + "&format=csv");
  EXPECT_EQ(csv.status, 200);
  EXPECT_THAT(csv.headers.at("content-type"), testing::StartsWith("text/csv"));
  EXPECT_THAT(csv.headers.at("content-disposition"), testing::StartsWith("attachment"));
  EXPECT_EQ(csv.body,
            "series,time,min,max,avg,last,count,bad\r\n"
            "a/b,2023-11-14T22:13:21Z,1,4,2.5,4,2,0\r\n"
            "\"'=SUM(1),\"\"x\"\"\",2023-11-14T22:13:20Z,-5,-5,-5,-5,1,1\r\n");
  EXPECT_EQ(rig.http().get(query, {{"Accept", "text/csv"}}).body, csv.body);
  EXPECT_TRUE(json::accept(rig.http().get(query + "&format=json", {{"Accept", "text/csv"}}).body));
  EXPECT_EQ(get(query + "&format=xls").status, 400);
}

TEST_F(Http, StateIsAsDocumented) {
  GatewayView view;
  view.rules.push_back({.name = "hot",
                        .kind = "threshold",
                        .condition = "above 90 °C",
                        .series = "{d}/t",
                        .severity = Severity::high,
                        .instances = 3,
                        .active = 1,
                        .unfit = 2,
                        .problems = {"a/t: it is a series of states, which have no size; use equals"}});
  view.store.rate = std::numeric_limits<double>::quiet_NaN();
  rig.gateway.set_view(view);
  const auto state = get_json("/api/v1/state");
  EXPECT_EQ(state["rules"][0], json::parse(R"({"name": "hot", "kind": "threshold", "condition": "above 90 °C",
      "severity": "high", "series": "{d}/t", "instances": 3, "active": 1,
      "unfit": 2, "problems": ["a/t: it is a series of states, which have no size; use equals"], "off": false})"));
  EXPECT_EQ(state["gateway"]["time"], 1'700'000'000'000'000);
  EXPECT_EQ(state["store"]["rate"], nullptr);
  EXPECT_EQ(state["store"]["last_seq"], 0);
}

TEST_F(Http, DeadLettersAreThereAtOnceAndShowBytesThatAreNoText) {
  rig.journal->dead_letter({kStart, "field", "a/b", "\xff\x01<img onerror>", "no number"});
  const auto letters = get_json("/api/v1/dead-letters")["dead_letters"];
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0]["payload"], "\xEF\xBF\xBD\x01<img onerror>");
  EXPECT_EQ(letters[0]["topic"], "a/b");
  EXPECT_EQ(letters[0]["times"], 1);
}

/// All items of a list, page by page; `name` is of the member that holds them.
std::vector<json> in_pages(const HttpClient& http, const std::string& path, const std::string& name) {
  std::vector<json> all;
  for (json next = ""; !next.is_null();) {
    const std::string before = next == "" ? "" : "&before=" + next.get<std::string>();
    const json page = json::parse(http.get(path + before).body);
    for (const json& one : page.at(name)) all.push_back(one);
    next = page.at("next");
  }
  return all;
}

TEST_F(Http, ListsAreGivenInPagesThatLeaveNothingOut) {
  Batch batch;  // more events in one batch than a page takes
  for (int i = 0; i < 7; ++i) {
    AlertRecord alert = hot_boiler(Phase::active);
    alert.id = "hot:" + std::to_string(i);
    batch.events.push_back({kStart, AlertTransition{alert, Phase::pending, "raised"}});
    batch.alerts.push_back(alert);
  }
  rig.commit(std::move(batch));
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  for (int i = 0; i < 5; ++i) rig.journal->dead_letter({kStart, "field", "a/" + std::to_string(i), "x", "no number"});
  ASSERT_TRUE(rig.journal->maintain());
  rig.journal->dead_letter({kStart, "field", "a/new", "x", "no number"});
  for (const char* limit : {"1", "2", "3", "100"}) {
    const std::string with = std::string("?limit=") + limit;
    std::vector<std::string> ids;
    for (const json& one : in_pages(rig.http(), "/api/v1/alerts/log" + with, "log")) ids.push_back(one["alert"]["id"]);
    EXPECT_EQ(ids,
              (std::vector<std::string>{"hot:boiler1", "hot:6", "hot:5", "hot:4", "hot:3", "hot:2", "hot:1", "hot:0"}))
        << limit;
    std::vector<std::string> topics;
    for (const json& one : in_pages(rig.http(), "/api/v1/dead-letters" + with, "dead_letters"))
      topics.push_back(one["topic"]);
    EXPECT_EQ(topics.size(), 6u) << limit;
    EXPECT_EQ(topics.front(), "a/new");
    EXPECT_EQ(in_pages(rig.http(), "/api/v1/audit" + with, "audit").size(), 1u) << "the rig's token";
  }
  EXPECT_EQ(get("/api/v1/alerts/log?before=x").status, 400);
  EXPECT_EQ(get("/api/v1/alerts/log?before=1.-1").status, 400);
}

TEST_F(Http, TheAuditTellsWhereItWasTamperedWith) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(rig.state->record({"ada", "acknowledge", "hot:" + std::to_string(i), "seen"}));
  const json audit = get_json("/api/v1/audit?limit=2");
  EXPECT_EQ(audit["audit"][0], json::parse(R"({"id": 6, "time": 1700000000000000, "who": "ada", "what": "acknowledge",
      "about": "hot:4", "detail": "seen", "sealed": true})"));
  EXPECT_EQ(audit["next"], "5");
  auto file = journal::sql::Connection::open(rig.directory / "state.db", journal::sql::Connection::Access::write);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->run("UPDATE deed SET who = 'eve' WHERE id = 3"));
  ASSERT_TRUE(file->run("DELETE FROM deed WHERE id = 5"));
  for (const char* limit : {"1", "2", "100"}) {
    std::map<int, bool> sealed;
    for (const json& one : in_pages(rig.http(), std::string("/api/v1/audit?limit=") + limit, "audit"))
      sealed[one["id"]] = one["sealed"];
    EXPECT_EQ(sealed, (std::map<int, bool>{{1, true}, {2, true}, {3, false}, {4, true}, {6, false}})) << limit;
  }
}

TEST_F(Http, ADeadLetterIsHandedBackByItsId) {
  const auto post = [&](const std::string& body) { return rig.http().post("/api/v1/dead-letters/resubmit", body); };
  EXPECT_EQ(post(R"({"id": 7})").body, R"({"text":"read once more for rig"})");
  EXPECT_EQ(post(R"({"id": 8})").status, 404);
  EXPECT_EQ(post(R"({"id": "7"})").status, 400);
}

TEST_F(Http, PointsThatMayBeSetAreListedAndSetByName) {
  const json points = get_json("/api/v1/points")["points"];
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0], (json{{"series", "boiler1/setpoint"},
                             {"source", "plc1"},
                             {"kind", "number"},
                             {"unit", "°C"},
                             {"interlock", ""},
                             {"min", 5},
                             {"max", 30}}));
  EXPECT_EQ(points[1]["states"], (json{"off", "running"}));
  const auto post = [&](const std::string& body) { return rig.http().post("/api/v1/points/write", body); };
  EXPECT_EQ(post(R"({"series": "boiler1/setpoint", "value": "21.5", "why": "cold"})").body, R"({"text":"set"})");
  const auto writes = rig.gateway.points().writes();
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0].value, "21.5");
  EXPECT_EQ(writes[0].why, "cold");
  EXPECT_EQ(writes[0].who, "rig");
  EXPECT_EQ(post(R"({"series": "boiler1/setpoint", "value": ""})").status, 400);
  EXPECT_EQ(post(R"({"series": "boiler1/setpoint", "value": 21.5})").status, 400);
  EXPECT_EQ(post(R"({"series": "pump1/mode", "value": "running"})").status, 409);
  EXPECT_EQ(post(R"({"series": "nothing", "value": "1"})").status, 404);
}

TEST_F(Http, SourcesAndUplinksAreAsInState) {
  GatewayView view;
  view.sources.push_back({.name = "plant", .type = "mqtt", .health = SourceHealth::up, .since = kStart});
  view.uplinks.push_back({.name = "cloud", .type = "mqtt"});
  rig.gateway.set_view(view);
  const json state = get_json("/api/v1/state");
  EXPECT_EQ(get_json("/api/v1/sources")["sources"], state["sources"]);
  EXPECT_EQ(get_json("/api/v1/uplinks")["uplinks"], state["uplinks"]);
  EXPECT_EQ(state["sources"].size() + state["uplinks"].size(), 2u);
}

TEST_F(Http, ASourceIsToldWithHowItKeepsItsTurns) {
  GatewayView view;
  view.sources.push_back({.name = "field", .type = "mqtt"});
  view.sources.push_back({.name = "line", .type = "modbus", .turns = Turns{0.0027801, 1.25, 7}});
  rig.gateway.set_view(view);
  const json sources = get_json("/api/v1/sources")["sources"];
  EXPECT_EQ(sources[0]["turns"], nullptr);
  EXPECT_EQ(sources[1]["turns"], (json{{"lateness_ms", 2.8}, {"time_ms", 1250.0}, {"missed", 7}}));
}

TEST_F(Http, HealthTurnsWhenThePumpStandsStill) {
  EXPECT_EQ(get("/healthz").body, "ok\n");
  rig.gateway.pump_age_ = std::chrono::seconds(11);
  const auto response = get("/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("The pump has not moved for"));
}

TEST_F(Http, HealthTurnsWhenNothingIsStored) {
  GatewayView view;
  view.store.health = SourceHealth::degraded;
  rig.gateway.set_view(view);
  EXPECT_EQ(get("/healthz").status, 200);
  view.store.health = SourceHealth::down;
  view.store.text = "a batch of 3 samples is not stored: the disk is full";
  rig.gateway.set_view(view);
  const auto response = get("/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "The store is down: a batch of 3 samples is not stored: the disk is full\n");
}

TEST_F(Http, ReadinessTurnsWhenNoMoreSamplesAreToCome) {
  const HttpClient stranger(rig.port());
  const auto why = [&](auto change) {
    GatewayView view;
    view.store.queue_capacity = 100;
    change(view.store);
    rig.gateway.set_view(std::move(view));
    const auto answer = stranger.get("/readyz");
    EXPECT_EQ(answer.status, answer.body == "ready\n" ? 200 : 503);
    return answer.body;
  };
  EXPECT_EQ(why([](StoreView&) {}), "ready\n");
  EXPECT_THAT(why([](StoreView& store) { store.queue_depth = 51; }), HasSubstr("51 samples wait for the disk"));
  EXPECT_THAT(why([](StoreView& store) { store.takes_samples = false; }), HasSubstr("takes no samples"));
  EXPECT_THAT(why([](StoreView& store) { store.health = SourceHealth::down; }), HasSubstr("The store is down"));
  EXPECT_EQ(why([](StoreView& store) { store.health = SourceHealth::degraded; }), "ready\n");
  rig.gateway.pump_age_ = std::chrono::seconds(11);
  EXPECT_THAT(why([](StoreView&) {}), HasSubstr("The pump has not moved"));
}

TEST_F(Http, MetricsAreNotServedWithoutTheirAlerts) {
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  EXPECT_THAT(get("/metrics").body, HasSubstr("tidegate_alerts{severity=\"critical\",phase=\"active\"} 1\n"));
  rig.edit("ALTER TABLE alert RENAME TO away");
  EXPECT_EQ(get("/metrics").status, 500);
}

TEST_F(Http, MetricsAreServedAsPrometheusText) {
  const auto response = get("/metrics");
  EXPECT_EQ(response.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("tidegate_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("# TYPE tidegate_http_requests_total counter\n"));
  const auto file = rig.directory.write("metrics", response.body);
  const auto checked = tidegate::test::run({"sh", "-c", "promtool check metrics < " + file.string()});
  EXPECT_EQ(checked.status, 0) << checked.output;
}

}  // namespace
}  // namespace tidegate::dashboard::test
