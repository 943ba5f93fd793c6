// The journal against a model of it that is too simple to be wrong.

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "tests/gateway/journal/support.h"

namespace tidegate::journal {
namespace {

using namespace std::chrono_literals;

struct Model {
  std::map<std::int64_t, Batch> batches;
  std::int64_t last = 0;
  std::map<std::string, std::int64_t> cursors;
  std::map<std::string, AlertRecord> alerts;
  std::map<SeriesId, Sample> latest;
  std::size_t events = 0;
};

class ModelTest : public JournalTest, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  void step() {
    switch (random() % 12) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        append_something();
        break;
      case 5:
      case 6:
        read_somewhere();
        break;
      case 7:
        move_cursor();
        break;
      case 8:
        maintain();
        break;
      case 9:
        clock.advance(Micros{static_cast<std::int64_t>(random() % 3'000'000)});
        break;
      case 10:
        check_state();
        break;
      default:
        if (random() % 4 == 0) {
          reopen();
          check_state();
        }
    }
  }

  void append_something() {
    Batch batch;
    for (auto n = random() % 100; n > 0; --n) {
      const SeriesId id = series("s" + std::to_string(random() % 30));
      Sample one = sample(id, static_cast<double>(random() % 10'000) / 100);
      one.time -= Micros{static_cast<std::int64_t>(random() % 2'000'000)};
      batch.samples.push_back(one);
    }
    for (auto n = random() % 3; n > 1; --n) {
      batch.events.push_back({clock.now(), Notice{"storage", std::to_string(random())}});
    }
    if (random() % 5 == 0) {
      const auto phase = random() % 3 == 0 ? Phase::normal : Phase::active;
      batch.alerts.push_back(alert("a:" + std::to_string(random() % 5), phase));
    }
    const BatchPtr stored = append(std::move(batch));
    ASSERT_TRUE(stored);
    ASSERT_EQ(number(stored->seq), model.last + 1);
    model.batches[++model.last] = *stored;
    model.events += stored->events.size();
    for (const AlertRecord& record : stored->alerts) {
      model.alerts[record.id] = record;
      if (record.phase == Phase::normal) model.alerts.erase(record.id);
    }
    for (const Sample& one : stored->samples) {
      const auto found = model.latest.find(one.series);
      if (found == model.latest.end() || one.time >= found->second.time) model.latest[one.series] = one;
    }
  }

  void read_somewhere() {
    std::int64_t after = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(model.last + 1));
    const ReadLimits limits{static_cast<std::size_t>(random() % 20 + 1), static_cast<std::size_t>(random() % 2000 + 1)};
    const std::int64_t first = model.batches.empty() ? model.last + 1 : model.batches.begin()->first;
    std::size_t samples = 0;
    const auto batches = read(Seq{after}, limits);
    ASSERT_LE(batches.size(), limits.max_batches + 1);
    ASSERT_EQ(batches.empty(), after == model.last);
    for (const BatchPtr& batch : batches) {
      if (batch->gap) {
        ASSERT_EQ(number(batch->gap->first), after + 1);
        ASSERT_EQ(number(batch->gap->last), first - 1);
        ASSERT_EQ(batch->gap->why, "retention");
      } else {
        const Batch& expected = model.batches.at(after + 1);
        ASSERT_EQ(number(batch->seq), after + 1);
        ASSERT_EQ(batch->samples, expected.samples);
        ASSERT_EQ(batch->committed, expected.committed);
        ASSERT_EQ(batch->events.size(), expected.events.size());
        ASSERT_EQ(batch->alerts, expected.alerts);
        samples += batch->samples.size();
      }
      after = number(batch->seq);
    }
    if (batches.size() > 2) {
      ASSERT_LE(samples, limits.max_samples);
    }
  }

  void move_cursor() {
    const std::string name = "c" + std::to_string(random() % 3);
    const bool from_start = random() % 2 == 0;
    const auto position = journal->position(name, from_start);
    ASSERT_TRUE(position);
    const auto first = model.batches.empty() ? model.last + 1 : model.batches.begin()->first;
    const auto known = model.cursors.emplace(name, from_start ? first - 1 : model.last).first;
    ASSERT_EQ(number(*position), known->second);
    const auto to = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(model.last + 1));
    ASSERT_TRUE(journal->advance(name, Seq{to}));
    known->second = std::max(known->second, to);
    ASSERT_EQ(number(*journal->position(name)), known->second);
  }

  void maintain() {
    ASSERT_TRUE(journal->maintain());
    const Timestamp oldest = clock.now() - options.retention;
    while (model.batches.size() > 1 && model.batches.begin()->second.committed < oldest) {
      model.batches.erase(model.batches.begin());
    }
    ASSERT_EQ(number(journal->first()), model.batches.empty() ? model.last + 1 : model.batches.begin()->first);
  }

  void check_state() {
    ASSERT_EQ(number(journal->last()), model.last);
    std::vector<AlertRecord> alerts;
    for (const auto& [id, record] : model.alerts) alerts.push_back(record);
    ASSERT_EQ(*journal->alerts(), alerts);
    for (const Sample& one : journal->latest()) {
      const auto found = model.latest.find(one.series);
      if (found == model.latest.end()) {
        ASSERT_EQ(one.time, Timestamp{});
      } else {
        ASSERT_EQ(one, found->second);
      }
    }
    ASSERT_EQ(journal->events({.limit = 100'000})->size(), model.events);
    std::size_t samples = 0;
    for (const auto& [seq, batch] : model.batches) samples += batch.samples.size();
    ASSERT_EQ(journal->stats().samples, samples);
    for (const auto& [name, at] : model.cursors) ASSERT_EQ(number(*journal->position(name)), at);
  }

  std::mt19937_64 random{GetParam()};
  Model model;
};

TEST_P(ModelTest, AgreesStepByStep) {
  options.retention = 30s;
  options.cache_bytes = GetParam() % 3 == 0 ? 0 : 20'000;
  open();
  for (int i = 0; i < 400 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    step();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range<std::uint64_t>(0, 12));

}  // namespace
}  // namespace tidegate::journal
