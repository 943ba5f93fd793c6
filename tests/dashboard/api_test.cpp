#include "dashboard/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dashboard/assets.h"
#include "gateway/journal/sqlite.h"
#include "gateway/state/state.h"
#include "tests/dashboard/rig.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Http : public testing::Test {
 protected:
  void SetUp() override { rig.serve(); }
  tidegate::test::HttpResponse get(const std::string& path) { return rig.http().get(path); }
  json get_json(const std::string& path) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 200) << path << response.body;
    EXPECT_EQ(response.headers.at("content-type"), "application/json") << path;
    return json::parse(response.body);
  }
  Rig rig;
};

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

TEST_F(Http, AlertsAndTheirLog) {
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  auto acknowledged = hot_boiler(Phase::active);
  acknowledged.acknowledged = true;
  rig.commit(transition(acknowledged, Phase::active, "acknowledged"));
  Batch source;
  source.events.push_back({kStart, SourceChange{"field", SourceHealth::up, ""}});
  rig.commit(std::move(source));
  const auto alerts = get_json("/api/v1/alerts")["alerts"];
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0]["acknowledged"], true);
  const auto log = get_json("/api/v1/alerts/log")["log"];
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0]["cause"], "acknowledged");
  EXPECT_EQ(log[0]["seq"], 2);
  EXPECT_EQ(log[1]["from"], "pending");
  EXPECT_EQ(get_json("/api/v1/alerts/log?limit=1")["log"].size(), 1u);
  EXPECT_EQ(get("/api/v1/alerts/log?limit=0").status, 400);
}

TEST_F(Http, AFloodStandsInTheStateAndInTheLog) {
  EXPECT_EQ(get_json("/api/v1/state")["flood"], nullptr);
  const Flood flood{true, kStart, "hot:boiler1", 10};
  Batch batch = transition(hot_boiler(Phase::active), Phase::pending, "raised");
  batch.events.push_back({kStart + std::chrono::seconds(9), flood});
  rig.commit(std::move(batch));
  GatewayView view = rig.gateway.view();
  view.flood = flood;
  view.flood->count = 12;
  rig.gateway.set_view(std::move(view));
  const json since = kStart.time_since_epoch().count();
  EXPECT_EQ(get_json("/api/v1/state")["flood"], json({{"since", since}, {"first", "hot:boiler1"}, {"count", 12}}));
  const auto answer = get_json("/api/v1/alerts/log");
  EXPECT_EQ(answer["log"].size(), 1u);
  ASSERT_EQ(answer["floods"].size(), 1u);
  EXPECT_EQ(answer["floods"][0], json({{"seq", 1},
                                       {"time", since.get<std::int64_t>() + 9'000'000},
                                       {"on", true},
                                       {"since", since},
                                       {"first", "hot:boiler1"},
                                       {"count", 10}}));
}

TEST_F(Http, AnAcknowledgementIsAnsweredWithTheAlert) {
  auto alert = hot_boiler(Phase::active);
  alert.acknowledged = true;
  rig.gateway.set_answer("hot:boiler1", alert);
  const auto response = rig.http().post("/api/v1/alerts/ack", R"({"id": "hot:boiler1", "note": "on my way"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body)["alert"]["acknowledged"], true);
  const auto wishes = rig.gateway.wishes();
  EXPECT_THAT(wishes, testing::ElementsAre(Wish(Acknowledge{"hot:boiler1", "rig", "on my way"})));
}

TEST_F(Http, AnAcknowledgementCarriesTheNameOfTheLogIn) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  EXPECT_EQ(rig.http().post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})").status, 200);
  EXPECT_EQ(std::get<Acknowledge>(rig.gateway.wishes().at(0)).who, "rig");
}

TEST_F(Http, AnAcknowledgementThatFailsSaysHow) {
  rig.gateway.set_answer("quiet:b", fail(Errc::conflict, "nothing to acknowledge"));
  rig.gateway.set_answer("stuck:b", fail(Errc::timed_out, "the disk is full"));
  const auto status = [&](const std::string& body,
                          std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}}) {
    return rig.http().post("/api/v1/alerts/ack", body, std::move(headers)).status;
  };
  const std::string good = R"({"id": "quiet:b"})";
  EXPECT_EQ(status(R"({"id": "no:such"})"), 404);
  EXPECT_EQ(status(good), 409);
  EXPECT_EQ(status(R"({"id": "stuck:b"})"), 503);
  EXPECT_EQ(status("{"), 400);
  EXPECT_EQ(status("{}"), 400);
  EXPECT_EQ(status(good, {{"Content-Type", "text/plain"}}), 415);
  EXPECT_EQ(status(good, {}), 415);
  EXPECT_EQ(status(good, {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}), 415);
  EXPECT_EQ(rig.gateway.wishes().size(), 3u);
}

TEST_F(Http, AnAlertIsShelvedAndUnshelved) {
  auto alert = hot_boiler(Phase::normal);
  alert.shelved_until = kStart + std::chrono::hours(1);
  alert.shelved_by = "Ann";
  alert.shelved_why = "valve is changed";
  rig.gateway.set_answer("hot:boiler1", alert);
  const auto shelved =
      rig.http().post("/api/v1/alerts/shelve", R"({"id": "hot:boiler1", "for": "1h", "why": "valve is changed"})");
  EXPECT_EQ(shelved.status, 200) << shelved.body;
  const auto told = json::parse(shelved.body)["alert"];
  EXPECT_EQ(told["phase"], "normal");
  EXPECT_EQ(told["silenced"], true);
  EXPECT_EQ(told["shelved_until"], 1'700'003'600'000'000);
  EXPECT_EQ(told["out_of_service"], false);
  EXPECT_EQ(told["shelved_by"], "Ann");
  EXPECT_EQ(told["shelved_why"], "valve is changed");
  EXPECT_EQ(rig.http().post("/api/v1/alerts/unshelve", R"({"id": "hot:boiler1"})").status, 200);
  EXPECT_THAT(
      rig.gateway.wishes(),
      testing::ElementsAre(Wish(Shelve{"hot:boiler1", "rig", "valve is changed", kStart + std::chrono::hours(1)}),
                           Wish(Shelve{"hot:boiler1", "rig", "", Timestamp{}})));
}

TEST_F(Http, AShelfThatCannotBeSaysHow) {
  rig.gateway.set_answer("quiet:b", fail(Errc::conflict, "it is not shelved"));
  const auto status = [&](const std::string& path, const std::string& body) {
    return rig.http().post("/api/v1/alerts/" + path, body).status;
  };
  EXPECT_EQ(status("shelve", R"({"id": "no:such", "for": "1h", "why": "x"})"), 404);
  EXPECT_EQ(status("unshelve", R"({"id": "quiet:b"})"), 409);
  EXPECT_EQ(status("shelve", R"({"id": "quiet:b", "for": "1h"})"), 400);
  EXPECT_EQ(status("unshelve", R"({"id": "quiet:b", "why": "x"})"), 400);
  EXPECT_EQ(rig.gateway.wishes().size(), 2u);
}

TEST_F(Http, AnAlertIsCommentedOn) {
  auto alert = hot_boiler(Phase::active);
  alert.commented_by = "rig";
  alert.comment = "the valve sticks";
  rig.gateway.set_answer("hot:boiler1", alert);
  const auto said = rig.http().post("/api/v1/alerts/comment", R"({"id": "hot:boiler1", "text": "the valve sticks"})");
  ASSERT_EQ(said.status, 200) << said.body;
  EXPECT_EQ(json::parse(said.body)["alert"]["comment"], "the valve sticks");
  EXPECT_EQ(json::parse(said.body)["alert"]["commented_by"], "rig");
  EXPECT_THAT(rig.gateway.wishes(), testing::ElementsAre(Wish(Comment{"hot:boiler1", "rig", "the valve sticks"})));
  for (const char* wrong : {R"({"id": "hot:boiler1"})", R"({"id": "hot:boiler1", "text": "  "})", R"({"text": "x"})",
                            R"({"id": "hot:boiler1", "text": "x", "who": "eve"})"}) {
    EXPECT_EQ(rig.http().post("/api/v1/alerts/comment", wrong).status, 400) << wrong;
  }
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

TEST_F(Http, AnAlertSaysWhyNobodyIsCalled) {
  auto out = hot_boiler(Phase::normal);
  out.id = "a:out";
  out.shelved_until = kOutOfService;
  auto child = hot_boiler(Phase::active);
  child.id = "b:child";
  child.suppressed_by = "hot:boiler1";
  child.chatter = 4;
  child.chatter_band = 1.5;
  auto trial = hot_boiler(Phase::active);
  trial.id = "c:trial";
  trial.shadow = true;
  Batch batch;
  batch.alerts = {out, child, trial, hot_boiler(Phase::active)};
  rig.commit(std::move(batch));
  const auto alerts = get_json("/api/v1/alerts")["alerts"];
  ASSERT_EQ(alerts.size(), 4u);
  EXPECT_EQ(alerts[0]["out_of_service"], true);
  EXPECT_EQ(alerts[0]["shelved_until"], nullptr);
  EXPECT_EQ(alerts[1]["suppressed_by"], "hot:boiler1");
  EXPECT_EQ(alerts[1]["chatter"], 4);
  EXPECT_EQ(alerts[1]["chatter_band"], 1.5);
  EXPECT_EQ(alerts[2]["shadow"], true);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(alerts[i]["silenced"], true) << i;
  EXPECT_EQ(alerts[3]["silenced"], false);
}

TEST_F(Http, APageOfAnotherSiteChangesNothing) {
  rig.gateway.set_answer("hot:boiler1", hot_boiler(Phase::active));
  const std::string host = "127.0.0.1:" + std::to_string(rig.port());
  const auto status = [&](const std::map<std::string, std::string>& extra) {
    std::map<std::string, std::string> headers = {{"Content-Type", "application/json"}};
    headers.insert(extra.begin(), extra.end());
    return rig.http().post("/api/v1/alerts/ack", R"({"id": "hot:boiler1"})", headers).status;
  };
  EXPECT_EQ(status({{"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(status({{"Origin", "null"}}), 403);
  EXPECT_EQ(status({{"Origin", "http://127.0.0.1:1"}}), 403);
  EXPECT_EQ(status({{"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_TRUE(rig.gateway.wishes().empty());
  EXPECT_EQ(status({{"Origin", "http://" + host}, {"Sec-Fetch-Site", "same-origin"}}), 200);
}

TEST_F(Http, AHostThatIsNotOursIsMisdirectedOnEveryRoute) {
  std::vector<std::string> paths = {"/", "/api/v1/stream", "/no/such"};
  for (const auto& route : routes()) paths.emplace_back(route.path);
  for (const auto& path : paths) {
    EXPECT_EQ(rig.http().get(path, {{"Host", "evil.example"}}).status, 421) << path;
  }
  EXPECT_EQ(rig.http().get("/healthz", {{"Host", "tidegate.local:80"}}).status, 200);
}

TEST_F(Http, TwoHostsOrNoneAreABadRequest) {
  for (const std::string& hosts : {std::string(), std::string("Host: 127.0.0.1\r\nHost: evil.example\r\n")}) {
    RawConnection connection(rig.port());
    connection.send("GET /healthz HTTP/1.1\r\n" + hosts + "Connection: close\r\n\r\n");
    EXPECT_EQ(tidegate::test::parse_response(connection.receive_all()).status, 400);
  }
}

TEST_F(Http, EveryAnswerCarriesTheSecurityHeadersAndNoCors) {
  for (const std::string path : {"/", "/healthz", "/api/v1/state", "/no/such"}) {
    const auto response = rig.http().get(path, {{"Origin", "http://evil.example"}});
    EXPECT_THAT(response.headers.at("content-security-policy"), HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_EQ(response.headers.at("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(response.headers.at("referrer-policy"), "same-origin") << path;
    EXPECT_EQ(response.headers.count("access-control-allow-origin"), 0u) << path;
  }
  EXPECT_EQ(get("/api/v1/state").headers.at("cache-control"), "no-store");
}

TEST_F(Http, AnotherMethodIsToldWhichOnesThereAre) {
  const auto response = rig.http().request("DELETE", "/api/v1/series");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(rig.http().request("OPTIONS", "/api/v1/alerts/ack").status, 405);
  EXPECT_EQ(rig.http().get("/api/v1/alerts/ack").headers.at("allow"), "POST");
}

TEST_F(Http, WhatCannotBeParsedIsRefusedAndTheConnectionClosed) {
  const auto response = rig.http().request("BREW", "/");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.headers.at("connection"), "close");
  EXPECT_EQ(response.headers.at("content-type"), "application/problem+json");
}

TEST_F(Http, AParameterThatIsNotKnownIsRefusedWithTheNearest) {
  const auto refused = [this](const std::string& path) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 400) << path;
    EXPECT_EQ(response.headers.at("content-type"), "application/problem+json") << path;
    return json::parse(response.body).value("detail", "");
  };
  EXPECT_EQ(refused("/api/v1/history?series=a/b&pionts=5"), "unknown parameter 'pionts' (did you mean 'points'?)");
  EXPECT_EQ(refused("/api/v1/history?series=a/b&until=5"),
            "unknown parameter 'until'; known are series, from, to, points, format");
  EXPECT_EQ(refused("/api/v1/alerts/log?limits=5"), "unknown parameter 'limits' (did you mean 'limit'?)");
  EXPECT_EQ(refused("/api/v1/dead-letters?limt=5"), "unknown parameter 'limt' (did you mean 'limit'?)");
  EXPECT_EQ(refused("/api/v1/series?%0A=1"), "unknown parameter '\\x0a'; there is none here");
  EXPECT_EQ(refused("/api/v1/stream?lastEventId=e:1"),
            "unknown parameter 'lastEventId' (did you mean 'last_event_id'?)");
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

TEST_F(Http, SnapshotsAreListedAndShowTheirSamples) {
  const SeriesId a = *rig.journal->catalogue().intern("pump/pressure", journal::info("bar"));
  const SeriesId b = *rig.journal->catalogue().intern("pump/valve", journal::info("", SeriesKind::state));
  ASSERT_TRUE(rig.journal->catalogue().label(b, "open"));
  const std::vector<Sample> samples = {{a, Quality::good, Reason::none, kStart, 1.5},
                                       {a, Quality::bad, Reason::no_answer, kStart, 0},
                                       {b, Quality::good, Reason::none, kStart, 0}};
  const auto first = rig.journal->append(journal::snapshot_of("low:pump", samples));
  const auto second = rig.journal->append(journal::snapshot_of("hot:boiler", {}));
  ASSERT_TRUE(first && second);
  const auto all = get_json("/api/v1/snapshots")["snapshots"];
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["alert"], "hot:boiler") << "the newest first";
  EXPECT_EQ(all[1], json::parse(R"({"id": 1, "alert": "low:pump", "raised": 0, "from": 0, "until": 0, "series": 1,
      "samples": 3, "left_out": 0})"));
  EXPECT_EQ(get_json("/api/v1/snapshots?alert=low:pump&limit=5")["snapshots"].size(), 1u);
  EXPECT_EQ(get_json("/api/v1/snapshots?limit=1")["snapshots"].size(), 1u);
  const auto shown = get_json("/api/v1/snapshot?id=1");
  EXPECT_EQ(shown["snapshot"], all[1]);
  EXPECT_EQ(shown["series"], json::parse(R"([
      {"name": "pump/pressure", "unit": "bar", "points": [[1700000000000000, 1.5, "good", ""],
                                                          [1700000000000000, null, "bad", "no_answer"]]},
      {"name": "pump/valve", "unit": "", "states": ["open"], "points": [[1700000000000000, 0, "good", ""]]}])"));
  EXPECT_EQ(get("/api/v1/snapshot?id=7").status, 404);
  EXPECT_EQ(get("/api/v1/snapshot").status, 400);
  EXPECT_EQ(get("/api/v1/snapshot?id=x").status, 400);
  rig.edit("DELETE FROM snapshot WHERE seq = 1");
  const auto gone = get("/api/v1/snapshot?id=1");
  EXPECT_EQ(gone.status, 404);
  EXPECT_THAT(gone.body, HasSubstr("had to make room for newer ones"));
}

TEST_F(Http, SnapshotsOfOneAlertFillAPageHoweverManyOthersThereAre) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(rig.journal->append(journal::snapshot_of("low:pump", {})));
  for (int i = 0; i < 1001; ++i) ASSERT_TRUE(rig.journal->append(journal::snapshot_of("hot:boiler", {})));
  const json first = get_json("/api/v1/snapshots?alert=low:pump&limit=2");
  ASSERT_EQ(first["snapshots"].size(), 2u);
  EXPECT_EQ(first["snapshots"][0]["id"], 3);
  const json last = get_json("/api/v1/snapshots?alert=low:pump&limit=2&before=" + first["next"].get<std::string>());
  ASSERT_EQ(last["snapshots"].size(), 1u);
  EXPECT_EQ(last["snapshots"][0]["id"], 1);
  EXPECT_EQ(last["next"], nullptr);
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

TEST(Lanes, WhatMayReadTheDiskIsSlowHoweverItIsWritten) {
  using enum Workers::Lane;
  for (const std::string_view path : {"/healthz", "/", "/api/v1/series", "/api/v1/state", "/no/such"}) {
    EXPECT_EQ(lane_of(path), quick) << path;
  }
  for (const std::string_view path : {"/api/v1/history", "/api/v1/alerts/log", "/metrics", "/api/v1/alerts",
                                      "/api/v1/alerts/ack", "/api/v1/alerts/shelve", "/api/v1/alerts/unshelve",
                                      "/api/v1/snapshots", "/api/v1/snapshot", "/api/v1/dead-letters"}) {
    EXPECT_EQ(lane_of(path), slow) << path;
  }
  for (const std::string_view path : {"/api/v1/log-in", "/api/v1/log%2Din", "/%61pi/v1/claim", "/api/v1/password"}) {
    EXPECT_EQ(lane_of(path), log_ins) << path;
  }
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

TEST_F(Http, ThePageComesCompressedOrPlainAndIsKnownByItsTag) {
  const auto plain = rig.http().get("/");
  ASSERT_EQ(plain.status, 200);
  EXPECT_THAT(plain.headers.at("content-type"), HasSubstr("text/html"));
  EXPECT_THAT(plain.body, HasSubstr("<title>"));
  EXPECT_EQ(plain.headers.count("content-encoding"), 0u);
  const auto zipped = rig.http().get("/", {{"Accept-Encoding", "gzip, deflate, br"}});
  EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(zipped.headers.at("vary"), "Accept-Encoding");
  const auto page =
      std::find_if(assets().begin(), assets().end(), [](const Asset& one) { return one.path == "/index.html"; });
  ASSERT_NE(page, assets().end());
  EXPECT_EQ(zipped.body, page->gzip);
  const auto again = rig.http().get("/", {{"If-None-Match", zipped.headers.at("etag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
}

TEST_F(Http, LargeAnswersAreCompressedForWhoAsks) {
  for (int i = 0; i < 200; ++i) rig.commit({reading(rig.series("a/s" + std::to_string(i)), i)});
  const auto plain = rig.http().get("/api/v1/series");
  const auto zipped = rig.http().get("/api/v1/series", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
  EXPECT_LT(zipped.body.size() * 4, plain.body.size());
}

TEST_F(Http, AConnectionServesManyRequestsEvenSentAtOnce) {
  RawConnection connection(rig.port());
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  connection.send(request + request + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string all = connection.receive_all();
  std::size_t answers = 0;
  for (auto at = all.find("ok\n"); at != all.npos; at = all.find("ok\n", at + 1)) ++answers;
  EXPECT_EQ(answers, 3u) << all;
}

TEST(SecondServer, OnTheSamePortIsRefusedWithASentence) {
  Rig rig;
  rig.serve();
  Options options;
  options.port = rig.port();
  const auto second = Server::start(options, *rig.journal, rig.access.get(), rig.gateway, rig.clock, rig.metrics);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().text, HasSubstr("is in use by another program"));
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
}

TEST(SecondServer, MayFollowAtOnceOnTheSamePort) {
  Rig rig;
  rig.serve();
  const int port = rig.port();
  EXPECT_EQ(rig.http().get("/healthz").status, 200);
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.stop();
  Options options;
  options.port = port;
  EXPECT_TRUE(Server::start(options, *rig.journal, rig.access.get(), rig.gateway, rig.clock, rig.metrics));
}

TEST(ServerAddress, ThatIsNoneIsRefused) {
  Rig rig;
  Options options;
  options.address = "not an address";
  EXPECT_EQ(Server::start(options, *rig.journal, rig.access.get(), rig.gateway, rig.clock, rig.metrics).error().code,
            Errc::invalid);
}

}  // namespace
}  // namespace tidegate::dashboard::test
