// kill -9 at any moment: what was acknowledged is there.

#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <random>

#include "gateway/core/text.h"
#include "gateway/journal/sqlite.h"
#include "tests/gateway/journal/support.h"
#include "tests/support/process.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

/// The highest whole line of what the writer printed before it died.
std::int64_t last_acknowledged(const std::string& output) {
  std::int64_t last = 0;
  const std::size_t end = output.rfind('\n');
  if (end == std::string::npos) return 0;
  for (const std::string_view line : split(std::string_view(output).substr(0, end), '\n')) {
    last = std::max<std::int64_t>(last, std::stoll(std::string(line)));
  }
  return last;
}

class CrashTest : public JournalTest {
 protected:
  /// Every batch of the writer says in its samples and its event which one it is.
  void check(std::int64_t acknowledged, std::int64_t& checked) {
    open();
    ASSERT_TRUE(journal->notices().empty()) << journal->notices()[0];
    ASSERT_GE(number(journal->last()), acknowledged);
    Seq after{checked};
    for (auto batches = read(after); !batches.empty(); batches = read(after)) {
      for (const BatchPtr& batch : batches) {
        ASSERT_FALSE(batch->gap);
        ASSERT_EQ(batch->seq, next(after));
        ASSERT_EQ(batch->samples.size(), static_cast<std::size_t>(number(batch->seq) % 200 + 1));
        ASSERT_EQ(batch->samples.back().value, static_cast<double>(number(batch->seq)));
        ASSERT_EQ(batch->events.size(), 1u);
        ASSERT_EQ(std::get<Notice>(batch->events[0].body).text, std::to_string(number(batch->seq)));
        after = batch->seq;
      }
    }
    ASSERT_EQ(after, journal->last());
    checked = number(after);
    journal.reset();
    auto connection = sql::Connection::open(directory.path() / "journal.db", sql::Connection::Access::write);
    ASSERT_TRUE(connection);
    ASSERT_EQ(*connection->text("PRAGMA integrity_check"), "ok");
  }
};

TEST_F(CrashTest, KillsAtRandomMomentsLoseNoAcknowledgedBatch) {
  std::mt19937 random(1);
  std::int64_t checked = 0;
  for (int round = 0; round < test::kills(100); ++round) {
    SCOPED_TRACE(round);
    if (round % 3 == 0) {  // and while it opens what the last kill left
      test::Process opening({JOURNAL_WRITER, directory.path().string()});
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 5'000));
      opening.kill();
      check(last_acknowledged(opening.output()), checked);
    }
    test::Process writer({JOURNAL_WRITER, directory.path().string()});
    ASSERT_TRUE(writer.wait_for_output("\n")) << "it has acknowledged something";
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 50'000));
    writer.kill();
    check(last_acknowledged(writer.output()), checked);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(checked, test::kills(100));
}

}  // namespace
}  // namespace tidegate::journal
