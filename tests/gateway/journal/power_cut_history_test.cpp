// The plug is pulled while days are compacted and rolled up: every sample that was acknowledged is there, and there
// once.

#include <gmock/gmock.h>

#include <fstream>

#include "tests/gateway/journal/history_support.h"
#include "tests/gateway/journal/power_cut_vfs.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kBatch = 60;  ///< samples, half of each series

/// What a run had been told to be on disk, at a moment of it.
struct Promise {
  std::size_t moment;
  std::size_t samples;
  std::string lock;  ///< what journal.lock said
};

class PowerCutHistoryTest : public CompactionTest {
 protected:
  PowerCutHistoryTest() : CompactionTest(memory()) {
    options.cache_bytes = 0;
    options.log_keep = 1h;
  }

  void note_promise() {
    promises.push_back({vfs->moment(), all.size(), test::read_file(directory.path() / "journal.lock")});
  }

  /// A batch an hour; what is an hour old leaves the log as soon as history has it.
  void play(int hours, std::size_t failing_sync = 0) {
    vfs.reset();  // its end is not to take the new one's place away
    vfs = std::make_unique<PowerCutVfs>();
    open();
    vfs->fail_sync(failing_sync);
    const SeriesId ids[] = {series("a"), series("b")};
    for (int hour = 0; hour < hours; ++hour) {
      std::vector<Sample> samples;
      for (std::size_t i = 0; i < kBatch / 2; ++i) {
        for (const SeriesId id : ids)
          samples.push_back(sample(id, static_cast<double>(hour * 7 + static_cast<int>(i) * 3 % 100) / 10.0));
        clock.advance(2min);
      }
      keep_at_last(std::move(samples));
      note_promise();
      if (hour % 5 == 4) {
        ASSERT_TRUE(compact_through_failures(3));
        note_promise();
      }
    }
    journal.reset();
    note_promise();
    end = vfs->moment();
    vfs->end();
  }

  /// One sync may fail.
  void keep_at_last(std::vector<Sample> samples) {
    Batch batch;
    batch.samples = samples;
    ASSERT_TRUE(journal->append(batch) || journal->append(batch));
    all.insert(all.end(), samples.begin(), samples.end());
  }

  /// Those of the batches that the journal says it took.
  std::vector<Sample> taken(SeriesId id) const {
    const auto batches = static_cast<std::size_t>(number(journal->last()));
    std::vector<Sample> found;
    for (std::size_t i = 0; i < std::min(all.size(), batches * kBatch); ++i) {
      if (all[i].series == id) found.push_back(all[i]);
    }
    return found;
  }

  void cut_at(std::size_t moment, PowerCutVfs::Unsynced what) {
    SCOPED_TRACE(fmt::format("moment {} of {}", moment, end));
    fs::remove_all(directory.path());
    fs::create_directories(directory.path());
    std::mt19937 random(static_cast<unsigned>(moment));
    vfs->leave(moment, what, random);
    Promise promised{0, 0, ""};
    for (const Promise& promise : promises) {
      if (promise.moment <= moment) promised = promise;
    }
    std::ofstream(directory.path() / "journal.lock") << promised.lock;
    open();
    if (HasFatalFailure()) return;
    ASSERT_TRUE(journal->notices().empty()) << journal->notices()[0];
    for (const char* name : {"a", "b"}) {
      const auto id = journal->catalogue().find(name);
      if (!id) {
        EXPECT_EQ(promised.samples, 0u);
        continue;
      }
      expect_all_of(*id, promised.samples / 2);
    }
    compact();
    if (const auto id = journal->catalogue().find("a")) expect_all_of(*id, promised.samples / 2);
    journal.reset();
  }

  void expect_all_of(SeriesId id, std::size_t least) {
    const std::vector<Sample> found = stored(id, start, clock.now() + 1h);
    EXPECT_GE(found.size(), least);
    EXPECT_EQ(found, taken(id));
  }

  std::unique_ptr<PowerCutVfs> vfs;
  const Timestamp start = clock.now();
  std::vector<Promise> promises;
  std::size_t end = 0;
};

TEST_F(PowerCutHistoryTest, AtAnyMomentEverySampleIsThereOnce) {
  play(60);
  if (HasFatalFailure()) return;
  EXPECT_TRUE(fs::exists(directory.path() / "history" / "2023.rollup.db")) << "days were rolled up";
  int cuts = 0;
  for (std::size_t moment = 1; moment <= end && !HasFailure(); moment += 1 + end / 600, ++cuts) {
    cut_at(moment, moment % 3 == 0 ? PowerCutVfs::Unsynced::dropped : PowerCutVfs::Unsynced::either);
  }
  RecordProperty("moments", static_cast<int>(end));
  RecordProperty("cuts", cuts);
}

TEST_F(PowerCutHistoryTest, WhatAFailedSyncLeftUndoneTakesNothingWithIt) {
  int cuts = 0;
  for (std::size_t failing = 1; !HasFailure(); failing += 4) {
    SCOPED_TRACE(fmt::format("sync {} fails", failing));
    promises.clear();
    all.clear();
    fs::remove_all(directory.path());
    play(30, failing);
    const auto failed = vfs->failed_at();
    if (HasFatalFailure() || !failed) break;
    for (std::size_t moment = *failed; moment <= end && !HasFailure();
         moment += moment < *failed + 20 ? 2 : 50, ++cuts) {
      cut_at(moment, moment % 3 == 0 ? PowerCutVfs::Unsynced::dropped : PowerCutVfs::Unsynced::either);
    }
  }
  RecordProperty("cuts", cuts);
}

}  // namespace
}  // namespace tidegate::journal
