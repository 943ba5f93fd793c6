// The plug is pulled at every moment of a run: what was acknowledged is there, whole, and all goes on.

#include <gmock/gmock.h>

#include <fstream>
#include <map>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/power_cut_vfs.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

/// What a run had been told to be on disk, at a moment of it.
struct Promise {
  std::size_t moment;
  std::size_t batches;
  std::string lock;  ///< what journal.lock said
};

class PowerCutTest : public JournalTest {
 protected:
  PowerCutTest() : JournalTest(memory()) { options.cache_bytes = 0; }

  void note_promise() {
    promises.push_back({vfs->moment(), truth.size(), test::read_file(directory.path() / "journal.lock")});
  }

  /// Samples, names, events, alerts that come and go, cursors, retention and checkpoints, over a clean close.
  void play(int rounds, std::size_t failing_sync = 0) {
    vfs.reset();  // its end is not to take the new one's place away
    vfs = std::make_unique<PowerCutVfs>();
    vfs->fail_sync(failing_sync);
    options.max_events = 20;
    options.log_keep = 1s;
    open_at_last();
    for (int i = 0; i < rounds && !HasFatalFailure(); ++i) {
      play_round(i);
      if (i == rounds / 2) {
        journal.reset();
        note_promise();
        open_at_last();
      }
    }
    journal.reset();
    note_promise();
    end = vfs->moment();
    vfs->end();
  }

  void play_round(int i) {
    const SeriesId id = series("plant/s" + std::to_string(i / 3));
    Batch batch;
    for (int k = 0; k < 20 + i % 60; ++k) batch.samples.push_back(sample(id, i * 1000 + k * 0.7));
    if (i % 3 == 0) {
      const Phase phase = i % 2 == 0 ? Phase::active : Phase::normal;
      batch.alerts = {alert("hot:" + std::to_string(i % 4), phase)};
      batch.events = {transition(batch.alerts[0], clock.now())};
    }
    clock.advance(200ms);
    auto stored = journal->append(batch);
    if (!stored) stored = journal->append(batch);
    ASSERT_TRUE(stored) << stored.error().text;
    truth.push_back(*stored);
    note_promise();
    for (const char* reader : {"cloud", "history"}) {
      if (i == 2) {
        ASSERT_TRUE(journal->position(reader) || journal->position(reader));
      }
      if (i > 4 && i % 4 == 0) {
        ASSERT_TRUE(journal->advance(reader, Seq{i - 2}));
      }
    }
    if (i > 4 && i % 4 == 0) {
      ASSERT_TRUE(journal->maintain() || journal->maintain());
    }
  }

  /// Of the syncs of a start one may fail.
  void open_at_last() {
    options.directory = directory.path();
    auto opened = Journal::open(options, clock, metrics);
    if (!opened) opened = Journal::open(options, clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    journal = std::move(*opened);
    ASSERT_TRUE(journal->notices().empty()) << journal->notices()[0];
  }

  /// Alert states after that many batches.
  std::map<std::string, Phase> alerts_after(std::size_t batches) const {
    std::map<std::string, Phase> alerts;
    for (std::size_t i = 0; i < batches; ++i) {
      for (const AlertRecord& record_of : truth[i]->alerts) {
        if (record_of.phase == Phase::normal) {
          alerts.erase(record_of.id);
        } else {
          alerts[record_of.id] = record_of.phase;
        }
      }
    }
    return alerts;
  }

  void check(std::size_t promised) {
    ASSERT_TRUE(journal->notices().empty()) << journal->notices()[0];
    const auto last = static_cast<std::size_t>(number(journal->last()));
    ASSERT_GE(last, promised);
    ASSERT_LE(last, truth.size());
    Seq after = prev(journal->first());
    while (after < journal->last()) {
      for (const BatchPtr& batch : read(after)) {
        ASSERT_FALSE(batch->gap);
        const Batch& written = *truth[static_cast<std::size_t>(number(batch->seq) - 1)];
        ASSERT_EQ(batch->samples, written.samples);
        ASSERT_EQ(batch->committed, written.committed);
        ASSERT_EQ(batch->alerts.size(), written.alerts.size());
        for (const Sample& s : batch->samples) ASSERT_LT(index(s.series), journal->catalogue().size());
        after = batch->seq;
      }
    }
    std::map<std::string, Phase> alerts;
    const auto stored = journal->alerts();
    ASSERT_TRUE(stored);
    for (const AlertRecord& record_of : *stored) alerts[record_of.id] = record_of.phase;
    EXPECT_EQ(alerts, alerts_after(last));
    const BatchPtr fresh = append_samples({sample(series("plant/after"), 1)});
    ASSERT_TRUE(fresh);
    EXPECT_EQ(static_cast<std::size_t>(number(fresh->seq)), last + 1);
    reopen();
    EXPECT_EQ(read(prev(fresh->seq)).at(0)->samples, fresh->samples);
    journal.reset();
    auto whole = sql::Connection::open(directory.path() / "journal.db", sql::Connection::Access::write);
    ASSERT_TRUE(whole);
    EXPECT_EQ(*whole->text("PRAGMA integrity_check"), "ok");
  }

  void clear_directory() {
    std::filesystem::remove_all(directory.path());
    std::filesystem::create_directories(directory.path());
  }

  void cut_at(std::size_t moment, PowerCutVfs::Unsynced what, unsigned seed) {
    SCOPED_TRACE(fmt::format("moment {}, seed {}", moment, seed));
    clear_directory();
    std::mt19937 random(seed);
    vfs->leave(moment, what, random);
    Promise promised{0, 0, ""};
    for (const Promise& promise : promises) {
      if (promise.moment <= moment) promised = promise;
    }
    std::ofstream(directory.path() / "journal.lock") << promised.lock;
    open();
    if (!HasFatalFailure()) check(promised.batches);
  }

  std::unique_ptr<PowerCutVfs> vfs;
  std::vector<Promise> promises;
  std::vector<BatchPtr> truth;
  std::size_t end = 0;
};

TEST_F(PowerCutTest, AtAnyMomentLosesNothingThatWasPromised) {
  play(60);
  if (HasFatalFailure()) return;
  ASSERT_GT(end, 1000u);
  for (std::size_t moment = 1; moment <= end && !HasFailure(); ++moment) {
    const auto what = moment % 8 == 0   ? PowerCutVfs::Unsynced::kept
                      : moment % 8 == 1 ? PowerCutVfs::Unsynced::dropped
                                        : PowerCutVfs::Unsynced::either;
    cut_at(moment, what, static_cast<unsigned>(moment));
  }
  RecordProperty("moments", static_cast<int>(end));
}

TEST_F(PowerCutTest, WhatAFailedSyncLeftUndoneTakesNothingWithIt) {
  int cuts = 0;
  for (std::size_t failing = 1; !HasFailure(); ++failing) {
    SCOPED_TRACE(fmt::format("sync {} fails", failing));
    promises.clear();
    truth.clear();
    clear_directory();
    play(14, failing);
    const auto failed = vfs->failed_at();
    if (HasFatalFailure() || !failed) break;
    // Each moment until the sync has been made up for, and some of those after it.
    for (std::size_t moment = *failed; moment <= end && !HasFailure(); moment += moment < *failed + 40 ? 1 : 11) {
      const auto what = moment % 3 == 0 ? PowerCutVfs::Unsynced::dropped : PowerCutVfs::Unsynced::either;
      cut_at(moment, what, static_cast<unsigned>(moment));
      ++cuts;
    }
  }
  EXPECT_GT(cuts, 1000);
  RecordProperty("cuts", cuts);
}

}  // namespace
}  // namespace tidegate::journal
