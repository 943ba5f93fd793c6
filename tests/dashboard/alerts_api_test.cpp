#include "tests/dashboard/http_fixture.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

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

}  // namespace
}  // namespace tidegate::dashboard::test
