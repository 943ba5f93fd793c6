#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dashboard/viewers.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tidegate::test::eventually;

TEST(Stream, BeginsWithHelloAndTheWholePictureByteForByte) {
  Rig rig(quick_ticks());
  const auto boiler =
      rig.series("boiler1/temperature", {.unit = "°C", .source = "plant", .labels = {{"area", "east"}}});
  const auto pump = rig.series("pump/state", {.kind = SeriesKind::state, .unit = "", .source = "plant", .labels = {}});
  ASSERT_EQ(rig.journal->catalogue().label(pump, "idle").value(), 0);
  rig.commit({reading(boiler, 20.5), reading(pump, 0)});
  rig.serve();

  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  const auto stats = rig.journal->stats();
  ASSERT_EQ(stats.last, Seq{1});
  const std::string state =
      R"({"gateway":{"time":1700000000000000,"name":"plant-7","site":"Hall 3","version":"1.2.3","started":0,"epoch":")" +
      rig.journal->epoch() +
      R"(","demo":false,"insecure":false,"certificate":null},"sources":[],"rules":[],"flood":null,"store":{"health":"up","text":"","takes_samples":true,)"
      R"("takes_alerts":true,"alerts_waiting":0,"notices":[],"rate":0.0,"commit_p50_ms":0.0,)"
      R"("commit_p99_ms":0.0,"queue_depth":0,"queue_capacity":0,"dropped":0,"used_bytes":0,"max_bytes":0,"wear":null,"oldest":)" +
      std::to_string(stats.oldest.time_since_epoch().count()) + R"(,"last_seq":1},"uplinks":[]})";
  EXPECT_EQ(without_retry(viewer.body()),
            "event: hello\ndata: {\"epoch\":\"" + rig.journal->epoch() +
                R"(","time":1700000000000000,"version":"1.2.3","name":"plant-7","site":"Hall 3","ping_seconds":10,)"
                R"("max_streams":64,"demo":false})"
                "\n\nevent: snapshot\ndata: "
                R"({"time":1700000000000000,"series":[{"name":"boiler1/temperature","kind":"number","unit":"°C",)"
                R"("source":"plant","labels":{"area":"east"},"stale_after":3000000,)"
                R"("last":[1700000000000000,20.5,"good",""]},{"name":"pump/state","kind":"state","unit":"",)"
                R"("source":"plant","labels":{},"states":["idle"],"stale_after":3000000,)"
                R"("last":[1700000000000000,0,"good",""]}],"alerts":[],"state":)" +
                state + "}\n\n");
  EXPECT_THAT(viewer.head(), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(viewer.head(), HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(viewer.head(), HasSubstr("X-Accel-Buffering: no\r\n"));
  ASSERT_TRUE(viewer.retry_ms());
  EXPECT_GE(*viewer.retry_ms(), 2000);
  EXPECT_LE(*viewer.retry_ms(), 6000);
}

TEST(Stream, TellsAnAlertWithItsIdByteForByte) {
  Rig rig(quick_ticks());
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  const Seq seq = rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  ASSERT_TRUE(viewer.wait_for("alert"));
  EXPECT_THAT(viewer.body(), HasSubstr("id: " + rig.id(seq) +
                                       "\nevent: alert\ndata: {\"seq\":1,\"alerts\":[{\"seq\":1,\"time\":"
                                       "1700000000000000,\"cause\":\"raised\",\"from\":\"pending\",\"alert\":" +
                                       std::string(kAlertJson) + ",\"publish\":[],\"write\":[]}]}\n\n"));
}

TEST(Stream, TellsAFloodAfterTheAlertAndTheIdStandsOnTheLast) {
  Rig rig(quick_ticks());
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  Batch batch = transition(hot_boiler(Phase::active), Phase::pending, "raised");
  batch.events.push_back({kStart, Flood{true, kStart, "hot:boiler1", 10}});
  const Seq seq = rig.commit(std::move(batch));
  const auto alert = viewer.wait_for("alert"), flood = viewer.wait_for("flood");
  ASSERT_TRUE(alert && flood);
  EXPECT_NE(alert->id, rig.id(seq));
  EXPECT_EQ(flood->id, rig.id(seq));
  EXPECT_EQ(flood->json()["floods"][0]["first"], "hot:boiler1");
  auto resumed = rig.viewer(rig.id(Seq{0}));
  EXPECT_TRUE(resumed.wait_for("flood"));
}

TEST(Stream, TellsADeltaByteForByteAndWithoutAnId) {
  Rig rig(quick_ticks());
  const auto boiler = rig.series("boiler1/temperature");
  rig.commit({reading(boiler, 20.5)});
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  auto bad = reading(boiler, 0, std::chrono::seconds(1));
  bad.quality = Quality::bad;
  bad.reason = Reason::no_answer;
  rig.commit({bad});
  ASSERT_TRUE(viewer.wait_for("delta"));
  EXPECT_THAT(viewer.body(),
              HasSubstr("\n\nevent: delta\ndata: {\"time\":1700000000000000,\"values\":{\"boiler1/temperature\":"
                        "[1700000001000000,null,\"bad\",\"no_answer\"]}}\n\n"));
}

TEST(Stream, AThousandSamplesOfASeriesAreADeltaATickAtMostAndEndWithTheLast) {
  const auto began = std::chrono::steady_clock::now();
  Rig rig(quick_ticks());
  const auto boiler = rig.series("boiler1/temperature");
  rig.commit({reading(boiler, 0)});
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  for (int i = 1; i <= 1000; ++i) rig.commit({reading(boiler, i, std::chrono::milliseconds(i))});
  const auto last = viewer.wait_for(
      "delta", [](const SseEvent& event) { return event.json()["values"]["boiler1/temperature"][1] == 1000; });
  ASSERT_TRUE(last);
  const auto all = names(viewer.seen);
  const auto ticks = (std::chrono::steady_clock::now() - began) / quick_ticks().stream.tick;
  EXPECT_LE(std::count(all.begin(), all.end(), "delta"), ticks + 1);
}

TEST(Stream, AReadingFromTheFarFutureGivesWayToOneThatCanBeTrue) {
  Rig rig(quick_ticks());
  const auto boiler = rig.series("boiler1/temperature");
  rig.commit({reading(boiler, 50, std::chrono::hours(24))});
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.commit({reading(boiler, 20, std::chrono::seconds(1))});
  const auto delta = viewer.wait_for("delta");
  ASSERT_TRUE(delta);
  EXPECT_EQ(delta->json()["values"]["boiler1/temperature"][1], 20);
}

TEST(Stream, AlertsThatCannotBeReadAreUnknownUntilTheyCan) {
  Rig rig(quick_ticks());
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  rig.edit("ALTER TABLE alert RENAME TO away");
  rig.serve();
  auto viewer = rig.viewer();
  const auto snapshot = viewer.wait_for("snapshot");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->json()["alerts"], nullptr);
  rig.commit({reading(rig.series("a/b"), 1)});
  ASSERT_TRUE(viewer.wait_for("delta"));
  EXPECT_THAT(names(viewer.seen), Not(testing::Contains("alerts")));
  rig.edit("ALTER TABLE away RENAME TO alert");
  const auto alerts = viewer.wait_for("alerts");
  ASSERT_TRUE(alerts);
  EXPECT_EQ(alerts->json()["alerts"].size(), 1u);
}

TEST(Stream, ALateSampleDoesNotReplaceANewerOne) {
  Rig rig(quick_ticks());
  const auto boiler = rig.series("boiler1/temperature");
  const auto other = rig.series("boiler2/temperature");
  rig.commit({reading(boiler, 50, std::chrono::seconds(10)), reading(other, 1)});
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.commit({reading(boiler, 40, std::chrono::seconds(5)), reading(other, 2, std::chrono::seconds(1))});
  const auto delta = viewer.wait_for("delta");
  ASSERT_TRUE(delta);
  EXPECT_FALSE(delta->json()["values"].contains("boiler1/temperature"));
  EXPECT_TRUE(delta->json()["values"].contains("boiler2/temperature"));
}

TEST(Stream, ANewSeriesIsDescribedBeforeItsFirstValue) {
  Rig rig(quick_ticks());
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.commit({reading(rig.series("tank/level", {.unit = "%", .source = {}, .labels = {}}), 7)});
  const auto described = viewer.wait_for("series");
  ASSERT_TRUE(described);
  EXPECT_EQ(described->json()["series"][0]["unit"], "%");
  const auto all = names(viewer.seen);
  EXPECT_EQ(std::count(all.begin(), all.end(), "delta"), 0);
  EXPECT_TRUE(viewer.wait_for("delta"));
}

TEST(Stream, ASeriesThatIsNotCommittedIsNotShown) {
  Rig rig(quick_ticks());
  rig.commit({reading(rig.series("a/b"), 1)});
  rig.series("not/yet");
  rig.serve();
  auto viewer = rig.viewer();
  const auto snapshot = viewer.wait_for("snapshot");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->json()["series"].size(), 1u);
  EXPECT_EQ(json::parse(rig.http().get("/api/v1/series").body)["series"].size(), 1u);
}

TEST(Stream, APhaseThatIsNotAnnouncedComesAsTheListOfAlerts) {
  Rig rig(quick_ticks());
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  Batch pending;
  pending.alerts.push_back(hot_boiler(Phase::pending));
  rig.commit(std::move(pending));
  const auto alerts = viewer.wait_for("alerts");
  ASSERT_TRUE(alerts);
  EXPECT_EQ(alerts->json()["alerts"][0]["phase"], "pending");
  EXPECT_EQ(alerts->json()["alerts"][0]["raised"], nullptr);
}

TEST(Stream, TellsTheStateWhenItChanged) {
  Rig rig(quick_ticks());
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  GatewayView view;
  view.sources.push_back({.name = "field", .type = "mqtt", .text = "no broker", .health = SourceHealth::down});
  view.uplinks.push_back({.name = "cloud", .type = "mqtt", .text = {}, .health = SourceHealth::up});
  rig.gateway.set_view(view);
  const auto state = viewer.wait_for("state", [](const auto& event) { return !event.json()["sources"].empty(); });
  ASSERT_TRUE(state);
  EXPECT_EQ(state->json()["sources"][0]["text"], "no broker");
  EXPECT_EQ(state->json()["uplinks"][0]["drain_seconds"], nullptr);
  EXPECT_TRUE(state->json()["gateway"].contains("time"));
}

TEST(Stream, PingsAQuietViewer) {
  auto options = quick_ticks();
  options.stream.ping = std::chrono::milliseconds(100);
  Rig rig(options);
  rig.serve();
  auto viewer = rig.viewer();
  const auto ping = viewer.wait_for("ping");
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->json()["time"], 1'700'000'000'000'000);
}

TEST(Stream, SaysByeWhenTheServerStops) {
  Rig rig(quick_ticks());
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.stop();
  const auto bye = viewer.wait_for("bye");
  ASSERT_TRUE(bye);
  EXPECT_EQ(bye->json()["why"], "shutdown");
  EXPECT_TRUE(viewer.ended());
}

TEST(Stream, IsEndedAfterAWhileAndGoesOnWithoutAGap) {
  auto options = quick_ticks();
  options.stream.rotate = std::chrono::milliseconds(300);
  Rig rig(options);
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  const auto bye = viewer.wait_for("bye");
  ASSERT_TRUE(bye);
  EXPECT_EQ(bye->data, R"({"why":"rotate"})");
  EXPECT_TRUE(viewer.ended());
  rig.commit(transition(hot_boiler(Phase::clearing), Phase::active, "cleared"));
  auto again = rig.viewer(rig.id(Seq{1}));
  const auto missed = again.wait_for("alert");
  ASSERT_TRUE(missed);
  EXPECT_EQ(missed->id, rig.id(Seq{2}));
}

TEST(Stream, NeverSaysNanOrInfinity) {
  Rig rig(quick_ticks());
  auto alert = hot_boiler(Phase::active);
  alert.value = std::numeric_limits<double>::quiet_NaN();
  alert.limit = std::numeric_limits<double>::infinity();
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.commit(transition(alert, Phase::pending, "raised"));
  const auto told = viewer.wait_for("alert");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->json()["alerts"][0]["alert"]["value"], nullptr);
  EXPECT_EQ(told->json()["alerts"][0]["alert"]["limit"], nullptr);
}

TEST(Stream, HostileTextStaysInsideItsString) {
  const std::string hostile = "a\"b\r\n\r\nevent: bye\ndata: {}\n\n<img onerror=alert(1)>\xff\xe2\x80\xa8\x01";
  Rig rig(quick_ticks());
  const auto series = rig.series("plant/<img onerror=alert(1)>\"",
                                 {.unit = hostile, .source = hostile, .labels = {{hostile, hostile}}});
  rig.commit({reading(series, 1)});
  auto alert = hot_boiler(Phase::active);
  alert.message = hostile;
  rig.serve();
  auto viewer = rig.viewer();
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  Batch batch = transition(alert, Phase::pending, "raised");
  batch.events.push_back({kStart, SourceChange{hostile, SourceHealth::down, hostile}});
  rig.commit(std::move(batch));
  ASSERT_TRUE(viewer.wait_for("source"));
  EXPECT_THAT(names(viewer.seen), ElementsAre("hello", "snapshot", "alert", "source"));
  const std::string expected = "a\"b\r\n\r\nevent: bye\ndata: {}\n\n<img onerror=alert(1)>\xEF\xBF\xBD\xe2\x80\xa8\x01";
  EXPECT_EQ(viewer.seen[1].json()["series"][0]["unit"], expected);
  EXPECT_EQ(viewer.seen[2].json()["alerts"][0]["alert"]["message"], expected);
  EXPECT_EQ(viewer.seen[3].json()["changes"][0]["source"], expected);
}

// Limits.

TEST(StreamLimits, OneViewerTooManyIsToldToComeBackLater) {
  auto options = quick_ticks();
  options.max_streams = 2;
  Rig rig(options);
  rig.serve();
  auto first = rig.viewer(), second = rig.viewer();
  ASSERT_TRUE(first.wait_for("snapshot"));
  ASSERT_TRUE(second.wait_for("snapshot"));
  auto third = rig.viewer();
  const auto busy = third.next();
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->name, "busy");
  EXPECT_EQ(busy->json()["max_streams"], 2);
  EXPECT_TRUE(third.head().starts_with("HTTP/1.1 200 "));
  EXPECT_GE(third.retry_ms().value_or(0), 25'000);
  EXPECT_TRUE(third.ended());
  EXPECT_EQ(without_retry(third.body()), "event: busy\ndata: {\"max_streams\":2}\n\n");
}

TEST(StreamLimits, AnAddressHasAShare) {
  auto options = quick_ticks();
  options.max_streams_per_address = 1;
  Rig rig(options);
  rig.serve();
  auto first = rig.viewer();
  ASSERT_TRUE(first.wait_for("snapshot"));
  EXPECT_EQ(rig.viewer().next()->name, "busy");
}

TEST(StreamLimits, APlaceIsFreeAgainWhenAViewerLeaves) {
  auto options = quick_ticks();
  options.max_streams = 1;
  Rig rig(options);
  rig.serve();
  {
    auto first = rig.viewer();
    ASSERT_TRUE(first.wait_for("snapshot"));
  }
  EXPECT_TRUE(eventually([&] { return rig.viewer().next()->name == "hello"; }));
}

TEST(StreamLimits, AHeadRequestIsNotAViewer) {
  Rig rig(quick_ticks());
  rig.serve();
  const auto response = rig.http().request("HEAD", "/api/v1/stream");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.at("content-type"), "text/event-stream");
}

/// Names long enough that a few deltas fill the kernel's buffers of a viewer that does not read.
std::vector<SeriesId> bulky_series(Rig& rig, int count) {
  std::vector<SeriesId> out;
  for (int i = 0; i < count; ++i) out.push_back(rig.series("bulk/" + std::string(200, 'x') + std::to_string(i)));
  return out;
}

void commit_all(Rig& rig, const std::vector<SeriesId>& series, int round) {
  std::vector<Sample> samples;
  for (const auto id : series) samples.push_back(reading(id, round, std::chrono::milliseconds(round)));
  rig.commit(std::move(samples));
}

TEST(StalledViewers, AreLetGoAndTheOthersDoNotNotice) {
  auto options = quick_ticks();
  options.max_streams = options.max_streams_per_address = 64;
  options.stream.stalled = std::chrono::milliseconds(500);
  Rig rig(options);
  const auto series = bulky_series(rig, 500);
  commit_all(rig, series, 0);
  rig.serve();
  SseClient stalled = rig.viewer(SseClient::Options{.receive_buffer = 4096});
  auto reader = rig.viewer();
  ASSERT_TRUE(reader.wait_for("snapshot"));
  Metric& evicted = rig.metrics.counter("stream/evicted", "", "");
  int round = 0;
  EXPECT_TRUE(eventually([&] {
    commit_all(rig, series, ++round);
    EXPECT_TRUE(reader.wait_for("delta"));
    return evicted.value() == 1;
  }));
  EXPECT_TRUE(eventually([&] { return rig.metrics.gauge("stream/viewers", "", "").value() == 1; }));
}

TEST(StalledViewers, AViewerThatReadsAgainInTimeGetsTheLatestAndEveryAlert) {
  auto options = quick_ticks();
  options.stream.stalled = std::chrono::minutes(10);
  Rig rig(options);
  const auto series = bulky_series(rig, 500);
  commit_all(rig, series, 0);
  rig.serve();
  SseClient slow = rig.viewer(SseClient::Options{.receive_buffer = 4096});
  auto reader = rig.viewer();
  ASSERT_TRUE(reader.wait_for("snapshot"));
  constexpr int kRounds = 40;
  for (int round = 1; round <= kRounds; ++round) {
    commit_all(rig, series, round);
    ASSERT_TRUE(reader.wait_for("delta"));
    rig.commit(transition(hot_boiler(round % 2 == 0 ? Phase::normal : Phase::active), Phase::pending, "raised"));
  }
  const auto last = slow.wait_for(
      "delta", [&](const SseEvent& event) { return event.json()["values"].begin().value()[1] == kRounds; });
  ASSERT_TRUE(last);
  const auto all = names(slow.seen);
  EXPECT_EQ(std::count(all.begin(), all.end(), "alert"), kRounds);
  EXPECT_LT(std::count(all.begin(), all.end(), "delta"), kRounds);
}

TEST(ManyViewers, TwoHundredWithHalfOfThemStalledDelayNeitherTheRestNorTheApi) {
  auto options = quick_ticks();
  options.max_streams = options.max_streams_per_address = 300;
  options.stream.stalled = std::chrono::minutes(10);
  Rig rig(options);
  const auto series = bulky_series(rig, 100);
  commit_all(rig, series, 0);
  rig.serve();
  std::vector<SseClient> stalled, readers;
  for (int i = 0; i < 100; ++i) {
    stalled.push_back(rig.viewer(SseClient::Options{.receive_buffer = 4096}));
    readers.push_back(rig.viewer());
  }
  for (auto& reader : readers) ASSERT_TRUE(reader.wait_for("snapshot"));
  ASSERT_TRUE(eventually([&] { return rig.metrics.gauge("stream/viewers", "", "").value() == 200; }));
  for (int round = 1; round <= 20; ++round) {
    commit_all(rig, series, round);
    for (auto& reader : readers) {
      ASSERT_TRUE(reader.wait_for(
          "delta", [&](const SseEvent& event) { return event.json()["values"].begin().value()[1] == round; }));
    }
    ASSERT_EQ(rig.http().get("/healthz").status, 200);
  }
  EXPECT_EQ(rig.metrics.gauge("stream/viewers", "", "").value(), 200);
}

}  // namespace
}  // namespace tidegate::dashboard::test
