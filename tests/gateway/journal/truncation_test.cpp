// Each file of a store is cut off somewhere: the gateway starts, goes on, and says what is lost.

#include <gmock/gmock.h>

#include <charconv>
#include <set>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/cuts.h"
#include "tests/gateway/journal/history_support.h"
#include "tests/gateway/journal/random_store.h"
#include "tests/gateway/journal/store_image.h"
#include "tests/support/process.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class TruncationTest : public CompactionTest {
 protected:
  TruncationTest() : CompactionTest(memory()) {
    options.cache_bytes = 0;
    options.log_keep = 1h;
  }

  fs::path in_store(const fs::path& name) const { return directory.path() / name; }

  /// Two series, a sample of each a minute, a batch each half hour.
  void fill(int half_hours) {
    const SeriesId ids[] = {series("a"), series("b")};
    for (int i = 0; i < half_hours; ++i) {
      std::vector<Sample> samples;
      for (int minute = 0; minute < 30; ++minute) {
        for (const SeriesId id : ids) samples.push_back(sample(id, static_cast<double>(all.size()) / 7 + minute));
        clock.advance(1min);
      }
      keep(std::move(samples));
    }
  }

  /// The image as it was, with one file cut off; `open`: the process did not end by itself.
  void start_over(const StoreImage& image, const fs::path& name, std::size_t size, bool ended = true) {
    journal.reset();
    StoreImage cut = image;
    cut.files.at(name).resize(size);
    if (!ended) cut.files.try_emplace("journal.db-wal");
    cut.files["journal.lock"] = ended ? "1\nclosed\n" : "1\nopen\n";
    cut.put(directory.path());
    clock.set(began);
    open();
  }

  /// All notices of lost data that are in the log.
  std::vector<std::string> told() {
    std::vector<std::string> texts;
    const auto events = journal->events({.limit = 1000});
    EXPECT_TRUE(events);
    for (const StoredEvent& stored : *events) texts.push_back(std::get<Notice>(stored.event.body).text);
    return texts;
  }

  /// The number before `what` in a sentence.
  static std::size_t number_before(const std::string& text, const std::string& what) {
    const auto end = text.find(what);
    const auto begin = text.find_last_not_of("0123456789", end - 1) + 1;
    std::size_t value = 0;
    EXPECT_NE(end, text.npos) << text;
    std::from_chars(text.data() + begin, text.data() + end, value);
    return value;
  }

  std::vector<Sample> everything(const char* name) {
    return stored(*journal->catalogue().find(name), at(0), clock.now() + 1h);
  }

  /// Nothing is there that was not written, and nothing twice; gives how much is missing.
  std::size_t missing() {
    std::size_t there = 0;
    for (const char* name : {"a", "b"}) {
      const std::vector<Sample> found = everything(name);
      const std::vector<Sample> written = expected(*journal->catalogue().find(name), at(0), clock.now() + 1h);
      EXPECT_TRUE(std::includes(written.begin(), written.end(), found.begin(), found.end(), earlier));
      for (const Sample& one : found) {
        const auto same = std::lower_bound(written.begin(), written.end(), one, earlier);
        EXPECT_TRUE(same != written.end() && *same == one);
      }
      there += found.size();
    }
    return all.size() - there;
  }

  void expect_works() {
    const std::size_t lost = missing();
    const std::size_t before = all.size();
    fill(3);
    compact();
    EXPECT_EQ(missing(), lost) << "what came after it is all there";
    all.resize(before);
  }

  Timestamp began;
};

TEST_F(TruncationTest, ADayOfHistoryIsKeptAsFarAsItGoesAndTheRestIsCounted) {
  open();
  for (int i = 0; i < 24; ++i) {
    fill(4);
    compact();
  }
  const fs::path day = "history/2023-11-15.db";
  journal.reset();
  began = clock.now();
  const StoreImage image(directory.path());
  const std::size_t size = image.files.at(day).size();
  ASSERT_GT(size, 20'000u);
  std::size_t saved = 0;
  for (const std::size_t cut : cuts(size, 4096, test::seeds(150))) {
    SCOPED_TRACE(fmt::format("{} of {} bytes", cut, size));
    const bool ended = cut / 512 % 2 == 0;
    start_over(image, day, cut, ended);
    if (HasFatalFailure()) return;
    const std::vector<SeriesId> both{series("a"), series("b")};
    if (ended) {
      ASSERT_TRUE(journal->history(both, clock.now() - 240h, clock.now(), 100'000)) << "a reader meets it";
    }
    compact();
    auto texts = told();
    if (ended && texts.empty()) {  // a row that is gone is missed by those who look for it only
      start_over(image, day, cut, false);
      compact();
      texts = told();
    }
    const std::size_t lost = missing();
    if (lost == 0 && texts.empty()) continue;  // what was cut off held nothing
    ASSERT_EQ(texts.size(), 1u);
    if (texts[0].find("nothing of it could be read") == std::string::npos) {
      const std::size_t counted = number_before(texts[0], " samples are lost");
      if (texts[0].find("at least") != std::string::npos) {
        EXPECT_LE(counted, lost) << texts[0];
      } else {
        EXPECT_EQ(counted, lost) << texts[0];
      }
      saved += number_before(texts[0], " samples were saved");
    }
    expect_works();
    if (HasFailure()) return;
  }
  EXPECT_GT(saved, 5'000u) << "what lies before the cut is read";
}

TEST_F(TruncationTest, AnEmptyDayIsToldThoughNobodyReadsIt) {
  open();
  fill(100);
  compact();
  journal.reset();
  began = clock.now();
  start_over(StoreImage(directory.path()), "history/2023-11-15.db", 0);
  compact();
  EXPECT_THAT(told(), ElementsAre(HasSubstr("2023-11-15.db was damaged (it is empty)")));
}

TEST_F(TruncationTest, AYearIsMadeAgain) {
  open();
  fill(150);
  clock.advance(2h);
  compact();
  const fs::path year = "history/2023.rollup.db";
  const std::vector<SeriesId> one{series("a")};
  const auto chart = [&] {
    const auto history = journal->history(one, began - 96h, began, 8);
    EXPECT_TRUE(history);
    std::vector<std::uint32_t> counts;
    for (const Bucket& bucket : history->at(0).buckets) counts.push_back(bucket.count);
    return counts;
  };
  began = clock.now();
  const auto before = chart();
  ASSERT_GT(before.size(), 3u);
  journal.reset();
  const StoreImage image(directory.path());
  const std::size_t size = image.files.at(year).size();
  std::size_t made = 0;
  for (const std::size_t cut : cuts(size, 4096, test::seeds(100))) {
    SCOPED_TRACE(fmt::format("{} of {} bytes", cut, size));
    start_over(image, year, cut, cut / 512 % 2 == 0);
    if (HasFatalFailure()) return;
    EXPECT_EQ(chart(), before);
    compact();
    EXPECT_EQ(chart(), before);
    EXPECT_EQ(missing(), 0u);
    const auto texts = told();
    if (!texts.empty()) {  // else what was cut off held nothing
      ++made;
      EXPECT_THAT(texts, ElementsAre(HasSubstr("made again of the days")));
    }
    expect_works();
    if (HasFailure()) return;
  }
  EXPECT_GT(made, 15u);
}

/// A log whose WAL holds rounds of history, the cursor, and batches behind both.
class CutLogTest : public TruncationTest {
 protected:
  CutLogTest() { options.log_keep = 1000h; }

  /// `in_file`: of the half hours that many are in journal.db itself.
  void write(int in_file) {
    open();
    fill(in_file);
    ASSERT_TRUE(journal->position("cloud"));
    reopen();
    for (int i = 0; i < 4; ++i) {
      fill(6);
      // History is ahead of the cursor that is on disk, as it is between a round and the next save.
      ASSERT_TRUE(journal->compact({}, true));
      history_has = journal->last();
      if (i == 1) {
        ASSERT_TRUE(journal->advance("cloud", prev(journal->last())));
        ASSERT_TRUE(journal->maintain());
      }
    }
    fill(5);
    epoch = journal->epoch();
    last = journal->last();
    began = clock.now();
  }

  /// The newest batch that is there as it was written; all before it are.
  Seq expect_beginning() {
    Seq there{0};
    for (Seq after{0}; after < journal->last();) {
      for (const BatchPtr& batch : read(after)) {
        after = batch->seq;
        if (batch->gap || batch->samples.empty()) continue;
        EXPECT_EQ(batch->seq, next(there)) << "no hole before the end";
        const auto at = static_cast<std::size_t>(number(batch->seq) - 1) * 60;
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at);
        EXPECT_TRUE(std::equal(batch->samples.begin(), batch->samples.end(), begin, begin + 60));
        there = batch->seq;
      }
    }
    return there;
  }

  Seq history_has{}, last{};
  std::string epoch;
};

TEST_F(CutLogTest, AWalThatIsCutBehindHistoryBeginsANewEpochAndNothingIsTwiceOrSwallowed) {
  write(8);
  const StoreImage image(directory.path());
  const fs::path wal = "journal.db-wal";
  const std::size_t size = image.files.at(wal).size();
  constexpr std::size_t kFrame = 512 + 24;
  ASSERT_GT(size, 50 * kFrame);
  int behind = 0;
  int ahead = 0;
  for (std::size_t cut : cuts(size - 32, kFrame, test::seeds(150))) {
    cut = std::min(size, cut + 32);
    SCOPED_TRACE(fmt::format("{} of {} bytes", cut, size));
    start_over(image, wal, cut, false);
    if (HasFatalFailure()) return;
    const Seq there = expect_beginning();
    if (there < history_has) {
      ++behind;
      EXPECT_NE(journal->epoch(), epoch);
      EXPECT_THAT(told(), ElementsAre(HasSubstr(fmt::format("ends with batch {}", number(there)))));
      EXPECT_GT(journal->last(), history_has) << "the notice has a number that nobody knew";
    } else {
      ++ahead;
      EXPECT_EQ(journal->epoch(), epoch);
      EXPECT_EQ(journal->last(), there);
      EXPECT_THAT(told(), testing::IsEmpty());
    }
    const std::string now = journal->epoch();
    const Seq at = journal->last();
    reopen();
    EXPECT_EQ(journal->epoch(), now);
    EXPECT_EQ(journal->last(), at) << "told once";
    for (Seq after{0}; after < journal->last();) after = read(after).back()->seq;
    compact();
    EXPECT_THAT(journal->notices(), testing::IsEmpty()) << "and not as another damage, when it is read";
    const auto known = static_cast<std::size_t>(number(std::max(there, history_has)));
    EXPECT_EQ(missing(), all.size() - known * 60) << "history has what the log has lost";
    expect_works();
    reopen();
    if (HasFailure()) return;
  }
  EXPECT_GT(behind, 20);
  EXPECT_GT(ahead, 5);
}

TEST_F(CutLogTest, AJournalThatIsCutStartsAndNothingIsTwiceOrSwallowed) {
  write(12);
  journal.reset();
  const StoreImage image(directory.path());
  const fs::path file = "journal.db";
  const std::size_t size = image.files.at(file).size();
  int silent = 0;
  for (const std::size_t cut : cuts(size, 512, test::seeds(150))) {
    SCOPED_TRACE(fmt::format("{} of {} bytes", cut, size));
    start_over(image, file, cut);
    if (HasFatalFailure()) return;
    for (Seq after{0}; after < journal->last();) after = read(after).back()->seq;
    ASSERT_TRUE(journal->maintain());
    const auto texts = told();
    silent += texts.empty() ? 1 : 0;
    if (journal->catalogue().find("a") && journal->catalogue().find("b")) {
      const std::size_t lost = missing();
      compact();
      EXPECT_LE(missing(), lost);
      EXPECT_LE(missing(), all.size() - static_cast<std::size_t>(number(history_has)) * 60) << "history has them";
    } else {
      series("a");
      series("b");
    }
    expect_works();
    reopen();
    EXPECT_EQ(told().size(), texts.size()) << "told once";
    if (HasFailure()) return;
  }
  EXPECT_LE(silent, 2) << "the last page may hold nothing at its end";
}

/// A page that was never written, as a card leaves it.
TEST_F(TruncationTest, ALeafThatAPowerCutTookFromADayIsMissed) {
  open();
  for (int i = 0; i < 24; ++i) {
    fill(4);
    compact();
  }
  journal.reset();
  began = clock.now();
  const fs::path day = "history/2023-11-15.db";
  std::vector<std::size_t> leaves;
  {
    auto file = sql::Connection::open(in_store(day), sql::Connection::Access::write);
    auto rows = file->prepare("SELECT pageno FROM dbstat WHERE name = 'chunk' AND pagetype <> 'internal'");
    ASSERT_TRUE(rows);
    while (*rows->step()) leaves.push_back(static_cast<std::size_t>(rows->integer(0)));
  }
  ASSERT_GT(leaves.size(), 1u);
  const StoreImage image(directory.path());
  for (const std::size_t page : leaves) {
    SCOPED_TRACE(page);
    StoreImage hurt = image;
    hurt.files.at(day).replace((page - 1) * 4096, 4096, 4096, '\0');
    start_over(hurt, day, hurt.files.at(day).size(), false);
    if (HasFatalFailure()) return;
    compact();
    ASSERT_EQ(told().size(), 1u) << "nobody has read it";
    EXPECT_EQ(number_before(told()[0], " samples are lost"), missing());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidegate::journal
