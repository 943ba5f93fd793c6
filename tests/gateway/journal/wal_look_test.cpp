// A write-ahead log that is damaged in its middle: what was committed after that is lost, and may not be in silence.

#include "gateway/journal/wal_look.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t kFrame = 24 + 512;  ///< bytes; the journal's pages have 512

class WalLook : public JournalTest {
 protected:
  WalLook() {
    open();
    const SeriesId id = series("a");
    for (int i = 0; i < 20; ++i) append_samples({sample(id, i)});
    copy(directory.path(), left.path());
    std::ifstream file(left.path() / "journal.db-wal", std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }

  /// As a power cut leaves them: the writer still has its files, and its lock.
  static void copy(const fs::path& from, const fs::path& to) {
    for (const char* name : {"journal.db", "journal.db-wal", "journal.lock"})
      fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
    fs::remove(to / "journal.db-shm");
  }

  std::size_t frames() const { return (bytes.size() - 32) / kFrame; }
  bool is_commit(std::size_t frame) const { return bytes.substr(32 + frame * kFrame + 4, 4) != std::string(4, '\0'); }
  std::size_t commits(std::size_t from) const {
    std::size_t found = 0;
    for (std::size_t frame = from; frame < frames(); ++frame) found += is_commit(frame) ? 1 : 0;
    return found;
  }
  std::uint64_t look_at(const std::string& wal) const {
    const fs::path file = left.path() / "journal.db-wal";
    std::ofstream(file, std::ios::binary) << wal;
    return commits_behind_damage(file);
  }

  test::TempDir left;
  std::string bytes;
};

TEST_F(WalLook, CountsTheCommitsThatAFlippedBitHides) {
  ASSERT_GT(commits(0), 20u);
  ASSERT_EQ(look_at(bytes), 0u);
  for (std::size_t frame = 0; frame < frames(); ++frame) {
    std::string damaged = bytes;
    damaged[32 + frame * kFrame + 24 + 100] ^= 0x10;
    // The last commit has no successor that proves it was ever whole: a power cut may have torn it.
    EXPECT_EQ(look_at(damaged), commits(frame) - 1) << "frame " << frame;
  }
}

TEST_F(WalLook, ATornEndIsNoDamage) {
  std::size_t last_begins = frames() - 1;
  while (last_begins > 0 && !is_commit(last_begins - 1)) --last_begins;
  for (std::size_t size = 0; size < bytes.size(); size += 97) EXPECT_EQ(look_at(bytes.substr(0, size)), 0u) << size;
  for (std::size_t frame = last_begins; frame < frames(); ++frame) {
    std::string torn = bytes;
    torn.replace(32 + frame * kFrame, kFrame, kFrame, '\0');
    EXPECT_EQ(look_at(torn), 0u) << "frame " << frame;
  }
}

TEST_F(WalLook, FramesOfAnEarlierRoundAreNoDamage) {
  ASSERT_TRUE(journal->maintain());
  reopen();  // a checkpoint, and a WAL that begins anew
  append_samples({sample(SeriesId{0}, 1)});
  std::ifstream file(directory.path() / "journal.db-wal", std::ios::binary);
  std::string now(std::istreambuf_iterator<char>(file), {});
  ASSERT_LT(now.size(), bytes.size());
  EXPECT_EQ(look_at(now + bytes.substr(now.size())), 0u);
}

TEST_F(WalLook, NoiseIsNoWal) {
  EXPECT_EQ(commits_behind_damage(left.path() / "none"), 0u);
  EXPECT_EQ(look_at(std::string(10'000, 'x')), 0u);
  EXPECT_EQ(look_at(bytes.substr(0, 32) + std::string(10'000, '\0')), 0u);
  std::string other = bytes;
  other[8] = 0x7f;  // pages of another size
  EXPECT_EQ(look_at(other), 0u);
}

TEST_F(WalLook, AStartTellsWhatIsLostAndUsesNoNumberTwice) {
  const std::string epoch = journal->epoch();
  std::size_t frame = frames() / 2;
  bytes[32 + frame * kFrame + 24 + 100] ^= 0x10;
  const std::uint64_t lost = look_at(bytes);
  ASSERT_GT(lost, 5u);
  journal.reset();
  copy(left.path(), directory.path());
  open();
  EXPECT_NE(journal->epoch(), epoch);
  const auto batches = read(Seq{0});
  ASSERT_FALSE(batches.empty());
  ASSERT_EQ(batches.back()->events.size(), 1u);
  EXPECT_THAT(std::get<Notice>(batches.back()->events[0].body).text,
              HasSubstr(fmt::format("at least {} commits", lost)));
  const std::string next_epoch = journal->epoch();
  ASSERT_TRUE(journal->maintain());
  append_samples({sample(SeriesId{0}, 1)});
  copy(directory.path(), left.path());  // the power goes again
  journal.reset();
  copy(left.path(), directory.path());
  open();
  EXPECT_EQ(read(Seq{0}).size(), batches.size() + 1) << "it is told once";
  EXPECT_EQ(journal->epoch(), next_epoch);
}

}  // namespace
}  // namespace tidegate::journal
