// History against a list of all samples: whatever was compacted, rolled up, cut off or reopened in between.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <thread>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/history_support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_F(CompactionTest, WhatIsCompactedIsReadAsBefore) {
  open();
  const SeriesId a = series("a"), b = series("b");
  for (int i = 0; i < 100; ++i) keep({sample(a, i), sample(b, -i)});
  compact();
  EXPECT_EQ(journal->position("history"), journal->last());
  for (int i = 0; i < 50; ++i) keep({sample(a, i / 10.0)});
  for (const SeriesId id : {a, b}) {
    EXPECT_EQ(stored(id, all.front().time, clock.now()), expected(id, all.front().time, clock.now()));
    expect_sound(id, all.front().time, clock.now(), 7);
  }
}

TEST_F(CompactionTest, TheLogGoesOnceHistoryHasItAndEveryCursorIsBeyond) {
  options.log_keep = 1min;
  open();
  const SeriesId a = series("a");
  for (int i = 0; i < 400; ++i) keep({sample(a, i)});
  ASSERT_TRUE(journal->position("uplink/cloud/samples"));
  ASSERT_TRUE(journal->advance("uplink/cloud/samples", Seq{300}));
  compact();
  clock.advance(1h);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->first(), Seq{301}) << "the uplink has not sent the rest";
  ASSERT_TRUE(journal->advance("uplink/cloud/samples", Seq{400}));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->first(), Seq{400}) << "the newest stays";
  EXPECT_EQ(stored(a, all.front().time, clock.now()), all);
}

/// A commit that failed may be in the file for all that, and its owner comes with another batch of that number.
TEST_F(CompactionTest, ABatchThatWasNotPromisedIsNotTakenOver) {
  open();
  const SeriesId a = series("a");
  for (int i = 0; i < 3; ++i) keep({sample(a, i)});
  {
    auto other = sql::Connection::open(directory.path() / "journal.db", sql::Connection::Access::write);
    ASSERT_TRUE(other);
    ASSERT_TRUE(other->run(
        "INSERT INTO batch SELECT seq + 1, committed, first_time, last_time, samples, samples_before + 1, events, "
        "alerts, alerts_crc, data, unset, crc FROM batch ORDER BY seq DESC LIMIT 1"));
  }
  compact();
  EXPECT_EQ(journal->position("history"), journal->last());
  EXPECT_EQ(view()->visible().through, journal->last());
}

/// What a power cut leaves: the files, which nobody closed.
fs::path as_left(const fs::path& running, const fs::path& copy) {
  fs::create_directories(copy);
  for (const char* name : {"journal.db", "journal.db-wal"}) fs::copy_file(running / name, copy / name);
  return copy;
}

TEST_F(CompactionTest, TheNewestSampleOfASilentSeriesOutlivesItsBatch) {
  options.log_keep = 1min;
  open();
  const SeriesId quiet = series("quiet"), busy = series("busy");
  const Sample last_word = sample(quiet, 7);
  keep({last_word});
  for (int i = 0; i < 100; ++i) keep({sample(busy, i)});
  compact();
  clock.advance(1h);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(journal->first(), journal->last());
  Options left = options;
  left.directory = as_left(options.directory, options.directory / "copy");
  const auto again = Journal::open(left, clock, metrics);
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ((*again)->latest().at(index(quiet)), last_word);
}

TEST_F(CompactionTest, TheLogStaysAsLongAsTheRulesLookBack) {
  options.log_keep = 1min;
  open();
  const SeriesId a = series("a");
  for (int i = 0; i < 10; ++i) keep({sample(a, i)});
  compact();
  journal->keep_log_for(3h);
  clock.advance(2h);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->first(), Seq{1});
  journal->keep_log_for(Micros{0});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->first(), journal->last());
}

TEST_F(CompactionTest, ADayThatIsOverIsRolledUpAndLateSamplesStillCount) {
  open();
  const SeriesId a = series("a");
  const Timestamp start = clock.now();
  for (int i = 0; i < 3 * 24; ++i) {
    std::vector<Sample> hour;
    for (int j = 0; j < 360; ++j) {
      hour.push_back(sample(a, (i * 7 + j * 3) % 100 / 10.0));
      clock.advance(10s);
    }
    keep(std::move(hour));
  }
  clock.advance(2h);
  compact();
  EXPECT_TRUE(fs::exists(directory.path() / "history" / "2023.rollup.db"));
  for (const std::size_t points : {3u, 10u, 100u, 1000u}) expect_sound(a, start, clock.now(), points);
  Sample late = sample(a, 99.5);
  late.time = start + 30h;
  keep({late});
  for (const std::size_t points : {3u, 10u, 100u, 1000u}) expect_sound(a, start, clock.now(), points);
  compact();
  for (const std::size_t points : {3u, 10u, 100u, 1000u}) expect_sound(a, start, clock.now(), points);
  clock.advance(2h);
  compact();
  for (const std::size_t points : {3u, 10u, 100u, 1000u}) expect_sound(a, start, clock.now(), points);
}

TEST_F(CompactionTest, RetentionRemovesWholeDaysAndKeepsTheirHours) {
  options.retention = 48h;
  open();
  const SeriesId a = series("a");
  const Timestamp start = clock.now();
  for (int i = 0; i < 5 * 24; ++i) {
    keep({sample(a, i)});
    clock.advance(1h);
    if (i % 24 == 23) compact();
  }
  compact();
  EXPECT_FALSE(fs::exists(directory.path() / "history" / "2023-11-14.db"));
  EXPECT_TRUE(fs::exists(directory.path() / "history" / "2023-11-19.db"));
  const std::vector<SeriesId> one{a};
  const auto days = journal->history(one, start - 24h, clock.now(), 3);
  ASSERT_TRUE(days);
  std::uint32_t count = 0;
  for (const Bucket& bucket : days->at(0).buckets) count += bucket.count;
  EXPECT_GE(count, all.size() - 2) << "days outlive their samples; only a broken first hour is lost";
}

/// Three days of one series, a sample each two seconds, of values that do not compress.
class FullHistoryTest : public CompactionTest {
 protected:
  void fill() {
    open();
    a = series("a");
    for (int hour = 0; hour < 72; ++hour) {
      std::vector<Sample> samples;
      for (int i = 0; i < 1800; ++i) {
        samples.push_back(sample(a, 1.0 / (1 + hour * 1800 + i)));
        clock.advance(2s);
      }
      keep(std::move(samples));
    }
    clock.advance(2h);
    compact();
  }
  std::uint64_t bytes() const {
    std::uint64_t all_bytes = 0;
    for (const auto& file : fs::directory_iterator(directory.path() / "history")) all_bytes += file.file_size();
    return all_bytes;
  }
  void shrink_to(std::uint64_t max_bytes) {
    journal.reset();
    options.max_history_bytes = max_bytes;
    open();
    compact();
  }
  SeriesId a{};
};

TEST_F(FullHistoryTest, TheOldestDayGoes) {
  fill();
  shrink_to(bytes() - 1);
  EXPECT_FALSE(fs::exists(directory.path() / "history" / "2023-11-14.db"));
  EXPECT_TRUE(fs::exists(directory.path() / "history" / "2023-11-15.db"));
}

TEST_F(FullHistoryTest, ThinnedDaysKeepATenthOfTheirSamplesAndAllOfTheirMinutes) {
  options.when_full = WhenFull::thin;
  fill();
  const std::vector<SeriesId> one{a};
  const Timestamp from = all.front().time;
  const Timestamp to = clock.now();
  const auto before = journal->history(one, from, to, 300);
  ASSERT_TRUE(before);
  const std::uint64_t whole = bytes();
  shrink_to(whole - 1);
  EXPECT_LT(bytes(), whole);
  EXPECT_TRUE(fs::exists(directory.path() / "history" / "2023-11-14.db"));
  const Timestamp midnight = std::chrono::ceil<std::chrono::days>(from);
  EXPECT_EQ(stored(a, from, midnight).size(), (expected(a, from, midnight).size() + 9) / 10);
  EXPECT_TRUE(stored(a, midnight, to) == expected(a, midnight, to));
  const auto after = journal->history(one, from, to, 300);
  ASSERT_TRUE(after);
  ASSERT_EQ(after->at(0).buckets.size(), before->at(0).buckets.size());
  for (std::size_t i = 1; i < before->at(0).buckets.size(); ++i) {  // the first begins within a minute
    EXPECT_EQ(after->at(0).buckets[i].count, before->at(0).buckets[i].count);
    EXPECT_EQ(after->at(0).buckets[i].max, before->at(0).buckets[i].max);
  }
  fs::remove(directory.path() / "history" / "2023.rollup.db");
  shrink_to(whole - 1);
  const auto made_again = journal->history(one, from, to, 300);
  ASSERT_TRUE(made_again);
  ASSERT_EQ(made_again->at(0).buckets.size(), after->at(0).buckets.size());
  for (std::size_t i = 0; i < after->at(0).buckets.size(); ++i) {
    EXPECT_EQ(made_again->at(0).buckets[i].count, after->at(0).buckets[i].count) << "of its minutes, not its samples";
  }
  shrink_to(1);
  EXPECT_FALSE(fs::exists(directory.path() / "history" / "2023-11-14.db")) << "when thinning is not enough";
}

TEST_F(FullHistoryTest, NewSamplesAreRejectedAndCountedAndAlertsAreNot) {
  options.when_full = WhenFull::reject;
  fill();
  journal.reset();
  options.max_history_bytes = 1;
  options.max_bytes = 1;
  open();
  compact();
  EXPECT_TRUE(stored(a, all.front().time, clock.now()) == all) << "what is there stays";
  Batch batch;
  batch.samples = {sample(a, 1), sample(a, 2)};
  batch.events = {{clock.now(), Notice{"test", "an event"}}};
  const auto done = append(std::move(batch));
  ASSERT_NE(done, nullptr);
  EXPECT_TRUE(done->samples.empty());
  EXPECT_EQ(done->events.size(), 1u);
  EXPECT_EQ(metric("journal/rejected_samples"), 2);
}

/// Each seed breaks another place of a day's file.
class DamagedHistoryTest : public FullHistoryTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  fs::path day() const { return directory.path() / "history" / "2023-11-15.db"; }
  void break_file(std::mt19937& random) {
    std::fstream file(day(), std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::uint32_t>(fs::file_size(day()));
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      file.seekp(random() % size);
      std::string dirt(1 + random() % 600, '\0');
      for (char& byte : dirt) byte = static_cast<char>(random());
      file.write(dirt.data(), static_cast<std::streamsize>(dirt.size()));
    }
  }
};

TEST_P(DamagedHistoryTest, WhatCanBeReadIsReadTheRestIsCountedAndLifeGoesOn) {
  std::mt19937 random(GetParam());
  fill();
  break_file(random);
  const std::vector<SeriesId> one{a};
  ASSERT_TRUE(journal->history(one, all.front().time, clock.now(), 50));
  ASSERT_TRUE(journal->history(one, all.front().time, clock.now(), 60'000));
  static_cast<void>(stored(a, all.front().time, clock.now()));
  keep({sample(a, 5)});
  compact();
  EXPECT_EQ(journal->position("history"), journal->last());
  const std::vector<Sample> left = stored(a, all.front().time, clock.now() + 1s);
  const std::size_t lost = all.size() - left.size();
  EXPECT_TRUE(std::includes(all.begin(), all.end(), left.begin(), left.end(), earlier)) << "nothing is made up";
  EXPECT_LE(lost, 43'200u) << "damage stays in its file";
  if (lost == 0) return;  // the dirt met nothing of use
  EXPECT_EQ(metric("history/damaged_files"), 1);
  std::size_t told = 0;
  const auto events = journal->events({.limit = 100});
  ASSERT_TRUE(events);
  for (const auto& event : *events) {
    if (const auto* notice = std::get_if<Notice>(&event.event.body))
      told += notice->text.find("was damaged") != notice->text.npos;
  }
  EXPECT_EQ(told, 1u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DamagedHistoryTest, ::testing::Range(1u, 9u));

TEST_F(FullHistoryTest, ADamagedYearIsMadeAgainOfItsDays) {
  fill();
  const std::vector<SeriesId> one{a};
  const auto before = journal->history(one, all.front().time, clock.now(), 20);
  ASSERT_TRUE(before);
  const fs::path year = directory.path() / "history" / "2023.rollup.db";
  fs::resize_file(year, 5000);
  for (int round = 0; round < 2; ++round) {
    const auto after = journal->history(one, all.front().time, clock.now(), 20);
    ASSERT_TRUE(after) << after.error().text;
    ASSERT_EQ(after->at(0).buckets.size(), before->at(0).buckets.size());
    for (std::size_t i = 0; i < before->at(0).buckets.size(); ++i) {
      EXPECT_EQ(after->at(0).buckets[i].count, before->at(0).buckets[i].count);
    }
    compact();
    EXPECT_TRUE(fs::exists(year));
  }
}

/// What a killed gateway was doing: samples 0, 1, 2, ... of one series, compacted and rolled up as fast as it goes. It
/// tells each number that is on disk through `acknowledged`.
[[noreturn]] void append_until_killed(const Options& options, Timestamp now, int from, int acknowledged) {
  FakeClock clock(now);
  Metrics metrics;
  auto journal = Journal::open(options, clock, metrics);
  if (!journal) _exit(2);
  const auto id = (*journal)->catalogue().intern("a", info("°C"));
  for (int next = from; id; next += 20) {
    Batch batch;
    for (int i = 0; i < 20; ++i) {
      clock.advance(1min);
      batch.samples.push_back({.series = *id, .time = clock.now(), .value = static_cast<double>(next + i)});
    }
    if (!(*journal)->append(batch)) _exit(3);
    const int last = next + 19;
    if (write(acknowledged, &last, sizeof last) != sizeof last) _exit(4);
    if (next % 100 == 0 && !(*journal)->compact({}, true)) _exit(5);
    if (!(*journal)->maintain()) _exit(6);
  }
  _exit(7);
}

TEST_F(CompactionTest, AKillAtAnyMomentLosesNothingAcknowledgedAndCountsNothingTwice) {
  std::mt19937 random(11);
  options.directory = directory.path();
  options.log_keep = 1h;
  const Timestamp start = clock.now();
  int stored_to = -1;
  for (int round = 0; round < 40; ++round) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_until_killed(options, clock.now(), stored_to + 1, ends[1]);
    close(ends[1]);
    std::this_thread::sleep_for(Micros{1'000 + random() % 60'000});
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
    int acknowledged = stored_to;
    for (int last = 0; ::read(ends[0], &last, sizeof last) == sizeof last;) acknowledged = last;
    close(ends[0]);
    open();
    ASSERT_TRUE(journal->notices().empty());
    const SeriesId a = series("a");
    const std::vector<Sample> left = stored(a, start, Timestamp::max());
    stored_to = static_cast<int>(left.size()) - 1;
    ASSERT_GE(stored_to, acknowledged) << "round " << round;
    for (int i = 0; i <= stored_to; ++i) ASSERT_EQ(left[static_cast<std::size_t>(i)].value, i) << "round " << round;
    if (!left.empty()) clock.set(left.back().time);
    const std::vector<SeriesId> one{a};
    const auto chart = journal->history(one, start, clock.now() + 1s, 9);
    ASSERT_TRUE(chart);
    std::size_t count = 0;
    for (const Bucket& bucket : chart->at(0).buckets) count += bucket.count;
    ASSERT_EQ(count, left.size()) << "round " << round;
    journal.reset();
  }
  EXPECT_TRUE(fs::exists(directory.path() / "history")) << "it never came to compact";
}

TEST_F(CompactionTest, ADayOutgrowsAFile) {
  open();
  // The bound is a constant of the compactor; a file that has reached it is made by hand.
  const SeriesId a = series("a");
  keep({sample(a, 1)});
  compact();
  const fs::path first = directory.path() / "history" / "2023-11-14.db";
  ASSERT_TRUE(fs::exists(first));
  fs::resize_file(first, (256u << 20) + 4096);
  keep({sample(a, 2)});
  compact();
  EXPECT_TRUE(fs::exists(directory.path() / "history" / "2023-11-14.2.db"));
  EXPECT_EQ(stored(a, all.front().time, clock.now()), all);
}

}  // namespace
}  // namespace tidegate::journal
