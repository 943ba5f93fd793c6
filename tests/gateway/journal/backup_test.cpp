// A backup is a store of one moment, whatever goes on meanwhile.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/gateway/journal/backup_support.h"

namespace tidegate::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
