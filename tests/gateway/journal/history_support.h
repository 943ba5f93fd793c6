#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "gateway/core/time_text.h"
#include "gateway/journal/scan.h"
#include "tests/gateway/journal/support.h"

namespace tidegate::journal {

inline bool earlier(const Sample& a, const Sample& b) { return a.time < b.time; }

/// Knows every sample that was kept, and asks history for them.
class CompactionTest : public JournalTest {
 protected:
  explicit CompactionTest(const std::filesystem::path& parent = std::filesystem::temp_directory_path())
      : JournalTest(parent) {}
  void keep(std::vector<Sample> samples) {
    all.insert(all.end(), samples.begin(), samples.end());
    append_samples(std::move(samples));
  }
  std::vector<Sample> expected(SeriesId id, Timestamp from, Timestamp to) const {
    std::vector<Sample> found;
    for (const Sample& one : all) {
      if (one.series == id && one.time >= from && one.time < to) found.push_back(one);
    }
    std::stable_sort(found.begin(), found.end(), earlier);
    return found;
  }
  std::vector<Sample> stored(SeriesId id, Timestamp from, Timestamp to) {
    std::vector<Sample> found;
    const auto store = view();
    const auto place = store->find(journal->catalogue().entry(id).name);
    if (!place) return found;
    Scan scan(*store, {.series = {*place}, .from = from, .to = to});
    while (true) {
      const auto portion = scan.next();
      EXPECT_TRUE(portion) << portion.error().text;
      if (!portion || portion->samples.empty()) return found;
      for (Sample one : portion->samples) {
        one.series = id;
        found.push_back(one);
      }
    }
  }

  /// Every bucket is what its own stretch of time holds; together they hold everything; none overlaps another.
  void expect_sound(SeriesId id, Timestamp from, Timestamp to, std::size_t points) {
    const std::vector<SeriesId> one{id};
    const auto history = journal->history(one, from, to, points);
    ASSERT_TRUE(history) << history.error().text;
    const auto& buckets = history->at(0).buckets;
    EXPECT_LE(buckets.size(), points);
    const std::vector<Sample> samples = expected(id, from, to);
    std::size_t used = 0;
    for (const Bucket& bucket : buckets) {
      SCOPED_TRACE(rfc3339(bucket.first_time));
      Bucket own;
      bool any = false;
      for (const Sample& sample : samples) {
        if (sample.quality == Quality::bad) continue;
        if (bucket.count == 0 || sample.time < bucket.first_time || sample.time > bucket.last_time) continue;
        if (!any) own.min = own.max = own.first = sample.value;
        any = true;
        ++own.count;
        own.min = std::min(own.min, sample.value);
        own.max = std::max(own.max, sample.value);
        own.sum += sample.value;
        own.last = sample.value;
      }
      EXPECT_EQ(bucket.count, own.count);
      if (any) {
        EXPECT_EQ(bucket.min, own.min);
        EXPECT_EQ(bucket.max, own.max);
        EXPECT_EQ(bucket.first, own.first);
        EXPECT_EQ(bucket.last, own.last);
        EXPECT_NEAR(bucket.sum, own.sum, 1e-6);
      }
      used += bucket.count + bucket.bad;
    }
    EXPECT_EQ(used, samples.size());
  }

  /// As the archivist and the pump go on, whatever they meet. False: so many times they could not.
  bool compact_through_failures(int most) {
    int failures = 0;
    for (bool more = true; more;) {
      const auto done = journal->compact({}, true);
      const bool maintained = journal->maintain().has_value();
      more = !done || *done || !maintained;
      if (!done || !maintained) ++failures;
      EXPECT_LT(failures, most) << (done ? "" : done.error().text);
      if (failures >= most) return false;
    }
    return true;
  }

  std::vector<Sample> all;
};

}  // namespace tidegate::journal
