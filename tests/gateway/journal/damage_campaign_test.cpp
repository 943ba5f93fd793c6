// Files damaged or cut anywhere, a seed each: each starts, and says what it has lost.

#include <fstream>
#include <map>
#include <random>

#include "tests/gateway/journal/cuts.h"
#include "tests/gateway/journal/salvage_support.h"
#include "tests/support/process.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

/// One image, damaged anew by each seed.
class DamageCampaign : public SalvageTest {
 protected:
  void begin() {
    fill(160);
    journal.reset();
    image_ = test::read_file(file());
  }
  void start_over_with(const std::string& bytes) {
    journal.reset();
    std::filesystem::remove_all(directory.path());
    std::filesystem::create_directories(directory.path());
    std::ofstream(file(), std::ios::binary) << bytes;
    std::ofstream(directory.path() / "journal.lock") << "1\nclosed\n";
    for (const char* path : {"journal/lost_batches", "journal/lost_samples", "journal/lost_events",
                             "journal/damaged_batches", "journal/replaced_files"}) {
      base_[path] = metric(path);
    }
  }
  double since(const char* path) { return metric(path) - base_[path]; }

  double with_damaged_events() {
    double found = 0;
    for (Seq after{0}; after < journal->last();) {
      for (const BatchPtr& batch : read(after)) {
        after = batch->seq;
        found += batch->damaged_events > 0 ? 1 : 0;
      }
    }
    return found;
  }

  /// Starts, and says to the sample what is lost, where both ends of the log could be read.
  void check() {
    const auto began = std::chrono::steady_clock::now();
    open();
    ASSERT_FALSE(HasFatalFailure());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
    const auto there = expect_unaltered();
    const Missing lost = missing(there);
    const std::string report = journal->notices().empty() ? "" : journal->notices()[0];
    const bool replaced = since("journal/replaced_files") > 0;
    const bool all_known =
        report.find("at least") == std::string::npos && report.find("not known") == std::string::npos;
    if (!replaced && report.empty()) {
      EXPECT_EQ(since("journal/damaged_batches"), lost.batches + with_damaged_events());
    } else if (all_known) {
      EXPECT_EQ(since("journal/lost_batches"), lost.batches) << report;
      EXPECT_EQ(since("journal/lost_samples"), lost.samples) << report;
      EXPECT_EQ(since("journal/lost_events"), lost.events) << report;
      ++exact;
    } else {
      EXPECT_LE(since("journal/lost_batches"), lost.batches) << report;
      EXPECT_LE(since("journal/lost_samples"), lost.samples) << report;
      EXPECT_LE(since("journal/lost_events"), lost.events) << report;
    }
    for (int i = 0; i < 7; ++i) series("plant/s" + std::to_string(i));
    const BatchPtr fresh = append(batch_of(3));
    ASSERT_TRUE(fresh);
    EXPECT_EQ(read(prev(fresh->seq)).at(0)->samples, fresh->samples);
  }

  static std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    return number;
  }
  /// Where in the image the inner pages of the tables name their children, by SQLite's file format.
  std::vector<std::size_t> child_pointers() const {
    std::vector<std::size_t> found;
    for (std::size_t page = 1; page < image_.size() / kLogPage; ++page) {
      const std::size_t begin = page * kLogPage;
      if (image_[begin] != 5) continue;  // an inner page of a table
      found.push_back(begin + 8);        // the last child
      for (std::size_t cell = 0; cell < big_endian(image_, begin + 3, 2); ++cell) {
        found.push_back(begin + big_endian(image_, begin + 12 + 2 * cell, 2));
      }
    }
    return found;
  }

  std::string image_;
  std::map<std::string, double> base_;
  int exact = 0;
};

TEST_F(DamageCampaign, DamagedPagesAreCountedToTheSample) {
  begin();
  const int seeds = test::seeds(400);
  const std::size_t pages = image_.size() / kLogPage;
  ASSERT_GT(pages, 40u);
  for (int seed = test::first_seed(); seed < test::first_seed() + seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    std::string dirty = image_;
    const auto kind = random() % 3;
    for (auto left = 1 + random() % 3; left > 0; --left) {
      const std::size_t at = random() % pages * kLogPage;
      for (std::size_t byte = at; byte < at + kLogPage; ++byte) {
        dirty[byte] = kind == 0   ? '\0'
                      : kind == 1 ? static_cast<char>(random())
                                  : image_[kLogPage * 2 + byte % kLogPage];
      }
    }
    start_over_with(dirty);
    check();
    if (HasFailure()) return;
  }
  EXPECT_GT(exact, seeds / 2);
  RecordProperty("exact", exact);
}

TEST_F(DamageCampaign, AFileThatIsCutAnywhereStarts) {
  begin();
  for (const std::size_t size : cuts(image_.size(), kLogPage, test::seeds(300))) {
    SCOPED_TRACE(size);
    start_over_with(image_.substr(0, size));
    check();
    if (HasFailure()) return;
  }
  RecordProperty("exact", exact);
}

TEST_F(DamageCampaign, FlippedBitsAreCountedToTheSample) {
  begin();
  const int seeds = test::seeds(300);
  for (int seed = test::first_seed(); seed < test::first_seed() + seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    std::string dirty = image_;
    for (auto left = 1 + random() % 3; left > 0; --left) {
      const std::size_t at = random() % dirty.size();
      dirty[at] = static_cast<char>(dirty[at] ^ 1 << random() % 8);
    }
    start_over_with(dirty);
    check();
    if (HasFailure()) return;
  }
  RecordProperty("exact", exact);
}

/// Of an inner page that leads elsewhere whole stretches of rows are gone, which no row tells of.
TEST_F(DamageCampaign, RowsThatNoPageLeadsToAreCountedToTheSample) {
  begin();
  const std::vector<std::size_t> pointers = child_pointers();
  ASSERT_GT(pointers.size(), 100u);
  const int seeds = test::seeds(300);
  for (int seed = test::first_seed(); seed < test::first_seed() + seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    std::string dirty = image_;
    const std::size_t at = pointers[random() % pointers.size()] + 2 + random() % 2;  // pages have numbers of two bytes
    dirty[at] = static_cast<char>(dirty[at] ^ 1 << random() % 8);
    start_over_with(dirty);
    check();
    if (HasFailure()) return;
  }
  EXPECT_GT(exact, seeds / 2);
}

}  // namespace
}  // namespace tidegate::journal
