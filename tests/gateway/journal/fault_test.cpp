// What the disk does to a journal, and what the journal makes of it.

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <map>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/faulty_vfs.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

class FaultTest : public JournalTest {
 protected:
  Batch batch_of(SeriesId id, int value) {
    Batch batch;
    for (int i = 0; i < 200; ++i) batch.samples.push_back(sample(id, value + i / 1000.0));
    batch.events = {{clock.now(), Notice{"storage", std::to_string(value)}}};
    batch.alerts = {alert("a:" + std::to_string(value % 3), value % 2 == 0 ? Phase::active : Phase::returned)};
    return batch;
  }

  /// Every batch of a run holds what its number says, and every acknowledged one is there.
  void expect_whole(int acknowledged) {
    reopen();
    ASSERT_EQ(number(journal->last()), acknowledged);
    int expected = 0;
    Seq after{0};
    for (auto batches = read(after); !batches.empty(); batches = read(after)) {
      for (const BatchPtr& batch : batches) {
        ASSERT_FALSE(batch->gap) << batch->gap->why;
        ASSERT_EQ(batch->samples.size(), 200u);
        EXPECT_EQ(batch->samples[0].value, expected);
        ASSERT_EQ(batch->events.size(), 1u);
        EXPECT_EQ(std::get<Notice>(batch->events[0].body).text, std::to_string(expected));
        ++expected;
        after = batch->seq;
      }
    }
    EXPECT_EQ(expected, acknowledged);
    auto check = sql::Connection::open(directory.path() / "journal.db", sql::Connection::Access::write);
    ASSERT_TRUE(check);
    EXPECT_EQ(*check->text("PRAGMA integrity_check"), "ok");
  }

  /// Appends 12 batches, trying again until each is taken; one fault at the nth operation. False: it came too late.
  bool run_with_fault(int nth, int code) {
    vfs.arm(nth, code);
    int acknowledged = 0;
    for (int value = 0; value < 12; ++value) {
      Batch batch = batch_of(SeriesId{0}, value);
      for (int attempt = 0;; ++attempt) {
        clock.advance(200ms);
        const Seq before = journal->last();
        const auto stored = journal->append(batch);
        if (stored) break;
        EXPECT_EQ(batch.samples.size(), 200u);
        EXPECT_EQ(journal->last(), before);
        EXPECT_LT(attempt, 3) << stored.error().text;
        if (attempt >= 3) return false;
      }
      ++acknowledged;
      static_cast<void>(journal->maintain());
    }
    const bool hit = vfs.faults() > 0;
    vfs.disarm();
    expect_whole(acknowledged);
    return hit;
  }

  FaultyVfs vfs;
};

class OneFaultTest : public FaultTest, public ::testing::WithParamInterface<int> {};

TEST_P(OneFaultTest, AtAnyOperationLosesNoAcknowledgedBatchAndRepeatsNone) {
  int hits = 0;
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    std::filesystem::remove_all(directory.path());
    open();
    series("a");
    const bool hit = run_with_fault(nth, GetParam());
    journal.reset();
    if (!hit || HasFailure()) break;
    ++hits;
  }
  EXPECT_GT(hits, 20);
}

INSTANTIATE_TEST_SUITE_P(Codes, OneFaultTest,
                         ::testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE));

TEST_F(FaultTest, AFullDiskIsSaidAndLeftBehindWithoutARestart) {
  open();
  const SeriesId id = series("a");
  ASSERT_TRUE(append(batch_of(id, 0)));
  vfs.arm(1, SQLITE_FULL, true);
  Batch held = batch_of(id, 1);
  for (int i = 0; i < 5; ++i) {
    const auto stored = journal->append(held);
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().code, Errc::full);
    EXPECT_THAT(stored.error().text, ::testing::HasSubstr("free some space"));
    static_cast<void>(journal->maintain());
    EXPECT_EQ(read(Seq{0}).size(), 1u);
  }
  EXPECT_EQ(metric("journal/append_failures"), 5);
  vfs.disarm();
  EXPECT_TRUE(journal->append(held));
  expect_whole(2);
}

TEST_F(FaultTest, SamplesThatWouldBeRejectedComeBackWithAnAppendThatFails) {
  options.when_full = WhenFull::reject;
  options.max_bytes = 1;
  open();
  const SeriesId id = series("boiler1/temperature");
  ASSERT_TRUE(journal->append(batch_of(id, 0)));
  ASSERT_TRUE(journal->maintain());
  Batch batch = batch_of(id, 1);
  const std::size_t samples = batch.samples.size();
  const double rejected = metric("journal/rejected_samples");
  vfs.arm(1, SQLITE_IOERR_WRITE, true);
  ASSERT_FALSE(journal->append(batch));
  EXPECT_EQ(batch.samples.size(), samples) << "it is left as it was, to be tried again";
  EXPECT_EQ(metric("journal/rejected_samples"), rejected);
  vfs.disarm();
  ASSERT_TRUE(journal->append(batch));
  EXPECT_EQ(metric("journal/rejected_samples"), rejected + static_cast<double>(samples));
}

TEST_F(FaultTest, RoomThatIsKeptForAlertsIsNotForSnapshots) {
  open();
  const SeriesId id = series("a");
  ASSERT_TRUE(append(batch_of(id, 0)));
  ASSERT_TRUE(journal->maintain());
  const auto reserve = directory.path() / "journal.reserve";
  ASSERT_TRUE(std::filesystem::exists(reserve));
  vfs.arm_while([&] { return std::filesystem::exists(reserve); }, SQLITE_FULL);
  Batch snapshot = snapshot_of("hot:a", {sample(id, 1), sample(id, 2)});
  const auto refused = journal->append(snapshot);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_FALSE(std::get<Snapshot>(snapshot.events.at(0).body).columns.empty()) << "it is left as it was";
  EXPECT_TRUE(std::filesystem::exists(reserve));
  Batch alerts;
  alerts.events = {transition(alert("hot:a", Phase::active), clock.now())};
  EXPECT_TRUE(journal->append(alerts)) << "for this it is there";
  vfs.disarm();
  const auto stored = journal->append(snapshot);
  ASSERT_TRUE(stored);
  EXPECT_EQ(journal->snapshot((*stored)->seq)->size(), 2u);
}

TEST_F(FaultTest, ALastingIoErrorIsOvercomeWhenItEnds) {
  open();
  const SeriesId id = series("a");
  ASSERT_TRUE(append(batch_of(id, 0)));
  ASSERT_TRUE(journal->position("cloud"));
  ASSERT_TRUE(journal->advance("cloud", Seq{1}));
  vfs.arm(1, SQLITE_IOERR_FSYNC, true);
  Batch held = batch_of(id, 1);
  for (int i = 0; i < 5; ++i) {
    const auto stored = journal->append(held);
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().code, Errc::io);
    EXPECT_FALSE(journal->maintain());
  }
  EXPECT_FALSE(journal->position("another"));
  vfs.disarm();
  EXPECT_TRUE(journal->append(held));
  EXPECT_TRUE(journal->maintain());
  expect_whole(2);
  EXPECT_EQ(number(*journal->position("cloud")), 1);
}

}  // namespace
}  // namespace tidegate::journal
