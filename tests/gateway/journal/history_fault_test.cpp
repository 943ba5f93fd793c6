// What the disk does while days are compacted and rolled up.

#include <sqlite3.h>

#include "tests/gateway/journal/faulty_vfs.h"
#include "tests/gateway/journal/history_support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

class HistoryFaultTest : public CompactionTest, public ::testing::WithParamInterface<int> {
 protected:
  HistoryFaultTest() : CompactionTest(memory()) { options.log_keep = 1h; }

  void fill() {
    all.clear();
    std::filesystem::remove_all(directory.path());
    open();
    const SeriesId ids[] = {series("a"), series("b")};
    for (int hour = 0; hour < 8; ++hour) {
      std::vector<Sample> samples;
      for (int i = 0; i < 120; ++i) {
        for (const SeriesId id : ids) samples.push_back(sample(id, i / 10.0));
        clock.advance(1min);
      }
      keep(std::move(samples));
    }
    clock.advance(26h);
  }

  /// False: the fault came too late.
  bool compact_with_fault(int nth) {
    vfs.arm(nth, GetParam());
    if (!compact_through_failures(4)) return false;
    const bool hit = vfs.faults() > 0;
    vfs.disarm();
    return hit;
  }

  FaultyVfs vfs;
};

TEST_P(HistoryFaultTest, AtAnyOperationLosesNoSampleAndDoublesNone) {
  int hits = 0;
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    fill();
    const Timestamp start = all.front().time;
    const bool hit = compact_with_fault(nth);
    for (const bool again : {false, true}) {
      if (again) reopen();
      EXPECT_EQ(journal->position("history"), journal->last());
      for (const char* name : {"a", "b"}) {
        const SeriesId id = *journal->catalogue().find(name);
        EXPECT_EQ(stored(id, start, clock.now()), expected(id, start, clock.now()));
        expect_sound(id, start, clock.now(), 5);
      }
    }
    journal.reset();
    if (!hit || HasFailure()) break;
    ++hits;
  }
  EXPECT_GT(hits, 20);
  RecordProperty("operations", hits);
}

INSTANTIATE_TEST_SUITE_P(Codes, HistoryFaultTest,
                         ::testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE));

}  // namespace
}  // namespace tidegate::journal
