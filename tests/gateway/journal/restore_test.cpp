// Put back, a backup is the store of its moment in a new epoch.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>

#include "tests/gateway/journal/backup_support.h"

namespace tidegate::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

}  // namespace
}  // namespace tidegate::journal
