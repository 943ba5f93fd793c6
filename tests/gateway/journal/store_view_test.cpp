// What tools read of a data directory, against a plain list of all that its journal was given.

#include "gateway/journal/store_view.h"

#include <gmock/gmock.h>

#include <fstream>

#include "gateway/journal/history/files.h"
#include "gateway/journal/merged_scan.h"
#include "gateway/journal/scan.h"
#include "tests/gateway/journal/random_store.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class StoreViewTest : public RandomStore {
 protected:
  /// The samples of a scan, by place.
  static std::vector<std::vector<Sample>> read(StoreView& view, const Selection& selection) {
    std::vector<std::vector<Sample>> found(view.series().size());
    Scan scan(view, selection);
    std::size_t before = 0;
    while (true) {
      const auto portion = scan.next();
      EXPECT_TRUE(portion) << portion.error().text;
      if (!portion || portion->samples.empty()) return found;
      EXPECT_GE(portion->series, before) << "series come in order";
      before = portion->series;
      auto& samples = found[portion->series];
      for (Sample sample : portion->samples) {
        sample.series = SeriesId{};
        samples.push_back(sample);
      }
    }
  }
  static std::vector<std::size_t> every(const StoreView& view) {
    std::vector<std::size_t> places(view.series().size());
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
    return places;
  }
};

TEST_F(StoreViewTest, ReadsWhatTheJournalWasGiven) {
  for (const unsigned seed : {1u, 2u}) {
    SCOPED_TRACE(seed);
    journal.reset();
    for (const auto& entry : fs::directory_iterator(directory.path())) fs::remove_all(entry);
    names.clear(), ids.clear(), all.clear();
    open();
    std::mt19937 random(seed);
    fill(random, 250);
    const auto opened = view();
    ASSERT_TRUE(opened);
    std::vector<std::string> found_names;
    for (const auto& entry : opened->series()) found_names.push_back(entry.name);
    EXPECT_EQ(found_names, sorted_names());
    EXPECT_GT(opened->chunks().files().size(), 1u);
    for (int trial = 0; trial < 30; ++trial) {
      Selection selection{.newest_first = random() % 2 == 0};
      for (std::size_t place = 0; place < opened->series().size(); ++place) {
        if (random() % 2 == 0) selection.series.push_back(place);
      }
      if (random() % 4 != 0) {
        selection.from = all[random() % all.size()].time;
        selection.to = all[random() % all.size()].time + Micros{static_cast<std::int64_t>(random() % 2)};
      }
      const auto found = read(*opened, selection);
      for (std::size_t place = 0; place < found.size(); ++place) {
        const bool asked = std::count(selection.series.begin(), selection.series.end(), place) == 1;
        auto wanted =
            asked ? expected(which(opened->series()[place].name), selection.from, selection.to) : std::vector<Sample>{};
        if (selection.newest_first) std::reverse(wanted.begin(), wanted.end());
        EXPECT_EQ(difference(found[place], wanted), "") << opened->series()[place].name << " in trial " << trial;
      }
    }
    EXPECT_TRUE(opened->reading().sound());
  }
}

TEST_F(StoreViewTest, IsOfTheMomentItWasOpened) {
  options.log_keep = std::chrono::hours(10'000);
  open();
  std::mt19937 random(7);
  fill(random, 60);
  const auto opened = view();
  std::vector<std::vector<Sample>> wanted;
  for (const auto& entry : opened->series()) wanted.push_back(expected(which(entry.name)));
  fill(random, 60);
  compact();  // what was in the log is in files now, which the view does not count as read from the log
  const auto found = read(*opened, {.series = every(*opened)});
  for (std::size_t place = 0; place < found.size(); ++place) EXPECT_EQ(difference(found[place], wanted[place]), "");
}

TEST_F(StoreViewTest, ReadsTheChunksOfTheRangeAlone) {
  open();
  make_series();
  for (int day = 0; day < 3; ++day) {
    for (int hour = 0; hour < 24; ++hour) {
      append_samples({sample(ids[0], hour), sample(ids[1], hour)});
      clock.advance(1h);
      compact();
    }
  }
  const auto count = [&](Timestamp from, Timestamp to) {
    const auto opened = view();
    read(*opened, {.series = {*opened->find(names[0])}, .from = from, .to = to});
    return opened->reading().chunks;
  };
  const Timestamp end = clock.now();
  EXPECT_EQ(count(Timestamp::min(), Timestamp::max()), 72u);
  EXPECT_EQ(count(end - 3h - 1min, end), 3u);
  EXPECT_EQ(count(end, Timestamp::max()), 0u);
}

TEST_F(StoreViewTest, MergesSeriesInOneOrderOfTime) {
  open();
  std::mt19937 random(3);
  fill(random, 250);
  const auto opened = view();
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < opened->series().size(); ++place) {
      if (random() % 3 != 0) places.push_back(place);
    }
    const Timestamp from = all[random() % all.size()].time, to = all[random() % all.size()].time;
    std::vector<Sample> wanted, found;
    for (std::size_t input = 0; input < places.size(); ++input) {
      for (Sample one : expected(which(opened->series()[places[input]].name), from, to)) {
        one.series = SeriesId{static_cast<std::uint32_t>(input)};
        wanted.push_back(one);
      }
    }
    std::stable_sort(wanted.begin(), wanted.end(), [](const Sample& a, const Sample& b) { return a.time < b.time; });
    MergedScan scan(*opened, places, from, to);
    while (true) {
      const auto portion = scan.next();
      ASSERT_TRUE(portion) << portion.error().text;
      if (portion->samples.empty()) break;
      for (Sample one : portion->samples) {
        one.series = SeriesId{static_cast<std::uint32_t>(portion->input)};
        found.push_back(one);
      }
    }
    EXPECT_EQ(difference(found, wanted), "") << "in trial " << trial;
  }
}

/// Where the log has more than is kept in memory, what was read of it for one series goes when another one asks.
TEST_F(StoreViewTest, SeriesTakeTurnsOverALongLog) {
  open();
  make_series();
  constexpr int kEach = static_cast<int>(LogRest::kMostSamples) / 2 + 1000;
  const Timestamp start = clock.now();
  const auto put = [&](int from, int to) {
    std::vector<Sample> samples;
    for (int i = from; i < to; ++i) {
      const Timestamp time = start + 1ms * i;
      samples.push_back({.series = ids[0], .time = time, .value = static_cast<double>(i)});
      samples.push_back({.series = ids[1], .time = time, .value = static_cast<double>(-i)});
    }
    append_samples(std::move(samples));
  };
  put(0, 10);
  compact();
  for (int i = 10; i < kEach; i += 10'000) put(i, std::min(i + 10'000, kEach));
  const auto opened = view();
  const std::vector<std::size_t> places{*opened->find(names[0]), *opened->find(names[1])};
  MergedScan scan(*opened, places, Timestamp::min(), Timestamp::max());
  int next[2] = {}, wrong = 0;
  while (true) {
    const auto portion = scan.next();
    ASSERT_TRUE(portion) << portion.error().text;
    if (portion->samples.empty()) break;
    for (const Sample& one : portion->samples) {
      const int i = next[portion->input]++;
      if (one.value != (portion->input == 0 ? i : -i)) ++wrong;
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(next[0], kEach);
  EXPECT_EQ(next[1], kEach);
}

TEST_F(StoreViewTest, NewestFirstNeedNotReadTheOldest) {
  open();
  make_series();
  for (int hour = 0; hour < 100; ++hour) {
    append_samples({sample(ids[0], hour)});
    clock.advance(1h);
    compact();
  }
  const auto opened = view();
  Scan scan(*opened, {.series = {*opened->find(names[0])}, .newest_first = true});
  const auto portion = scan.next();
  ASSERT_TRUE(portion);
  EXPECT_EQ(portion->samples.front().value, 99);
  EXPECT_EQ(opened->reading().chunks, 1u);
  EXPECT_EQ(opened->reading().files, 1u);
}

TEST_F(StoreViewTest, ALogThatDoesNotFitInMemoryIsReadInStretches) {
  open();
  std::mt19937 random(3);
  make_series();
  for (int i = 0; i < 200; ++i) {
    std::vector<Sample> samples{draw(random), draw(random), draw(random)};
    all.insert(all.end(), samples.begin(), samples.end());
    append_samples(std::move(samples));
  }
  auto log = sql::Connection::open(directory / "journal.db", sql::Connection::Access::read);
  ASSERT_TRUE(log);
  for (const std::size_t most : {1u, 100u, 250u, 100'000u}) {
    Reading reading;
    LogRest rest(*log, Seq{0}, journal->last(), {0, 1, 2, 3, 4, 5, 6, 7}, reading, most);
    for (std::size_t place : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 2u, 9u}) {
      const auto found = rest.of(place);
      ASSERT_TRUE(found) << found.error().text;
      EXPECT_EQ(
          difference({found->begin(), found->end()}, place < ids.size() ? expected(place) : std::vector<Sample>{}), "");
    }
    EXPECT_EQ(reading.batches, 200u);
  }
}

TEST_F(StoreViewTest, NeitherWritesNorWaitsForTheGateway) {
  open();
  std::mt19937 random(5);
  fill(random, 100);
  const auto bytes = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
      // The index of the write-ahead log is where readers mark what they read.
      if (entry.is_regular_file() && entry.path().extension() != ".db-shm") {
        files[entry.path()] = test::read_file(entry.path());
      }
    }
    return files;
  };
  const auto before = bytes();
  {
    const auto opened = view();
    read(*opened, {.series = every(*opened)});
    const auto places = every(*opened);
    ASSERT_TRUE(opened->history(places, clock.now() - 24h, clock.now(), 10));
  }
  EXPECT_TRUE(bytes() == before);
}

TEST_F(StoreViewTest, AViewInUseHoldsUpNeitherCheckpointNorCompaction) {
  open();
  std::mt19937 random(6);
  fill(random, 100);
  const auto opened = view();
  Scan scan(*opened, {.series = every(*opened)});
  ASSERT_TRUE(scan.next());
  fill(random, 50);
  compact();
  journal.reset();  // its last act is a checkpoint that empties the log, unless somebody still reads
  std::error_code error;
  const auto wal = fs::file_size(directory / "journal.db-wal", error);
  EXPECT_TRUE(error || wal == 0) << wal;
}

TEST_F(StoreViewTest, HistoryIsReadableWithoutItsJournal) {
  open();
  std::mt19937 random(8);
  fill(random, 100);
  compact();
  journal.reset();
  for (const char* file : {"journal.db", "journal.db-wal", "journal.db-shm"}) fs::remove(directory / file);
  const auto opened = view();
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->series().size(), names.size());
  const auto found = read(*opened, {.series = every(*opened)});
  for (std::size_t place = 0; place < found.size(); ++place) {
    EXPECT_EQ(difference(found[place], expected(which(opened->series()[place].name))), "");
  }
  EXPECT_EQ(opened->series()[*opened->find("boiler1/mode")].labels,
            (std::vector<std::string>{"idle", "heating", "fault, \"cold\""}));
}

TEST_F(StoreViewTest, AStateIsNamedAsItWasWhereAnotherJournalNumbersItOtherwise) {
  open();
  const auto state = [&] { return *journal->catalogue().intern("valve/state", info("", SeriesKind::state)); };
  SeriesId id = state();
  const auto set = [&](const char* label) { append_samples({sample(id, *journal->catalogue().label(id, label))}); };
  set("open"), set("shut");
  clock.advance(24h);
  compact();
  journal.reset();
  fs::remove(directory / "journal.db");
  open();
  id = state();
  set("shut"), set("stuck"), set("open");
  const auto opened = view();
  ASSERT_EQ(opened->series().size(), 1u);
  std::vector<std::string> seen;
  const auto found = read(*opened, {.series = {0}});
  for (const Sample& sample : found[0]) {
    seen.push_back(opened->series()[0].labels.at(static_cast<std::size_t>(sample.value)));
  }
  EXPECT_THAT(seen, ElementsAre("open", "shut", "shut", "stuck", "open"));
}

TEST_F(StoreViewTest, ADamagedChunkIsPassedOverAndNoted) {
  open();
  make_series();
  for (int i = 0; i < 3; ++i) {
    append_samples({sample(ids[0], i)});
    compact();
    clock.advance(1min);
  }
  journal.reset();
  const auto file = history::day_files(directory / "history").at(0).path;
  auto damaged = sql::Connection::open(file, sql::Connection::Access::write);
  ASSERT_TRUE(damaged->run("UPDATE chunk SET data = x'00' WHERE key >> 32 = 2"));
  const auto opened = view();
  std::vector<double> values;
  const auto found = read(*opened, {.series = {*opened->find(names[0])}});
  for (const Sample& sample : found[*opened->find(names[0])]) {
    values.push_back(sample.value);
  }
  EXPECT_THAT(values, ElementsAre(0, 2));
  EXPECT_EQ(opened->reading().damaged, 1u);
}

TEST_F(StoreViewTest, ADamagedFileIsPassedOverAndNoted) {
  open();
  make_series();
  for (int day = 0; day < 3; ++day) {
    append_samples({sample(ids[0], day)});
    compact();
    clock.advance(24h);
  }
  journal.reset();
  const auto files = history::day_files(directory / "history");
  ASSERT_EQ(files.size(), 3u);
  std::ofstream(files[1].path) << std::string(20'000, 'x');
  const auto opened = view();
  EXPECT_EQ(read(*opened, {.series = {*opened->find(names[0])}})[*opened->find(names[0])].size(), 2u);
  EXPECT_THAT(opened->reading().damaged_files, ElementsAre(files[1].path.string()));
}

TEST_F(StoreViewTest, SaysWhatIsWrongWithAFolder) {
  const auto missing = StoreView::open(directory / "nowhere");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().text, HasSubstr("nowhere: there is no such folder; --data names"));
  const auto empty = StoreView::open(directory.path());
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().text, HasSubstr("journal.db is not there; --data names"));
  directory.write("journal.db", std::string(10'000, 'x'));
  const auto damaged = StoreView::open(directory.path());
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Errc::corrupt);
  EXPECT_THAT(damaged.error().text, HasSubstr("tidegate store check"));
}

}  // namespace
}  // namespace tidegate::journal
