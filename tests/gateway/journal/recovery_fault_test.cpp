// The disk fails once, or for a while, at every operation of a recovery in turn: of a start after a crash, of a start
// that finds journal.db damaged, of its replacement in a run, of a history file's repair. When the disk is well again,
// all that was acknowledged is there, or what is lost is what the same recovery loses without a fault, told once.

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <map>
#include <set>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/faulty_vfs.h"
#include "tests/gateway/journal/history_support.h"
#include "tests/gateway/journal/random_store.h"
#include "tests/gateway/journal/store_image.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::size_t kLogPage = 512;

struct Fault {
  const char* name;
  int code;
  bool of_reads = false;
  bool lasting = false;
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class RecoveryFaultTest : public CompactionTest, public ::testing::WithParamInterface<Fault> {
 protected:
  RecoveryFaultTest() : CompactionTest(memory()) {
    options.cache_bytes = 0;
    options.log_keep = 1000h;
  }

  fs::path log_file() const { return directory.path() / "journal.db"; }

  void fill(int batches) {
    const SeriesId ids[] = {series("a"), series("b")};
    for (int i = 0; i < batches; ++i) {
      Batch batch;
      for (int k = 0; k < 24; ++k) batch.samples.push_back(sample(ids[k % 2], i + k * 0.37));
      batch.events = {{clock.now(), Notice{"test", std::to_string(i)}}};
      if (i % 5 == 0) batch.alerts = {alert("hot:" + std::to_string(i), Phase::active)};
      all.insert(all.end(), batch.samples.begin(), batch.samples.end());
      clock.advance(10min);
      truth.push_back(append(std::move(batch)));
    }
    ASSERT_TRUE(journal->position("cloud"));
    ASSERT_TRUE(journal->advance("cloud", prev(journal->last())));
    ASSERT_TRUE(journal->maintain());
  }

  /// A gateway that was killed: most of the log is in the file, its end in the WAL.
  StoreImage crashed() {
    open();
    fill(12);
    reopen();
    fill(5);
    return StoreImage(directory.path());
  }

  static std::size_t leaf(const fs::path& file, const char* table, std::size_t nth) {
    auto connection = sql::Connection::open(file, sql::Connection::Access::write);
    EXPECT_TRUE(connection);
    auto rows = connection->prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path");
    EXPECT_TRUE(rows);
    rows->bind(table);
    for (std::size_t i = 0; i <= nth; ++i) {
      const auto row = rows->step();
      EXPECT_TRUE(row && *row);
    }
    return static_cast<std::size_t>(rows->integer(0));
  }

  void arm(int nth) {
    const Fault& fault = GetParam();
    if (fault.of_reads) {
      vfs.arm_reads(nth, fault.lasting);
    } else {
      vfs.arm(nth, fault.code, fault.lasting);
    }
  }

  /// As a service that is started again and again.
  void open_at_last(int attempts = 3) {
    options.directory = directory.path();
    while (attempts-- > 0) {
      auto opened = Journal::open(options, clock, metrics);
      if (!opened) continue;
      journal = std::move(*opened);
      return;
    }
  }

  struct Found {
    std::string epoch;
    std::set<std::int64_t> batches;  ///< those that are what was written
    std::vector<std::string> events;
    std::vector<std::string> told;  ///< of damage
    std::map<std::string, Phase> alerts;
    std::int64_t cloud = 0;
    std::vector<Sample> history;
  };

  /// Of a notice what does not tell of the moment.
  static std::string without_times(const std::string& text) {
    const auto at = text.find("were saved");
    return at == text.npos ? text.substr(text.rfind(": ") + 1) : text.substr(text.rfind(": ", at) + 1);
  }

  Found look() {
    Found found{.epoch = journal->epoch()};
    for (Seq after{0}; after < journal->last();) {
      const auto batches = read(after);
      if (batches.empty()) break;
      for (const BatchPtr& batch : batches) {
        const auto at = static_cast<std::size_t>(number(batch->seq) - 1);
        if (!batch->gap && at < truth.size() && batch->samples == truth[at]->samples) {
          found.batches.insert(number(batch->seq));
        }
        after = batch->seq;
      }
    }
    const auto events = journal->events({.limit = 10'000});
    EXPECT_TRUE(events);
    for (const StoredEvent& stored : *events) {
      const auto& notice = std::get<Notice>(stored.event.body);
      if (notice.kind == "test") {
        found.events.push_back(notice.text);
      } else {
        found.told.push_back(without_times(notice.text));
      }
    }
    const auto alerts = journal->alerts();
    EXPECT_TRUE(alerts);
    for (const AlertRecord& one : *alerts) found.alerts[one.id] = one.phase;
    found.cloud = number(*journal->position("cloud"));
    found.history = stored(series("a"), at(0), clock.now() + 1h);
    return found;
  }

  /// Life goes on where it is.
  void expect_works() {
    const Seq before = journal->last();
    const BatchPtr fresh = append_samples({sample(series("a"), 1)});
    ASSERT_TRUE(fresh);
    EXPECT_EQ(fresh->seq, next(before));
    EXPECT_TRUE(journal->maintain());
  }

  /// The same from `image` with a fault at each operation of `work` in turn.
  template <class Work>
  void at_every_operation(const StoreImage& image, const Found& wanted, const Work& work) {
    const Timestamp began = clock.now();
    int hits = 0;
    for (int nth = 1; !HasFailure(); ++nth) {
      SCOPED_TRACE(fmt::format("operation {}", nth));
      journal.reset();
      image.put(directory.path());
      clock.set(began);
      work([&] { arm(nth); });
      const bool hit = vfs.faults() > 0;
      vfs.disarm();
      journal.reset();
      open();
      if (HasFatalFailure()) return;
      expect_same(look(), wanted);
      expect_works();
      if (!hit) break;
      ++hits;
    }
    EXPECT_GT(hits, least);
    RecordProperty("operations", hits);
  }

  static void expect_same(const Found& found, const Found& wanted) {
    EXPECT_EQ(found.epoch, wanted.epoch);
    EXPECT_EQ(found.batches, wanted.batches);
    EXPECT_EQ(found.events, wanted.events);
    EXPECT_EQ(found.told, wanted.told);
    EXPECT_EQ(found.alerts, wanted.alerts);
    EXPECT_EQ(found.cloud, wanted.cloud);
    EXPECT_EQ(difference(found.history, wanted.history), "");
  }

  std::vector<BatchPtr> truth;
  FaultyVfs vfs;
  int least = 20;  ///< operations that a recovery has
};

TEST_P(RecoveryFaultTest, AStartAfterACrash) {
  const StoreImage image = crashed();
  const Found wanted = look();
  EXPECT_EQ(wanted.batches.size(), truth.size());
  EXPECT_TRUE(wanted.told.empty());
  least = 1;  // the WAL is written once more, and synced
  at_every_operation(image, wanted, [&](const auto& fail) {
    fail();
    open_at_last();
  });
}

TEST_P(RecoveryFaultTest, AStartThatFindsTheLogDamaged) {
  StoreImage image = crashed();
  journal.reset();
  const std::size_t page = leaf(log_file(), "batch", 1);
  image.files.at("journal.db").replace((page - 1) * kLogPage, kLogPage, kLogPage, '\x5a');
  image.put(directory.path());
  open();
  const Found wanted = look();
  EXPECT_LT(wanted.batches.size(), truth.size());
  EXPECT_GT(wanted.batches.size(), truth.size() - 6);
  EXPECT_EQ(wanted.told.size(), 1u);
  at_every_operation(image, wanted, [&](const auto& fail) {
    fail();
    open_at_last();
  });
}

/// However far the start came that failed: numbers were given that nobody knows of, and the next one does not forget
/// it.
TEST_P(RecoveryFaultTest, AStartThatFindsTheLogDamagedAndItsWalGone) {
  StoreImage image = crashed();
  const std::string epoch = journal->epoch();
  journal.reset();
  const std::size_t page = leaf(log_file(), "batch", 1);
  image.files.at("journal.db").replace((page - 1) * kLogPage, kLogPage, kLogPage, '\x5a');
  image.files.erase("journal.db-wal");
  bool hit = true;
  int hits = 0;
  for (int nth = 1; hit && !HasFailure(); ++nth) {
    SCOPED_TRACE(fmt::format("operation {}", nth));
    journal.reset();
    image.put(directory.path());
    arm(nth);
    open_at_last(1);
    hit = vfs.faults() > 0;
    hits += hit ? 1 : 0;
    vfs.disarm();
    journal.reset();
    open();
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_NE(journal->epoch(), epoch);
    EXPECT_THAT(look().told, ::testing::Contains(::testing::HasSubstr("what was in it is lost")));
  }
  EXPECT_GT(hits, least);
}

TEST_P(RecoveryFaultTest, AReplacementInARun) {
  StoreImage image = crashed();
  journal.reset();
  const std::size_t page = leaf(log_file(), "batch", 1);
  const auto run_into_it = [&](const auto& fail) {
    open();
    ASSERT_FALSE(HasFatalFailure());
    {  // else the writer goes on with what it has in memory
      auto other = sql::Connection::open(log_file(), sql::Connection::Access::write);
      ASSERT_TRUE(other && other->run("INSERT INTO meta VALUES('touched', 1)"));
    }
    std::fstream file(log_file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>((page - 1) * kLogPage));
    file << std::string(kLogPage, '\x5a') << std::flush;
    for (Seq after{0}; after < journal->last();) after = read(after).back()->seq;
    fail();
    static_cast<void>(journal->maintain());
    vfs.disarm();
    EXPECT_TRUE(journal->maintain()) << "it is tried again";
    EXPECT_EQ(journal->notices().size(), 1u);
  };
  image.put(directory.path());
  run_into_it([] {});
  const Found wanted = look();
  EXPECT_LT(wanted.batches.size(), truth.size());
  EXPECT_EQ(wanted.told.size(), 1u);
  at_every_operation(image, wanted, run_into_it);
}

TEST_P(RecoveryFaultTest, ARepairOfADayOfHistory) {
  open();
  fill(60);
  compact();
  const fs::path day = directory.path() / "history" / "2023-11-15.db";
  ASSERT_TRUE(fs::exists(day));
  journal.reset();
  const std::size_t page = leaf(day, "chunk", 0);
  StoreImage image(directory.path());
  const std::size_t size = 4096;
  image.files.at("history/2023-11-15.db").replace((page - 1) * size, size, size, '\x5a');
  const auto run_into_it = [&](const auto& fail) {
    open();
    ASSERT_FALSE(HasFatalFailure());
    const std::vector<SeriesId> one{series("a")};
    ASSERT_TRUE(journal->history(one, clock.now() - 240h, clock.now(), 100'000));
    fail();
    static_cast<void>(journal->compact({}, true));
    static_cast<void>(journal->maintain());
    vfs.disarm();
    ASSERT_TRUE(compact_through_failures(1));
  };
  image.put(directory.path());
  run_into_it([] {});
  const Found wanted = look();
  EXPECT_EQ(wanted.told.size(), 1u);
  EXPECT_LT(wanted.history.size(), all.size() / 2);
  EXPECT_FALSE(wanted.history.empty());
  at_every_operation(image, wanted, run_into_it);
}

INSTANTIATE_TEST_SUITE_P(Faults, RecoveryFaultTest,
                         ::testing::Values(Fault{"full", SQLITE_FULL}, Fault{"write", SQLITE_IOERR_WRITE},
                                           Fault{"sync", SQLITE_IOERR_FSYNC}, Fault{"read", SQLITE_IOERR_READ, true},
                                           Fault{"lasting", SQLITE_IOERR_FSYNC, false, true}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tidegate::journal
