// A journal whose file is damaged while it runs, or between two runs: what is damaged is lost, counted to the sample,
// and nothing else.

#include <gmock/gmock.h>

#include <fstream>

#include "gateway/core/time_text.h"
#include "gateway/journal/schema.h"
#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/salvage_support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST_F(SalvageTest, RetentionThatMeetsADamagedPageReplacesTheFileAndGoesOn) {
  int steps = 0;
  options.still_at_work = [&steps] { ++steps; };
  fill(400);
  const auto pages = leaves("batch");
  ASSERT_GT(pages.size(), 20u);
  overwrite(pages[5]);
  const std::string epoch = journal->epoch();
  clock.advance(31 * 24h);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(set_aside().size(), 1u);
  EXPECT_EQ(number(journal->first()), 401) << "only the report is younger";
  EXPECT_EQ(journal->epoch(), epoch);
  EXPECT_GT(metric("journal/lost_batches"), 0);
  EXPECT_LT(metric("journal/lost_batches"), 40);
  EXPECT_GT(steps, 5) << "whoever watches over it hears that it goes on";
}

TEST_F(SalvageTest, DamageInARunCostsWhatIsDamagedAndNeitherARestartNorAnotherNumber) {
  fill(400);
  const std::string epoch = journal->epoch();
  const auto pages = leaves("batch");
  overwrite(pages.at(3));
  overwrite(pages.at(10));
  const std::size_t before = read(Seq{0}).size();  // a reader meets it first
  EXPECT_GT(before, 0u);
  for (Seq after{0}; after < journal->last();) after = read(after).back()->seq;
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(set_aside().size(), 1u) << "the file is replaced in place";
  EXPECT_EQ(journal->epoch(), epoch);
  EXPECT_EQ(number(journal->last()), 401) << "a batch that reports it";
  const auto report = read(Seq{400});
  ASSERT_EQ(report.size(), 1u);
  ASSERT_EQ(report[0]->events.size(), 1u);
  const std::string text = std::get<Notice>(report[0]->events[0].body).text;
  EXPECT_EQ(journal->notices(), std::vector{text});
  const auto there = expect_unaltered();
  const Missing lost = missing(there);
  expect_counted(lost);
  EXPECT_THAT(text, HasSubstr(fmt::format("lost are {} batches with {} samples", lost.batches, lost.samples)));
  EXPECT_EQ(metric("journal/damaged_batches"), lost.batches) << "each is counted once, whoever passes";
  const auto kept = append(batch_of(7));
  EXPECT_EQ(number(kept->seq), 402);
  EXPECT_EQ(read(Seq{401}).at(0)->samples, kept->samples);
  reopen();
  EXPECT_EQ(journal->epoch(), epoch);
  EXPECT_EQ(number(journal->last()), 402);
  EXPECT_EQ(journal->alerts()->size(), 2u);
  EXPECT_EQ(number(*journal->position("cloud")), 200);
  expect_unaltered();
  ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(metric("journal/damaged_batches"), lost.batches);
  EXPECT_TRUE(journal->notices().empty()) << "told once, whatever restarts come";
}

TEST_F(SalvageTest, SnapshotsGoOverIntoTheNewFile) {
  fill(400);
  const std::vector<Sample> kept = {sample(SeriesId{0}, 1.5), sample(SeriesId{0}, 2.5)};
  const Seq good = append(snapshot_of("hot:boiler1", kept))->seq;
  Batch unreadable = snapshot_of("hot:boiler1", kept);
  std::get<Snapshot>(unreadable.events[0].body).columns = "no columns";
  const Seq bad = append(std::move(unreadable))->seq;
  EXPECT_EQ(journal->snapshot(bad).error().code, Errc::corrupt);
  const auto pages = leaves("batch");
  overwrite(pages.at(3));
  for (Seq after{0}; after < journal->last();) after = read(after).back()->seq;
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(set_aside().size(), 1u);
  EXPECT_EQ(*journal->snapshot(good), kept);
  EXPECT_EQ(journal->snapshot(bad).error().code, Errc::not_found);
  EXPECT_THAT(journal->notices().at(0), HasSubstr("1 alert states, snapshots or positions"));
}

TEST_F(SalvageTest, DamageBetweenTwoRunsIsToldOnceToo) {
  fill(100);
  const auto pages = leaves("batch");
  journal.reset();
  overwrite(pages.at(3));
  for (int starts = 0; starts < 3; ++starts) {
    open();
    expect_unaltered();
    ASSERT_TRUE(journal->maintain());
    EXPECT_EQ(journal->notices().size(), starts == 0 ? 1u : 0u);
    EXPECT_EQ(metric("journal/damaged_batches"), 0) << "they are lost ones";
    journal.reset();
  }
}

TEST_F(SalvageTest, AppendReplacesAFileThatTakesNothingAnyMore) {
  fill(100);
  const auto pages = leaves("event");
  for (const std::size_t page : pages) overwrite(page);
  BatchPtr stored;
  for (int i = 100; i < 140; ++i) {
    stored = append(batch_of(i));
    ASSERT_TRUE(stored);
    ASSERT_TRUE(journal->maintain());
  }
  EXPECT_EQ(set_aside().size(), 1u);
  EXPECT_EQ(number(stored->seq), 141);
  EXPECT_EQ(expect_unaltered().size(), 100u);
  EXPECT_GT(metric("journal/lost_events"), 0);
  EXPECT_EQ(metric("journal/lost_batches"), 0);
}

TEST_F(SalvageTest, AnActiveAlertSurvivesTheLossOfItsFile) {
  fill(100);
  const auto pages = leaves("batch");
  journal.reset();
  overwrite(pages.at(2));
  open();
  ASSERT_EQ(journal->notices().size(), 1u);
  const auto alerts = journal->alerts();
  ASSERT_TRUE(alerts);
  ASSERT_EQ(alerts->size(), 2u);
  EXPECT_EQ(alerts->at(0).id, "hot:boiler");
  EXPECT_EQ(number(*journal->position("cloud")), 50);
  EXPECT_EQ(journal->catalogue().find("plant/s6"), SeriesId{6});
}

TEST_F(SalvageTest, ALostNameHasAStandInAndTheOthersKeepTheirIds) {
  open();
  for (int i = 0; i < 300; ++i) series("plant/a-rather-long-name-so-that-there-are-some-pages-" + std::to_string(i));
  for (int i = 0; i < 300; ++i) append_samples({sample(SeriesId{static_cast<std::uint32_t>(i)}, i)});
  const auto pages = leaves("series");
  ASSERT_GT(pages.size(), 3u);
  journal.reset();
  overwrite(pages.at(1));
  overwrite(pages.back());
  open();
  ASSERT_EQ(journal->catalogue().size(), 300u);
  int lost = 0;
  for (const Catalogue::Entry& entry : journal->catalogue().entries()) {
    if (entry.name.starts_with("lost/")) {
      ++lost;
    } else {
      EXPECT_THAT(entry.name, testing::EndsWith("-" + std::to_string(index(entry.id))));
    }
  }
  EXPECT_GT(lost, 5);
  EXPECT_LT(lost, 30);
  EXPECT_THAT(journal->notices().at(0), HasSubstr(fmt::format("{} names", lost)));
  EXPECT_EQ(metric("journal/lost_batches"), 0);
}

TEST_F(SalvageTest, WhereTheEndOfTheLogIsLostANewEpochBegins) {
  fill(100);
  const std::string epoch = journal->epoch();
  const auto pages = leaves("batch");
  journal.reset();
  overwrite(pages.back());
  open();
  EXPECT_NE(journal->epoch(), epoch);
  EXPECT_THAT(journal->notices().at(0), HasSubstr("at least"));
  EXPECT_GE(number(journal->last()), 101) << "no cursor stands beyond the end";
  expect_unaltered();
}

TEST_F(SalvageTest, ACrashBetweenTheTwoRenamesIsFinishedByTheNextStart) {
  fill(50);
  journal.reset();
  std::filesystem::copy(file(), file().string() + ".new");
  std::filesystem::rename(file(), file().string() + ".corrupt-20260101T000000Z");
  std::ofstream(file().string() + "-wal") << "of the file that was set aside";
  open();
  EXPECT_EQ(number(journal->last()), 50);
  EXPECT_TRUE(journal->notices().empty());
  EXPECT_FALSE(std::filesystem::exists(file().string() + ".new"));
}

TEST_F(SalvageTest, AReplacementThatStopsHalfWayLeavesTheFileWhereItWasAndIsTriedAgain) {
  fill(100);
  const auto pages = leaves("batch");
  overwrite(pages.at(3));
  for (Seq after{0}; after < journal->last();) after = read(after).back()->seq;
  std::string time = rfc3339(std::chrono::floor<std::chrono::seconds>(clock.now()));
  std::erase_if(time, [](char c) { return c == ':' || c == '-'; });
  const std::filesystem::path in_the_way = file().string() + ".corrupt-" + time + "-wal";
  std::filesystem::create_directories(in_the_way / "full");
  EXPECT_FALSE(journal->maintain()) << "the WAL cannot be set aside";
  EXPECT_EQ(number(append(batch_of(1))->seq), 101);
  EXPECT_TRUE(journal->notices().empty());
  std::filesystem::remove_all(in_the_way);
  ASSERT_TRUE(journal->maintain());
  EXPECT_EQ(journal->notices().size(), 1u);
  truth.push_back(read(Seq{100}).front());
  expect_counted(missing(expect_unaltered()));
}

/// Whoever walked through it number by number would not come to its end.
TEST_F(SalvageTest, AHoleOfAnySizeInTheNumbersCostsNothing) {
  fill(200);
  journal.reset();
  constexpr std::int64_t kHole = 1'000'000'000'000;
  {
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    const std::string shift =
        fmt::format("UPDATE batch SET seq = seq + {0} WHERE seq > 100; UPDATE batch SET crc = {1} WHERE seq > 100",
                    kHole, kBatchCrc);
    ASSERT_TRUE(connection->run(shift.c_str()));
    ASSERT_TRUE(connection->make_whole());
  }
  const auto pages = leaves("batch");
  ASSERT_GT(pages.size(), 40u);
  for (std::size_t i = 0; i < 9; ++i) overwrite(pages[pages.size() / 2 - 4 + i]);
  std::size_t samples = 0;
  for (const BatchPtr& batch : truth) samples += batch->samples.size();
  const auto read_all = [&] {
    std::size_t found = 0;
    for (Seq after{0}; after < journal->last();) {
      for (const BatchPtr& batch : read(after)) {
        found += batch->samples.size();
        after = batch->seq;
      }
    }
    return found;
  };
  const std::size_t left = read_all();
  EXPECT_LT(left, samples);
  EXPECT_GT(left, samples / 2);
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(set_aside().size(), 1u);
  EXPECT_EQ(number(journal->last()), kHole + 201);
  EXPECT_EQ(metric("journal/lost_samples"), static_cast<double>(samples - left));
  EXPECT_EQ(read_all(), left);
}

TEST_F(SalvageTest, AnIndexThatIsDamagedWhileItRunsIsMadeAgainOnceAReaderMeetsIt) {
  fill(60);
  overwrite(leaves("event_seq").at(0));
  EXPECT_FALSE(journal->events({.limit = 1000}));
  ASSERT_TRUE(journal->maintain());
  ASSERT_EQ(journal->notices().size(), 1u);
  EXPECT_THAT(journal->notices()[0], HasSubstr("nothing is lost"));
  EXPECT_EQ(journal->events({.limit = 1000})->size(), 17u) << "and the report";
}

}  // namespace
}  // namespace tidegate::journal
