// The journal and its history against lists that are too simple to be wrong, over steps at random. A seed that fails is
// shrunk to the fewest steps that still fail, and these are printed.

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "tests/gateway/journal/history_support.h"
#include "tests/gateway/journal/random_store.h"
#include "tests/gateway/journal/store_image.h"
#include "tests/support/steps.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetention = 72h;
constexpr auto kLogKeep = 20min;
constexpr int kSeries = 4;

enum class Do { append, wait, compact, compact_all, maintain, reopen, kill, advance, read, scan, chart };
constexpr int kWeights[] = {30, 18, 6, 2, 12, 2, 2, 6, 8, 4, 6};
using Step = test::Step<Do>;

const char* name(Do kind) {
  constexpr const char* kNames[] = {"append", "wait",    "compact", "compact_all", "maintain", "reopen",
                                    "kill",   "advance", "read",    "scan",        "chart"};
  return kNames[static_cast<std::size_t>(kind)];
}

class HistoryModelTest : public CompactionTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  HistoryModelTest() : CompactionTest(memory()) {
    options.retention = kRetention;
    options.log_keep = kLogKeep;
  }

  /// Empty where all steps did as they should; else what did not.
  std::string run(const std::vector<Step>& steps) {
    journal.reset();
    std::filesystem::remove_all(directory.path());
    clock.set(start);
    all.clear();
    log.clear();
    cursors.clear();
    options.cache_bytes = GetParam() % 2 == 0 ? 0 : 20'000;
    open_with_names();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      std::string wrong = play(steps[i]);
      if (wrong.empty()) wrong = check();
      if (!wrong.empty()) return fmt::format("step {}, {}: {}", i, name(steps[i].kind), wrong);
    }
    return "";
  }

  /// A name is on disk with the first batch after it.
  void open_with_names() {
    open();
    for (int i = 0; i < kSeries; ++i) series("plant/s" + std::to_string(i));
  }

  std::string play(const Step& step) {
    std::mt19937 random(step.seed);
    const auto below = [&](std::uint32_t bound) { return static_cast<int>(random() % bound); };
    switch (step.kind) {
      case Do::append:
        return append_some(random);
      case Do::wait:
        clock.advance(Micros{1min} * below(step.seed % 10 == 0 ? 2000 : 40));
        return "";
      case Do::compact:
      case Do::compact_all: {
        const auto done = journal->compact({}, step.kind == Do::compact_all);
        return done ? "" : done.error().text;
      }
      case Do::maintain: {
        Status done = journal->maintain();
        return done ? "" : done.error().text;
      }
      case Do::reopen:
        journal.reset();
        open_with_names();
        return "";
      case Do::kill: {
        const StoreImage left(directory.path());
        journal.reset();
        left.put(directory.path());
        open_with_names();
        return kill_cursors();
      }
      case Do::advance:
        return advance_cursor("c" + std::to_string(below(3)), below(100));
      case Do::read:
        return read_some(below(100), {random() % 20 + 1, random() % 2000 + 1});
      case Do::scan:
        return scan_some(random);
      default:
        return chart_some(random);
    }
  }

  std::string append_some(std::mt19937& random) {
    Batch batch;
    for (auto n = random() % 40; n > 0; --n) {
      Sample one =
          sample(SeriesId{static_cast<std::uint32_t>(random() % kSeries)}, static_cast<double>(random() % 1000) / 10);
      one.time += Micros{static_cast<std::int64_t>(random() % 1'000'000)};
      if (random() % 20 == 0) one.time -= Micros{1h} * static_cast<int>(random() % 60);
      if (random() % 20 == 0) one = {one.series, Quality::bad, Reason::no_answer, one.time, 0};
      if (random() % 9 == 0) one.value = 1.0 / static_cast<double>(1 + random() % 1000);
      batch.samples.push_back(one);
    }
    clock.advance(200ms);
    const auto stored_batch = journal->append(batch);
    if (!stored_batch) return stored_batch.error().text;
    if (number((*stored_batch)->seq) != static_cast<std::int64_t>(log.size()) + 1) return "its number is not the next";
    log.push_back(*stored_batch);
    all.insert(all.end(), (*stored_batch)->samples.begin(), (*stored_batch)->samples.end());
    return "";
  }

  std::string advance_cursor(const std::string& cursor, int percent) {
    const auto position = journal->position(cursor);
    if (!position) return position.error().text;
    const auto [known, is_new] = cursors.emplace(cursor, number(*position));
    if (!is_new && known->second != number(*position)) return "a cursor has moved by itself";
    const auto to = static_cast<std::int64_t>(log.size()) * percent / 100;
    if (Status done = journal->advance(cursor, Seq{to}); !done) return done.error().text;
    known->second = std::max(known->second, to);
    return number(*journal->position(cursor)) == known->second ? "" : "a cursor is not where it was moved to";
  }

  /// After a crash one may be where it was before, never ahead.
  std::string kill_cursors() {
    for (auto& [cursor, at] : cursors) {
      const auto position = journal->position(cursor);
      if (!position || number(*position) > at) return "a cursor is ahead of itself";
      at = number(*position);
    }
    return "";
  }

  std::string read_some(int percent, const ReadLimits& limits) {
    const auto after = Seq{static_cast<std::int64_t>(log.size()) * percent / 100};
    const auto batches = journal->read(after, limits);
    if (!batches) return batches.error().text;
    if (batches->empty() != (after == journal->last())) return "there is nothing to read, or too much";
    Seq expected = next(after);
    for (const BatchPtr& batch : *batches) {
      if (batch->gap) {
        if (batch->gap->why != "retention") return "a gap: " + batch->gap->why;
        if (batch->seq >= journal->first()) return "a gap where there are batches";
      } else {
        const Batch& written = *log.at(static_cast<std::size_t>(number(batch->seq) - 1));
        if (batch->seq != expected) return "a batch is passed over";
        if (batch->samples != written.samples || batch->committed != written.committed) return "a batch has changed";
      }
      expected = next(batch->seq);
    }
    return "";
  }

  /// The days that are within retention are whole.
  Timestamp whole_from() const {
    return std::chrono::floor<std::chrono::days>(clock.now() - kRetention) + std::chrono::days(1);
  }

  std::string scan_some(std::mt19937& random) {
    const SeriesId id{static_cast<std::uint32_t>(random() % kSeries)};
    const Timestamp from = whole_from() + Micros{1h} * static_cast<int>(random() % 48);
    const Timestamp to = from + Micros{1min} * static_cast<int>(1 + random() % 4000);
    return difference(stored(id, from, to), expected(id, from, to));
  }

  std::string chart_some(std::mt19937& random) {
    const SeriesId id{static_cast<std::uint32_t>(random() % kSeries)};
    const Timestamp from = whole_from() + Micros{1h} * static_cast<int>(random() % 48) +
                           Micros{static_cast<std::int64_t>(random() % 2 * 777)};
    const Timestamp to = from + Micros{1s} * static_cast<int>(1 + random() % 250'000);
    const std::vector<SeriesId> one{id};
    const std::size_t points = 1 + random() % 300;
    const auto history = journal->history(one, from, to, points);
    if (!history) return history.error().text;
    std::vector<Sample> samples = expected(id, from, to);
    std::size_t used = 0;
    for (const Bucket& bucket : history->at(0).buckets) {
      Bucket own;
      for (const Sample& sample : samples) {
        const bool inside = sample.time >= bucket.first_time && sample.time <= bucket.last_time;
        if (sample.quality == Quality::bad || bucket.count == 0 || !inside) continue;
        if (own.count++ == 0) own.min = own.max = own.first = sample.value;
        own.min = std::min(own.min, sample.value);
        own.max = std::max(own.max, sample.value);
        own.last = sample.value;
      }
      if (own.count != bucket.count) return fmt::format("a bucket counts {} of {}", bucket.count, own.count);
      if (own.min != bucket.min || own.max != bucket.max) return "a bucket's bounds are others";
      if (own.first != bucket.first || own.last != bucket.last) return "a bucket's ends are others";
      used += bucket.count + bucket.bad;
    }
    if (used != samples.size()) return fmt::format("a chart tells of {} of {} samples", used, samples.size());
    return history->at(0).buckets.size() <= points ? "" : "a chart has too many points";
  }

  /// After each step.
  std::string check() {
    if (HasFatalFailure()) return "it does not open";
    if (!journal->notices().empty()) return journal->notices()[0];
    if (number(journal->last()) != static_cast<std::int64_t>(log.size())) return "the last number is another";
    for (auto seq = number(journal->first()) - 1; seq > 0; --seq) {
      const BatchPtr& gone = log[static_cast<std::size_t>(seq - 1)];
      if (clock.now() - gone->committed < kLogKeep) return "a young batch is gone";
      if (clock.now() - gone->committed > kRetention) break;
      for (const auto& [cursor, at] : cursors) {
        if (at < seq) return fmt::format("batch {} is gone before '{}' had it", seq, cursor);
      }
      break;  // those before it were committed before it
    }
    return "";
  }

  const Timestamp start = clock.now();
  std::vector<BatchPtr> log;
  std::map<std::string, std::int64_t> cursors;
};

TEST_P(HistoryModelTest, AgreesStepByStep) {
  const auto steps = test::draw<Do>(GetParam(), 350, kWeights);
  EXPECT_EQ(test::wrong_by_fewest<Do>(steps, [this](const auto& some) { return run(some); }), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, HistoryModelTest, ::testing::Range(1u, 13u));

TEST(ShrinkTest, LeavesTheStepsThatMatter) {
  std::vector<int> steps(200);
  for (int i = 0; i < 200; ++i) steps[static_cast<std::size_t>(i)] = i;
  const auto fails = [](const std::vector<int>& some) {
    const auto at = [&](int step) { return std::find(some.begin(), some.end(), step); };
    return at(17) != some.end() && std::find(at(17), some.end(), 140) != some.end();
  };
  EXPECT_EQ(test::shrunk<int>(steps, fails), (std::vector<int>{17, 140}));
}

}  // namespace
}  // namespace tidegate::journal
