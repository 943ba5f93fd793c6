// Who comes again with the id of the last event that he was told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dashboard/viewers.h"
#include "tests/support/process.h"

namespace tidegate::dashboard::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using tidegate::test::eventually;

/// What the stream has told after the snapshot once it has told that.
std::string bytes_after_snapshot(SseClient& viewer, const std::string& until) {
  EXPECT_TRUE(viewer.wait_for("snapshot"));
  EXPECT_TRUE(viewer.wait_for(until)) << viewer.body();
  const auto snapshot = viewer.body().find("\n\nevent: snapshot\n");
  return viewer.body().substr(viewer.body().find("\n\n", snapshot + 2) + 2);
}

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 3; ++i) {
      auto alert = hot_boiler(i % 2 == 0 ? Phase::active : Phase::normal);
      alert.note = std::to_string(i);
      rig.commit(transition(alert, Phase::pending, i % 2 == 0 ? "raised" : "cleared"));
    }
    Batch source;
    source.events.push_back({kStart, SourceChange{"field", SourceHealth::up, "connected"}});
    rig.commit(std::move(source));
  }
  std::vector<std::string> ids_after_snapshot(SseClient& viewer, std::size_t count) {
    EXPECT_TRUE(viewer.wait_for("snapshot"));
    std::vector<std::string> out;
    while (out.size() < count) {
      const auto event = viewer.next();
      if (!event) break;
      if (event->name == "alert" || event->name == "source" || event->name == "gap") {
        out.push_back(event->name + " " + event->id);
      }
    }
    return out;
  }
  Rig rig{quick_ticks()};
};

TEST_F(Resume, WithAnIdOfThisEpochGetsWhatCameAfterItInOrderThenTheLiveOnes) {
  rig.serve();
  auto viewer = rig.viewer(rig.id(Seq{1}));
  EXPECT_THAT(ids_after_snapshot(viewer, 3),
              ElementsAre("alert " + rig.id(Seq{2}), "alert " + rig.id(Seq{3}), "source " + rig.id(Seq{4})));
  rig.commit(transition(hot_boiler(Phase::normal), Phase::active, "cleared"));
  const auto live = viewer.wait_for("alert");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->id, rig.id(Seq{5}));
}

TEST(ResumeAfterAnAlert, GetsTheBytesThatOthersGotWhenItCame) {
  Rig rig(quick_ticks());
  rig.serve();
  auto live = rig.viewer();
  ASSERT_TRUE(live.wait_for("snapshot"));
  rig.commit(transition(hot_boiler(Phase::active), Phase::pending, "raised"));
  ASSERT_TRUE(live.wait_for("alert"));
  Batch source;
  source.events.push_back({kStart, SourceChange{"field", SourceHealth::up, "connected"}});
  rig.commit(std::move(source));
  const std::string alert = "id: " + rig.id(Seq{1}) +
                            "\nevent: alert\ndata: {\"seq\":1,\"alerts\":[{\"seq\":1,\"time\":1700000000000000,"
                            "\"cause\":\"raised\",\"from\":\"pending\",\"alert\":" +
                            std::string(kAlertJson) + ",\"publish\":[],\"write\":[]}]}\n\n";
  const std::string change = "id: " + rig.id(Seq{2}) +
                             "\nevent: source\ndata: {\"seq\":2,\"changes\":[{\"time\":1700000000000000,"
                             "\"source\":\"field\",\"health\":\"up\",\"text\":\"connected\"}]}\n\n";
  auto resumed = rig.viewer(rig.id(Seq{0}));
  EXPECT_THAT(bytes_after_snapshot(resumed, "source"), StartsWith(alert + change));
  ASSERT_TRUE(live.wait_for("source"));
  EXPECT_THAT(live.body(), HasSubstr(alert));
  EXPECT_THAT(live.body(), HasSubstr(change));
}

TEST_F(Resume, IsToldOfAnAlertThatCannotBeReadAnyMore) {
  rig.edit("UPDATE event SET crc = crc + 1 WHERE seq = 2");
  rig.serve();
  auto viewer = rig.viewer(rig.id(Seq{1}));
  EXPECT_THAT(ids_after_snapshot(viewer, 3),
              ElementsAre("gap ", "alert " + rig.id(Seq{3}), "source " + rig.id(Seq{4})));
  auto another = rig.viewer(rig.id(Seq{1}));
  EXPECT_THAT(bytes_after_snapshot(another, "alert"),
              StartsWith("event: gap\ndata: {\"first\":2,\"last\":2,\"why\":\"damaged\"}\n\nid: " + rig.id(Seq{3}) +
                         "\nevent: alert\n"));
}

TEST_F(Resume, WithTheNewestIdGetsNothingAgain) {
  rig.serve();
  auto viewer = rig.viewer(rig.id(Seq{4}));
  ASSERT_TRUE(viewer.wait_for("snapshot"));
  rig.commit(transition(hot_boiler(Phase::normal), Phase::active, "cleared"));
  ASSERT_TRUE(viewer.wait_for("alert"));
  EXPECT_THAT(names(viewer.seen), Not(testing::Contains("gap")));
  EXPECT_EQ(viewer.seen.back().id, rig.id(Seq{5}));
}

TEST_F(Resume, ByParameterAndTheHeaderWins) {
  rig.serve();
  SseClient by_parameter = rig.viewer(SseClient::Options{.path = "/api/v1/stream?last_event_id=" + rig.id(Seq{3})});
  EXPECT_THAT(ids_after_snapshot(by_parameter, 1), ElementsAre("source " + rig.id(Seq{4})));
  SseClient by_both =
      rig.viewer(SseClient::Options{.last_event_id = rig.id(Seq{2}), .path = "/api/v1/stream?last_event_id=junk"});
  EXPECT_THAT(ids_after_snapshot(by_both, 1), ElementsAre("alert " + rig.id(Seq{3})));
}

TEST_F(Resume, SurvivesARestartOfTheServer) {
  rig.reopen();
  rig.serve();
  auto viewer = rig.viewer(rig.id(Seq{3}));
  EXPECT_THAT(ids_after_snapshot(viewer, 1), ElementsAre("source " + rig.id(Seq{4})));
}

TEST_F(Resume, WithAnIdOfAnotherEpochIsToldOfTheGap) {
  rig.serve();
  auto viewer = rig.viewer("ffffffff:2");
  EXPECT_THAT(bytes_after_snapshot(viewer, "gap"),
              StartsWith("event: gap\ndata: {\"first\":null,\"last\":null,\"why\":\"epoch\"}\n\n"));
}

TEST_F(Resume, WithGarbageOrAnIdFromTheFutureIsToldOfTheGap) {
  rig.serve();
  for (const std::string& id : {std::string("garbage"), std::string("17"), rig.id(Seq{99}), rig.id(Seq{1}) + "x"}) {
    auto viewer = rig.viewer(id);
    EXPECT_THAT(bytes_after_snapshot(viewer, "gap"),
                StartsWith("event: gap\ndata: {\"first\":null,\"last\":null,\"why\":\"id\"}\n\n"))
        << id;
  }
}

TEST(ResumeAfterRetention, NamesWhatIsGone) {
  journal::Options journal_options;
  journal_options.retention = std::chrono::hours(1);
  Rig rig(quick_ticks(), journal_options);
  const auto series = rig.series("a/b");
  for (int i = 0; i < 3; ++i) rig.commit({reading(series, i)});
  rig.clock.advance(std::chrono::hours(100));
  rig.commit({reading(series, 9, std::chrono::hours(100))});
  ASSERT_TRUE(eventually([&] { return rig.journal->maintain().has_value() && number(rig.journal->first()) > 2; }));
  const auto first = number(rig.journal->first());
  rig.serve();
  auto viewer = rig.viewer(rig.id(Seq{1}));
  EXPECT_THAT(bytes_after_snapshot(viewer, "gap"),
              StartsWith("event: gap\ndata: {\"first\":2,\"last\":" + std::to_string(first - 1) +
                         ",\"why\":\"retention\"}\n\n"));
}

TEST(ResumeFarBack, SaysThatTheLogIsTheBetterSource) {
  Rig rig(quick_ticks());
  Batch many;
  for (int i = 0; i < 1100; ++i) many.events.push_back({kStart, SourceChange{"field", SourceHealth::up, ""}});
  rig.commit(many);
  rig.serve();
  auto viewer = rig.viewer(rig.id(Seq{0}));
  EXPECT_THAT(bytes_after_snapshot(viewer, "gap"),
              StartsWith("event: gap\ndata: {\"first\":1,\"last\":1,\"why\":\"limit\"}\n\n"));
}

}  // namespace
}  // namespace tidegate::dashboard::test
