// A backup is a store of one moment, whatever goes on meanwhile; put back, it is that store in a new epoch.

#include "gateway/journal/backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>

#include "gateway/journal/check.h"
#include "gateway/journal/history/year_file.h"
#include "gateway/journal/reinstate.h"
#include "gateway/journal/scan.h"
#include "tests/gateway/journal/random_store.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class BackupTest : public RandomStore {
 protected:
  BackupTest() { options.log_keep = 0s; }

  fs::path backup() const { return copies / "backup"; }
  fs::path restored() const { return copies / "restored"; }

  Result<Backup> take(const std::function<void(const std::string&)>& meanwhile = [](const std::string&) {}) {
    return back_up(directory.path(), backup(), clock.now(),
                   {[&](const std::string& file, std::uint64_t, std::uint64_t) { meanwhile(file); }, {}});
  }
  Result<Reinstated> put_back(bool force = false) {
    auto copy = prepare(force);
    if (!copy) return fail(copy.error());
    return copy->finish([]() -> Status { return fail(Errc::timed_out, "nobody is waited for"); });
  }
  Result<Restore> prepare(bool force = false) {
    return Restore::prepare(backup(), restored(), force, clock.moment(), {[](auto&&...) {}, {}});
  }

  /// Where the samples of a store differ from all that was given to this one.
  std::string wrong_samples(const fs::path& store) {
    const auto opened = StoreView::open(store);
    if (!opened) return opened.error().text;
    std::string wrong;
    for (std::size_t place = 0; place < (*opened)->series().size(); ++place) {
      std::vector<Sample> found;
      Scan scan(**opened, {.series = {place}});
      for (auto portion = scan.next(); portion && !portion->samples.empty(); portion = scan.next()) {
        found.insert(found.end(), portion->samples.begin(), portion->samples.end());
      }
      for (Sample& one : found) one.series = SeriesId{};
      wrong += difference(found, expected(which((*opened)->series()[place].name)));
      wrong += wrong_rollups(**opened, place, found);
    }
    return wrong + ((*opened)->reading().sound() ? "" : "damage");
  }
  /// By hours and days, of which what is complete comes from the year's file.
  std::string wrong_rollups(StoreView& store, std::size_t place, const std::vector<Sample>& samples) {
    const auto from = history::day_of(clock.now()) - std::chrono::days(8);
    const auto buckets = store.history(std::span(&place, 1), from, from + std::chrono::days(10), 5);
    if (!buckets) return buckets.error().text;
    std::size_t counted = 0;
    for (const Bucket& bucket : buckets->front().buckets) counted += bucket.count + bucket.bad;
    const auto there = std::count_if(samples.begin(), samples.end(), [&](const Sample& one) {
      return one.time >= Timestamp(from) && one.time < Timestamp(from) + 240h;
    });
    if (counted == static_cast<std::size_t>(there)) return "";
    return fmt::format("{}: rollups tell of {} samples, and there are {}", store.series()[place].name, counted, there);
  }
  static std::vector<std::string> damages(const fs::path& store) {
    std::vector<std::string> found;
    const CheckReport report{
        [&](const Damage& damage) { found.push_back(damage.extent + ": " + damage.what); }, [](std::uint64_t) {}, {}};
    EXPECT_TRUE(check_log(store / "journal.db", report));
    for (const auto& day : history::day_files(store / "history")) {
      EXPECT_TRUE(check_day(day, store / "journal.db", report));
    }
    for (const auto& year : history::year_files(store / "history")) EXPECT_TRUE(check_year(year.path, report));
    return found;
  }
  /// One day in history, the next begun.
  void fill_two_days(std::mt19937& random) {
    fill(random, 60);
    clock.advance(30h);
    compact();
    fill(random, 30);
  }
  /// The restored store takes this one's place.
  void go_on_restored() {
    journal.reset();
    fs::remove_all(directory.path());
    fs::rename(restored(), directory.path());
    open();
  }

  test::TempDir copies;
};

TEST_F(BackupTest, IsTheStoreOfItsMoment) {
  open();
  std::mt19937 random(41);
  fill_two_days(random);
  const auto made = take();
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->last, journal->last());
  EXPECT_EQ(wrong_samples(backup()), "");
  EXPECT_THAT(damages(backup()), IsEmpty());
  const auto read = read_backup(backup());
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->epoch, journal->epoch());
  EXPECT_EQ(read->files.size(), made->files.size());
  EXPECT_GT(read->files.size(), 2u);
  EXPECT_FALSE(fs::exists(backup().string() + ".partial"));
}

TEST_F(BackupTest, OfADamagedLogWhatCanBeReadIsPutBack) {
  open();
  std::mt19937 random(47);
  fill(random, 30);
  journal.reset();
  {
    auto log = sql::Connection::open(directory.path() / "journal.db", sql::Connection::Access::write);
    ASSERT_TRUE(log);
    ASSERT_TRUE(
        log->run("UPDATE batch SET samples_before = samples_before + (1 << 40), committed = 1 << 62 "
                 "WHERE seq = (SELECT max(seq) FROM batch)"));
  }
  ASSERT_TRUE(take());
  const auto done = put_back();
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_THAT(done->lost, HasSubstr("lost are at least 1 batches"));
  EXPECT_THAT(damages(restored()), ElementsAre(HasSubstr("missing")));
  const std::size_t kept = done->lost.find("journal.db.corrupt-");
  ASSERT_NE(kept, std::string::npos);
  EXPECT_TRUE(fs::exists(restored() / done->lost.substr(kept, done->lost.find(' ', kept) - kept)));
  go_on_restored();
  EXPECT_TRUE(journal->notices().empty());
}

TEST_F(BackupTest, WhatHistoryGotAfterTheLogWasCopiedIsInItOnce) {
  open();
  std::mt19937 random(43);
  fill_two_days(random);
  const std::vector<Sample> before = all;
  bool done = false;
  const auto made = take([&](const std::string& file) {
    if (file != "journal.db" || std::exchange(done, true)) return;
    fill(random, 30);  // late samples of a day that is rolled up among them
    compact();
    clock.advance(30h);
    compact();
  });
  ASSERT_TRUE(made) << made.error().text;
  ASSERT_GT(all.size(), before.size());
  all = before;
  EXPECT_EQ(wrong_samples(backup()), "");
  EXPECT_THAT(damages(backup()), IsEmpty());
  ASSERT_TRUE(put_back());
  EXPECT_EQ(wrong_samples(restored()), "");
  go_on_restored();
  compact();
  clock.advance(30h);
  compact();
  EXPECT_EQ(wrong_samples(directory.path()), "");
  EXPECT_THAT(damages(directory.path()), IsEmpty());
  EXPECT_FALSE(history::complete_days(directory / "history")->empty());
}

TEST_F(BackupTest, ALargeLogIsCopiedInPiecesOfOneSnapshot) {
  open();
  make_series();
  std::mt19937 random(59);
  const auto store = [&](int batches) {
    for (int i = 0; i < batches; ++i) {
      std::vector<Sample> samples;
      for (int k = 0; k < 5000; ++k) {
        const double noise = static_cast<double>(random()) / 7 + static_cast<double>(random()) * 1e-9;
        samples.push_back({.series = ids[0], .time = clock.now(), .value = noise});
        clock.advance(1ms);
      }
      all.insert(all.end(), samples.begin(), samples.end());
      append_samples(std::move(samples));
    }
    ASSERT_TRUE(journal->maintain());  // a checkpoint, where one is due
  };
  store(100);
  const std::vector<Sample> before = all;
  const Seq last = journal->last();
  std::vector<std::uint64_t> done;
  const auto made = back_up(directory.path(), backup(), clock.now(),
                            {[&](const std::string&, std::uint64_t so_far, std::uint64_t) {
                               done.push_back(so_far);
                               if (done.size() < 4) store(30);
                             },
                             {}});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_GE(done.size(), 4u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end())) << "never begun anew";
  EXPECT_EQ(made->last, last);
  all = before;
  EXPECT_EQ(wrong_samples(backup()), "");
  EXPECT_THAT(damages(backup()), IsEmpty());
}

TEST_F(BackupTest, OneOfAnyMomentConservesEverySample) {
  open();
  std::mt19937 random(47);
  for (int i = 0; i < 6; ++i) {
    fill(random, 40);
    fs::remove_all(backup());
    ASSERT_TRUE(take());
    EXPECT_EQ(wrong_samples(backup()), "");
    ASSERT_TRUE(put_back());
    EXPECT_EQ(wrong_samples(restored()), "");
    go_on_restored();  // and from here on
  }
}

TEST_F(BackupTest, PutBackItGoesOnInANewEpochAndIsMissingNothing) {
  open();
  std::mt19937 random(53);
  fill_two_days(random);
  ASSERT_TRUE(take());
  const std::string epoch = journal->epoch();
  const Seq last = journal->last();
  ASSERT_TRUE(put_back());
  EXPECT_THAT(test::read_file(restored() / "journal.lock"), HasSubstr("\nclosed\n"));
  go_on_restored();
  EXPECT_NE(journal->epoch(), epoch);
  EXPECT_EQ(journal->last(), next(last));
  EXPECT_THAT(journal->notices(), IsEmpty()) << "nothing is missing or damaged";
  const auto batches = read(last);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_THAT(std::get<Notice>(batches[0]->events.at(0).body).text, HasSubstr("restored from a backup"));
}

TEST_F(BackupTest, OneThatIsStoppedLeavesNothingBehind) {
  open();
  std::mt19937 random(3);
  fill_two_days(random);
  std::stop_source stop;
  const auto made =
      back_up(directory.path(), backup(), clock.now(), {[&](auto&&...) { stop.request_stop(); }, stop.get_token()});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::stopped);
  EXPECT_TRUE(fs::is_empty(copies.path()));
}

TEST_F(BackupTest, IsNotMadeOverAnything) {
  open();
  fs::create_directory(backup());
  const auto made = take();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::conflict);
  EXPECT_TRUE(fs::is_empty(backup()));
}

TEST_F(BackupTest, IsPutBackOverDataOnlyByForceAndNothingIsLost) {
  open();
  std::mt19937 random(5);
  fill(random, 10);
  ASSERT_TRUE(take());
  options.directory = restored();
  auto other = Journal::open(options, clock, metrics);
  ASSERT_TRUE(other);
  EXPECT_EQ(put_back().error().code, Errc::conflict);
  Batch batch;
  batch.samples = {{.series = *(*other)->catalogue().intern("other", {}), .time = clock.now(), .value = 7}};
  ASSERT_TRUE((*other)->append(std::move(batch)));
  other->reset();

  const auto occupied = put_back();
  ASSERT_FALSE(occupied);
  EXPECT_THAT(occupied.error().text, HasSubstr("--force"));
  const auto forced = put_back(true);
  ASSERT_TRUE(forced) << forced.error().text;
  EXPECT_EQ(wrong_samples(restored()), "");
  const auto aside = StoreView::open(forced->aside);
  ASSERT_TRUE(aside);
  EXPECT_TRUE((*aside)->find("other"));
}

/// Another store in that place, with a gateway at work in it.
class RestoreBesideAGateway : public BackupTest {
 protected:
  void SetUp() override {
    open();
    std::mt19937 random(17);
    fill_two_days(random);
    ASSERT_TRUE(take());
    options.directory = restored();
    start();
    Batch batch;
    batch.samples = {{.series = *gateway->catalogue().intern("other", {}), .time = clock.now(), .value = 7}};
    ASSERT_TRUE(gateway->append(batch));
    ASSERT_TRUE(gateway->compact({}, true));
  }
  void start() {
    auto opened = Journal::open(options, clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    gateway = std::move(*opened);
  }
  std::unique_ptr<Journal> gateway;
};

TEST_F(RestoreBesideAGateway, IsTakenByTheGatewaysStart) {
  auto copy = prepare(true);
  ASSERT_TRUE(copy) << copy.error().text;
  const auto looked = StoreView::open(restored());
  ASSERT_TRUE(looked);
  EXPECT_TRUE((*looked)->find("other")) << "until then nothing has changed";
  int waits = 0;
  const auto done = copy->finish([&]() -> Status {
    if (++waits == 3) {
      EXPECT_TRUE(restore_waits(restored()));
      gateway.reset();
      start();
      EXPECT_FALSE(restore_waits(restored()));
    }
    return {};
  });
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_TRUE(done->by_gateway);
  EXPECT_EQ(waits, 3);
  const auto aside = StoreView::open(done->aside);
  ASSERT_TRUE(aside);
  EXPECT_TRUE((*aside)->find("other"));
  gateway.reset();
  EXPECT_EQ(wrong_samples(restored()), "");
}

TEST_F(RestoreBesideAGateway, OneThatLeavesLeavesTheRestToTheCommand) {
  auto copy = prepare(true);
  ASSERT_TRUE(copy) << copy.error().text;
  const auto done = copy->finish([&]() -> Status {
    gateway.reset();
    return {};
  });
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_FALSE(done->by_gateway);
  EXPECT_TRUE(fs::exists(done->aside / "journal.db"));
  EXPECT_EQ(wrong_samples(restored()), "");
}

TEST_F(RestoreBesideAGateway, OneThatDoesNotTakeItFindsItAtItsNextStartAndNoSecondOneComesBetween) {
  {
    auto copy = prepare(true);
    ASSERT_TRUE(copy) << copy.error().text;
    EXPECT_THAT(prepare(true).error().text, HasSubstr("another restore is at work"));
    const auto given_up = copy->finish([]() -> Status { return fail(Errc::timed_out, "enough"); });
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().text, "enough");
  }
  EXPECT_THAT(prepare(true).error().text, HasSubstr("an earlier restore is ready"));
  gateway.reset();
  start();
  EXPECT_FALSE(gateway->catalogue().find("other"));
  gateway.reset();
  EXPECT_EQ(wrong_samples(restored()), "");
}

TEST_F(BackupTest, ADamagedOneChangesNothing) {
  open();
  std::mt19937 random(7);
  fill_two_days(random);
  const auto made = take();
  ASSERT_TRUE(made);
  for (const Backup::File& file : made->files) {
    SCOPED_TRACE(file.name);
    const std::string whole = test::read_file(backup() / file.name);
    std::string bytes = whole;
    bytes[random() % bytes.size()] ^= 1;
    std::ofstream(backup() / file.name, std::ios::binary) << bytes;
    const auto refused = put_back();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corrupt);
    EXPECT_THAT(refused.error().text, HasSubstr(file.name));
    EXPECT_FALSE(fs::exists(restored() / "journal.db") || fs::exists(restored() / "history"));
    std::ofstream(backup() / file.name, std::ios::binary) << whole;
  }
  EXPECT_TRUE(put_back());
}

/// What stands where a file of it stood: a link to the very same bytes, one without end, a pipe that nobody writes to.
TEST_F(BackupTest, OneThatLeadsElsewhereChangesNothing) {
  open();
  std::mt19937 random(7);
  fill_two_days(random);
  const auto made = take();
  ASSERT_TRUE(made);
  for (const std::string& name : {made->files.front().name, made->files.back().name}) {
    SCOPED_TRACE(name);
    const fs::path file = backup() / name, moved = copies / "moved";
    fs::rename(file, moved);
    const auto refused = [&](const char* what) {
      const auto restored = put_back();
      EXPECT_TRUE(!restored && restored.error().code == Errc::corrupt) << what;
      EXPECT_FALSE(fs::exists(this->restored() / "journal.db") || fs::exists(this->restored() / "history")) << what;
      fs::remove(file);
    };
    fs::create_symlink(moved, file);
    refused("a link");
    fs::create_symlink("/dev/zero", file);
    refused("a link to a device");
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    refused("a pipe");
    fs::create_directory(file);
    refused("a folder");
    fs::rename(moved, file);
  }
  fs::rename(backup() / "history", copies / "history");
  fs::create_directory_symlink(copies / "history", backup() / "history");
  EXPECT_EQ(put_back().error().code, Errc::corrupt) << "a link to a folder";
  fs::remove(backup() / "history");
  fs::rename(copies / "history", backup() / "history");
  EXPECT_TRUE(put_back());
}

TEST_F(BackupTest, ARestoreThatWasCutOffIsFinishedByTheNextStart) {
  open();
  std::mt19937 random(11);
  fill_two_days(random);
  ASSERT_TRUE(take());
  ASSERT_TRUE(put_back());
  const auto samples = all;
  fill(random, 30);  // what the restore is to replace; its WAL is there
  test::TempDir left;
  fs::copy(directory.path(), left / "store", fs::copy_options::recursive);
  journal.reset();
  all = samples;
  // With `done` of its names in place; the last two are the moments before it removes its folder.
  for (int done = 0; done <= 3; ++done) {
    SCOPED_TRACE(done);
    const fs::path store = copies / ("store-" + std::to_string(done));
    fs::copy(left / "store", store, fs::copy_options::recursive);
    fs::create_directory(store / "restore.ready");
    fs::copy(restored() / "history", store / "restore.ready" / "history", fs::copy_options::recursive);
    fs::copy(restored() / "journal.db", store / "restore.ready" / "journal.db");
    const fs::path aside = store / "restore.ready/replaced-then";
    fs::create_directory(aside);
    if (done > 0) {
      fs::rename(store / "history", aside / "history");
      fs::rename(store / "restore.ready/history", store / "history");
    }
    if (done > 1) {
      for (const char* name : {"journal.db", "journal.db-wal", "journal.db-shm"}) {
        fs::rename(store / name, aside / name);
      }
      fs::rename(store / "restore.ready/journal.db", store / "journal.db");
    }
    if (done > 2) fs::rename(aside, store / "replaced-then");
    options.directory = store;
    auto opened = Journal::open(options, clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_THAT((*opened)->notices(), IsEmpty());
    opened->reset();
    EXPECT_EQ(wrong_samples(store), "");
    EXPECT_FALSE(fs::exists(store / "restore.ready"));
    const auto replaced = StoreView::open(store / "replaced-then");
    ASSERT_TRUE(replaced);
    EXPECT_GT((*replaced)->series().size(), 0u) << "whole, in one folder";
    EXPECT_EQ(history::day_files(store / "replaced-then/history").size(),
              history::day_files(left / "store/history").size());
  }
}

TEST_F(BackupTest, ADayThatIsDamagedIsCopiedAsItIsAndTold) {
  open();
  std::mt19937 random(13);
  fill_two_days(random);
  const auto day = history::day_files(directory / "history").at(0);
  std::ofstream(day.path, std::ios::binary) << std::string(20'000, 'x');
  const auto made = take();
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_THAT(made->damaged, ElementsAre("history/" + day.path.filename().string()));
  EXPECT_EQ(test::read_file(backup() / made->damaged[0]), std::string(20'000, 'x'));
}

TEST_F(BackupTest, SaysWhatIsNone) {
  EXPECT_THAT(put_back().error().text, HasSubstr("is no backup"));
  fs::create_directories(backup());
  ASSERT_EQ(::mkfifo((backup() / "backup.json").c_str(), 0600), 0);
  EXPECT_THAT(put_back().error().text, HasSubstr("is no backup"));
  fs::remove(backup() / "backup.json");
  std::ofstream(backup() / "backup.json") << R"({"tidegate_backup": 2})";
  EXPECT_THAT(put_back().error().text, HasSubstr("newer version"));
  for (const char* name : {"../../etc/passwd", "/etc/passwd", "history/../../x", "..", ""}) {
    std::ofstream(backup() / "backup.json")
        << R"({"tidegate_backup":1,"made":"2026-03-01T00:00:00Z","committed":"2026-03-01T00:00:00Z","epoch":"0","last_batch":1,)"
        << R"("batches_in_history":0,"damaged":[],"files":[{"bytes":1,"crc32c":1,"name":")" << name << "\"}]}";
    EXPECT_THAT(put_back().error().text, HasSubstr("leads elsewhere")) << name;
  }
}

}  // namespace
}  // namespace tidegate::journal
