// The journal against a model of it that is too simple to be wrong.

#include <gmock/gmock.h>

#include <map>
#include <random>

#include "tests/gateway/journal/support.h"
#include "tests/support/steps.h"

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

  std::int64_t first() const { return batches.empty() ? last + 1 : batches.begin()->first; }
};

enum class Do { append, read, move_cursor, maintain, wait, check, reopen };
constexpr int kWeights[] = {20, 8, 4, 4, 4, 4, 1};
using Step = test::Step<Do>;

const char* name(Do kind) {
  constexpr const char* kNames[] = {"append", "read", "move_cursor", "maintain", "wait", "check", "reopen"};
  return kNames[static_cast<std::size_t>(kind)];
}

class ModelTest : public JournalTest, public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  ModelTest() : JournalTest(memory()) {
    options.retention = 30s;
    options.cache_bytes = GetParam() % 3 == 0 ? 0 : 20'000;
  }

  /// Empty where all steps did as they should; else what did not.
  std::string run(const std::vector<Step>& steps) {
    journal.reset();
    std::filesystem::remove_all(directory.path());
    clock.set(start);
    model = {};
    open();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (HasFatalFailure()) return "it does not open";
      const std::string wrong = play(steps[i]);
      if (!wrong.empty()) return fmt::format("step {}, {}: {}", i, name(steps[i].kind), wrong);
    }
    return "";
  }

  std::string play(const Step& step) {
    std::mt19937 random(step.seed);
    switch (step.kind) {
      case Do::append:
        return append_something(random);
      case Do::read:
        return read_somewhere(random);
      case Do::move_cursor:
        return move_cursor(random);
      case Do::maintain:
        return maintain();
      case Do::wait:
        clock.advance(Micros{static_cast<std::int64_t>(random() % 3'000'000)});
        return "";
      case Do::check:
        return check_state();
      default:
        reopen();
        return HasFatalFailure() ? "it does not open" : check_state();
    }
  }

  std::string append_something(std::mt19937& random) {
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
    clock.advance(200ms);
    const auto stored = journal->append(batch);
    if (!stored) return stored.error().text;
    if (number((*stored)->seq) != model.last + 1) return "its number is not the next";
    keep(**stored);
    return "";
  }

  void keep(const Batch& stored) {
    model.batches[++model.last] = stored;
    model.events += stored.events.size();
    for (const AlertRecord& record : stored.alerts) {
      model.alerts[record.id] = record;
      if (record.phase == Phase::normal) model.alerts.erase(record.id);
    }
    for (const Sample& one : stored.samples) {
      const auto found = model.latest.find(one.series);
      if (found == model.latest.end() || one.time >= found->second.time) model.latest[one.series] = one;
    }
  }

  /// Much the same place where there are fewer batches.
  std::int64_t somewhere(std::mt19937& random) const {
    return model.last * static_cast<std::int64_t>(random() % 101) / 100;
  }

  std::string read_somewhere(std::mt19937& random) {
    std::int64_t after = somewhere(random);
    const ReadLimits limits{random() % 20 + 1, random() % 2000 + 1};
    const auto batches = journal->read(Seq{after}, limits);
    if (!batches) return batches.error().text;
    if (batches->size() > limits.max_batches + 1) return "too many batches";
    if (batches->empty() != (after == model.last)) return "there is nothing to read, or too much";
    std::size_t samples = 0;
    for (const BatchPtr& batch : *batches) {
      if (std::string wrong = batch->gap ? wrong_gap(*batch, after) : wrong_batch(*batch, after); !wrong.empty()) {
        return fmt::format("after {}: {}", after, wrong);
      }
      samples += batch->samples.size();
      after = number(batch->seq);
    }
    return batches->size() > 2 && samples > limits.max_samples ? "too many samples" : "";
  }
  std::string wrong_gap(const Batch& batch, std::int64_t after) const {
    if (number(batch.gap->first) != after + 1) return "a gap begins elsewhere";
    if (number(batch.gap->last) != model.first() - 1) return "a gap ends elsewhere";
    return batch.gap->why == "retention" ? "" : "a gap: " + batch.gap->why;
  }
  std::string wrong_batch(const Batch& batch, std::int64_t after) const {
    const auto expected = model.batches.find(after + 1);
    if (expected == model.batches.end()) return "a batch that is gone";
    const Batch& written = expected->second;
    if (number(batch.seq) != after + 1) return "a batch is passed over";
    if (batch.samples != written.samples) return "samples have changed";
    if (batch.committed != written.committed) return "the time of the commit has changed";
    if (batch.alerts != written.alerts) return "alerts have changed";
    return batch.events.size() == written.events.size() ? "" : "events have come or gone";
  }

  std::string move_cursor(std::mt19937& random) {
    const std::string cursor = "c" + std::to_string(random() % 3);
    const bool from_start = random() % 2 == 0;
    const auto position = journal->position(cursor, from_start);
    if (!position) return position.error().text;
    const auto known = model.cursors.emplace(cursor, from_start ? model.first() - 1 : model.last).first;
    if (number(*position) != known->second) return "a cursor has moved by itself";
    const std::int64_t to = somewhere(random);
    if (Status done = journal->advance(cursor, Seq{to}); !done) return done.error().text;
    known->second = std::max(known->second, to);
    return number(*journal->position(cursor)) == known->second ? "" : "a cursor is not where it was moved to";
  }

  std::string maintain() {
    if (Status done = journal->maintain(); !done) return done.error().text;
    const Timestamp oldest = clock.now() - options.retention;
    while (model.batches.size() > 1 && model.batches.begin()->second.committed < oldest) {
      model.batches.erase(model.batches.begin());
    }
    return number(journal->first()) == model.first() ? "" : "the log begins elsewhere";
  }

  std::string check_state() {
    if (number(journal->last()) != model.last) return "the last number is another";
    std::vector<AlertRecord> alerts;
    for (const auto& [id, record] : model.alerts) alerts.push_back(record);
    const auto stored = journal->alerts();
    if (!stored || *stored != alerts) return "other alerts";
    for (const Sample& one : journal->latest()) {
      const auto found = model.latest.find(one.series);
      if (found == model.latest.end() ? one.time != Timestamp{} : one != found->second) return "another newest sample";
    }
    const auto events = journal->events({.limit = 100'000});
    if (!events || events->size() != model.events) return "events have come or gone";
    std::size_t samples = 0;
    for (const auto& [seq, batch] : model.batches) samples += batch.samples.size();
    if (journal->stats().samples != samples) return "the number of samples is another";
    for (const auto& [cursor, at] : model.cursors) {
      if (number(*journal->position(cursor)) != at) return "a cursor has moved by itself";
    }
    return "";
  }

  const Timestamp start = clock.now();
  Model model;
};

TEST_P(ModelTest, AgreesStepByStep) {
  const auto steps = test::draw<Do>(GetParam(), 400, kWeights);
  EXPECT_EQ(test::wrong_by_fewest<Do>(steps, [this](const auto& some) { return run(some); }), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range(0u, 12u));

}  // namespace
}  // namespace tidegate::journal
