#include "dashboard/board.h"

#include <gmock/gmock.h>

#include "tests/dashboard/rig.h"

namespace tidegate::dashboard::test {
namespace {

using testing::HasSubstr;
using testing::Not;

journal::Options nothing_cached() {
  journal::Options options;
  options.cache_bytes = 0;
  return options;
}

class BoardTest : public testing::Test {
 protected:
  void SetUp() override { board.load(); }

  /// What a viewer that has seen everything before hears of a batch, beside its durable events.
  std::string changes_of(Batch batch) {
    const Board::Tick seen = board.close_tick();
    rig.commit(std::move(batch));
    take_all();
    return board.changes_since(seen, all);
  }
  /// The durable events of what was committed since.
  std::string take_all() {
    std::string durable;
    while (true) {
      const auto batches = rig.journal->read(board.position());
      if (!batches || batches->empty()) return durable;
      for (const auto& batch : *batches) durable += board.apply(*batch);
    }
  }

  Options options;
  Rig rig{options, nothing_cached()};
  Selection all;
  Board board{options, *rig.journal, rig.gateway, rig.clock};
};

TEST_F(BoardTest, APhaseThatATransitionTellsIsNotToldAgain) {
  Batch batch;
  batch.alerts.push_back(hot_boiler(Phase::pending));
  batch.alerts.push_back(hot_boiler(Phase::active));
  batch.events.push_back({kStart, AlertTransition{hot_boiler(Phase::active), Phase::pending, "raised"}});
  EXPECT_THAT(changes_of(std::move(batch)), Not(HasSubstr("event: alerts\n")));
}

TEST_F(BoardTest, APhaseAfterATransitionInTheSameCommitIsTold) {
  Batch batch = transition(hot_boiler(Phase::active), Phase::pending, "raised");
  batch.alerts.push_back(hot_boiler(Phase::clearing));
  const std::string changes = changes_of(std::move(batch));
  EXPECT_THAT(changes, HasSubstr("event: alerts\n"));
  EXPECT_THAT(changes, HasSubstr("\"phase\":\"clearing\""));
}

TEST_F(BoardTest, APhaseOfAnotherAlertThanTheOneAnnouncedIsTold) {
  Batch batch = transition(hot_boiler(Phase::active), Phase::pending, "raised");
  AlertRecord other = hot_boiler(Phase::pending);
  other.id = "hot:boiler2";
  batch.alerts.push_back(other);
  EXPECT_THAT(changes_of(std::move(batch)), HasSubstr("hot:boiler2"));
}

TEST_F(BoardTest, ANormalAlertIsShownAsLongAsItIsShelved) {
  AlertRecord shelved = hot_boiler(Phase::normal);
  shelved.shelved_until = kStart + std::chrono::hours(1);
  rig.commit(transition(shelved, Phase::normal, "shelved"));
  EXPECT_THAT(take_all(), HasSubstr("\"cause\":\"shelved\""));
  EXPECT_THAT(board.snapshot(all), HasSubstr("\"shelved_until\":1700003600000000"));
  Board other{options, *rig.journal, rig.gateway, rig.clock};
  other.load();
  EXPECT_THAT(other.snapshot(all), HasSubstr("hot:boiler1"));
  rig.commit(transition(hot_boiler(Phase::normal), Phase::normal, "unshelved"));
  EXPECT_THAT(take_all(), HasSubstr("\"cause\":\"unshelved\""));
  EXPECT_THAT(board.snapshot(all), Not(HasSubstr("hot:boiler1")));
}

TEST_F(BoardTest, ShowsTheTimesThatSamplesWereGivenWhenTheClockWasSet) {
  rig.commit({reading(rig.series("a/b"), 1)});
  take_all();
  Batch batch;
  batch.events.push_back({kStart, Notice{"clock", "set"}});
  EXPECT_THAT(changes_of(std::move(batch)), HasSubstr("event: delta\n"));
}

TEST_F(BoardTest, SaysWhyBatchesAreMissing) {
  rig.commit({reading(rig.series("a/b"), 1)});
  rig.commit({reading(rig.series("a/b"), 2)});
  rig.edit("UPDATE batch SET data = x'FF' WHERE seq = 1");
  EXPECT_THAT(take_all(), HasSubstr(R"({"first":1,"last":1,"why":"damaged"})"));
}

}  // namespace
}  // namespace tidegate::dashboard::test
