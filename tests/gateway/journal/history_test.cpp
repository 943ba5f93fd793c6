#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

class HistoryTest : public JournalTest {
 protected:
  std::vector<Bucket> history(SeriesId id, Timestamp from, Timestamp to, std::size_t points) {
    const std::vector<SeriesId> one{id};
    auto found = journal->history(one, from, to, points);
    EXPECT_TRUE(found) << found.error().text;
    return found ? found->at(0).buckets : std::vector<Bucket>{};
  }
};

/// The definition, sample by sample.
std::vector<Bucket> by_definition(std::vector<Sample> samples, SeriesId id, Timestamp from, Timestamp to,
                                  std::size_t points) {
  const auto count = static_cast<std::int64_t>(points);
  const Micros width{((to - from).count() + count - 1) / count};
  std::stable_sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  std::map<std::int64_t, Bucket> buckets;
  for (const bool usable : {false, true}) {
    for (const Sample& one : samples) {
      if (one.series != id || one.time < from || one.time >= to) continue;
      if ((one.quality != Quality::bad) != usable) continue;
      Bucket& bucket = buckets[(one.time - from) / width];
      if (!usable) {
        if (bucket.bad++ == 0) bucket.first_time = one.time;
        bucket.last_time = one.time;
        continue;
      }
      if (bucket.count++ == 0) {
        bucket.first = bucket.min = bucket.max = one.value;
        bucket.first_time = one.time;
      }
      bucket.min = std::min(bucket.min, one.value);
      bucket.max = std::max(bucket.max, one.value);
      bucket.sum += one.value;
      bucket.last = one.value;
      bucket.last_time = one.time;
    }
  }
  std::vector<Bucket> out;
  for (const auto& [at, bucket] : buckets) out.push_back(bucket);
  return out;
}

void expect_same(const std::vector<Bucket>& got, const std::vector<Bucket>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(got[i].count, expected[i].count);
    EXPECT_EQ(got[i].bad, expected[i].bad);
    EXPECT_EQ(got[i].first_time, expected[i].first_time);
    EXPECT_EQ(got[i].last_time, expected[i].last_time);
    EXPECT_EQ(got[i].min, expected[i].min);
    EXPECT_EQ(got[i].max, expected[i].max);
    EXPECT_EQ(got[i].first, expected[i].first);
    EXPECT_EQ(got[i].last, expected[i].last);
    EXPECT_NEAR(got[i].sum, expected[i].sum, 1e-6);
  }
}

TEST_F(HistoryTest, BucketsAreThoseOfTheDefinition) {
  open();
  std::mt19937 random(5);
  std::vector<SeriesId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(series("s" + std::to_string(i)));
  std::vector<Sample> all;
  const Timestamp start = clock.now();
  for (int i = 0; i < 600; ++i) {
    std::vector<Sample> samples;
    for (auto j = random() % 20; j > 0; --j) {
      Sample one = sample(ids[random() % ids.size()], static_cast<double>(random() % 1000) / 10);
      one.time += Micros{static_cast<std::int64_t>(random() % 100'000)};
      if (random() % 10 == 0) one.time -= 10s;
      if (random() % 30 == 0) one.time -= 1h;
      if (random() % 40 == 0) one.time += 10min;
      if (random() % 10 == 0) one = {one.series, Quality::bad, Reason::no_answer, one.time, 0};
      if (random() % 10 == 0) one.quality = Quality::uncertain;
      samples.push_back(one);
    }
    all.insert(all.end(), samples.begin(), samples.end());
    append_samples(samples);
    if (random() % 50 == 0) clock.advance(5min);
  }
  const Timestamp end = clock.now();
  for (int trial = 0; trial < 40; ++trial) {
    const auto span = static_cast<std::uint64_t>((end - start).count());
    Timestamp from = start + Micros{static_cast<std::int64_t>(random() % span)} - 30min;
    Timestamp to = from + Micros{static_cast<std::int64_t>(random() % span) + 1};
    // Buckets narrower than two minutes; wider ones are aligned, see compaction_test.
    const auto least = static_cast<std::size_t>((to - from) / std::chrono::minutes(2)) + 1;
    const std::size_t points = least + random() % 300;
    SCOPED_TRACE(trial);
    const auto found = journal->history(ids, from, to, points);
    ASSERT_TRUE(found);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_EQ(found->at(i).series, ids[i]);
      expect_same(found->at(i).buckets, by_definition(all, ids[i], from, to, points));
      EXPECT_LE(found->at(i).buckets.size(), points);
    }
  }
}

TEST_F(HistoryTest, OneBucketMayBeOneMicrosecond) {
  open();
  const SeriesId id = series("a");
  const Sample one = sample(id, 5);
  append_samples({one});
  EXPECT_EQ(history(id, one.time, one.time + 1us, 1000).size(), 1u);
  EXPECT_TRUE(history(id, one.time + 1us, one.time + 2us, 1000).empty());
  EXPECT_TRUE(history(id, one.time - 1us, one.time, 1000).empty());
}

TEST_F(HistoryTest, SaysWhatItCannotDo) {
  open();
  const SeriesId id = series("a");
  const std::vector<SeriesId> known{id};
  const std::vector<SeriesId> unknown{SeriesId{99}};
  EXPECT_EQ(journal->history(known, at(10), at(10), 5).error().code, Errc::invalid);
  EXPECT_EQ(journal->history(known, at(0), at(10), 0).error().code, Errc::invalid);
  EXPECT_EQ(journal->history(known, at(0), at(10), 1u << 21).error().code, Errc::invalid);
  EXPECT_EQ(journal->history(unknown, at(0), at(10), 5).error().code, Errc::not_found);
  EXPECT_TRUE(history(id, at(0), at(10), 5).empty());
}

}  // namespace
}  // namespace tidegate::journal
