#pragma once

#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {

/// A journal whose file is edited between two runs.
class DamageTest : public JournalTest {
 protected:
  DamageTest() { options.cache_bytes = 0; }

  std::filesystem::path file() const { return directory.path() / "journal.db"; }
  void fill(int batches) {
    open();
    const SeriesId id = series("a");
    for (int i = 0; i < batches; ++i) {
      Batch batch;
      for (int j = 0; j < 300; ++j) batch.samples.push_back(sample(id, i * 1000 + j * 0.7));
      if (i % 3 == 0) batch.events = {{clock.now(), Notice{"storage", "x"}}};
      append(std::move(batch));
    }
  }
  void edit(const char* sql) {
    journal.reset();
    auto connection = sql::Connection::open(file(), sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    const Status done = connection->run(sql);
    ASSERT_TRUE(done) << done.error().text;
    ASSERT_TRUE(connection->make_whole());
  }
  std::vector<std::filesystem::path> quarantined() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().string().find(".corrupt-") != std::string::npos) found.push_back(entry.path());
    }
    return found;
  }
  void expect_works() {
    const auto before = number(journal->last());
    const SeriesId id = series("after");
    append_samples({sample(id, 1)});
    EXPECT_EQ(number(journal->last()), before + 1);
    EXPECT_EQ(read(Seq{before}).back()->samples.at(0).value, 1);
  }
};

}  // namespace tidegate::journal
