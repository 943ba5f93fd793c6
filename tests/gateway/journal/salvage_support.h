#pragma once

#include <fstream>
#include <random>
#include <set>

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {

/// A journal of which the truth is known, and whose pages can be damaged.
class SalvageTest : public JournalTest {
 protected:
  static constexpr std::size_t kLogPage = 512;

  SalvageTest() : JournalTest(memory()) { options.cache_bytes = 0; }

  std::filesystem::path file() const { return directory.path() / "journal.db"; }

  Batch batch_of(int value) {
    Batch batch;
    std::mt19937_64 random(static_cast<std::uint64_t>(value));
    for (int i = 0; i < 100 + value % 50; ++i) {
      batch.samples.push_back(sample(SeriesId{static_cast<std::uint32_t>(i % 7)}, static_cast<double>(random()) / 3e7));
    }
    if (value % 4 == 0) batch.events = {{clock.now(), Notice{"storage", std::to_string(value)}}};
    return batch;
  }

  void fill(int batches) {
    open();
    for (int i = 0; i < 7; ++i) series("plant/s" + std::to_string(i));
    for (int i = 0; i < batches; ++i) {
      Batch batch = batch_of(i);
      if (i == 5) {
        batch.alerts = {alert("hot:boiler", Phase::active), alert("hot:oven", Phase::pending)};
        batch.events = {transition(batch.alerts[0], clock.now())};
      }
      truth.push_back(append(std::move(batch)));
    }
    ASSERT_TRUE(journal->position("cloud"));
    ASSERT_TRUE(journal->advance("cloud", Seq{batches / 2}));
    ASSERT_TRUE(journal->maintain());
  }

  /// The pages of a table's leaves, in order, all in the file itself: none in the WAL or in the writer's cache.
  std::vector<std::size_t> leaves(const std::string& table) {
    reopen();
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    EXPECT_TRUE(connection);
    auto rows = connection->prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path");
    EXPECT_TRUE(rows) << rows.error().text;
    rows->bind(table);
    std::vector<std::size_t> pages;
    while (*rows->step()) pages.push_back(static_cast<std::size_t>(rows->integer(0)));
    rows->reset();
    EXPECT_TRUE(connection->run("INSERT INTO meta VALUES('touched', 1)"));
    return pages;
  }

  void overwrite(std::size_t page, char with = '\x5a') {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>((page - 1) * kLogPage));
    const std::string dirt(kLogPage, with);
    stream.write(dirt.data(), static_cast<std::streamsize>(dirt.size()));
  }

  static bool is_report(const Batch& batch) {
    if (batch.events.size() != 1 || !batch.samples.empty()) return false;
    const auto* notice = std::get_if<Notice>(&batch.events[0].body);
    return notice != nullptr && notice->text.starts_with("journal.db");
  }

  /// Everything that is there is what was written; gives the numbers of the batches that are there.
  std::set<std::int64_t> expect_unaltered() {
    std::set<std::int64_t> there;
    for (Seq after{0}; after < journal->last();) {
      const auto batches = read(after);
      if (batches.empty()) ADD_FAILURE() << "nothing after " << number(after);
      if (batches.empty()) return there;
      for (const BatchPtr& batch : batches) {
        after = batch->seq;
        const auto at = static_cast<std::size_t>(number(batch->seq) - 1);
        if (batch->gap || at >= truth.size() || is_report(*batch)) continue;
        EXPECT_EQ(batch->samples, truth[at]->samples) << number(batch->seq);
        EXPECT_EQ(batch->committed, truth[at]->committed);
        EXPECT_LE(batch->events.size(), truth[at]->events.size());
        there.insert(number(batch->seq));
      }
    }
    return there;
  }

  struct Missing {
    double batches = 0, samples = 0, events = 0;
  };
  /// What of the truth is not in the journal any more.
  Missing missing(const std::set<std::int64_t>& there) {
    Missing missing;
    for (const BatchPtr& batch : truth) {
      missing.events += static_cast<double>(batch->events.size());
      if (there.contains(number(batch->seq))) continue;
      missing.batches += 1;
      missing.samples += static_cast<double>(batch->samples.size());
    }
    const auto events = journal->events({.limit = 100'000});
    EXPECT_TRUE(events) << (events ? "" : events.error().text);
    if (!events) return missing;
    for (const StoredEvent& stored : *events) {
      const auto* notice = std::get_if<Notice>(&stored.event.body);
      if (notice == nullptr || !notice->text.starts_with("journal.db")) missing.events -= 1;
    }
    return missing;
  }

  std::vector<std::string> set_aside() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      const std::string name = entry.path().filename().string();
      if (name.find(".corrupt-") != std::string::npos && !name.ends_with("-wal")) found.push_back(name);
    }
    return found;
  }

  void expect_counted(const Missing& lost) {
    EXPECT_EQ(metric("journal/lost_batches"), lost.batches);
    EXPECT_EQ(metric("journal/lost_samples"), lost.samples);
    EXPECT_EQ(metric("journal/lost_events"), lost.events);
  }

  std::vector<BatchPtr> truth;
};

}  // namespace tidegate::journal
