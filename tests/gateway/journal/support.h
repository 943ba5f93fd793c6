#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/core/clock.h"
#include "gateway/core/metrics.h"
#include "gateway/journal/codec.h"
#include "gateway/journal/journal.h"
#include "gateway/journal/store_view.h"
#include "tests/support/temp_dir.h"

namespace tidegate::journal {

inline SeriesInfo info(std::string unit, SeriesKind kind = SeriesKind::number) {
  return {kind, std::move(unit), "test", Micros{0}, {}};
}

inline Timestamp at(std::int64_t micros) { return Timestamp{Micros{micros}}; }

/// Where a sync costs nothing, for tests that open thousands of journals and do not pull a plug.
inline std::filesystem::path memory() {
  return std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
}

/// A journal that can be closed and opened again.
class JournalTest : public ::testing::Test {
 protected:
  explicit JournalTest(const std::filesystem::path& parent = std::filesystem::temp_directory_path())
      : directory(parent) {}
  void open() {
    options.directory = directory.path();
    auto opened = Journal::open(options, clock, metrics);
    ASSERT_TRUE(opened) << opened.error().text;
    journal = std::move(*opened);
  }
  void reopen() {
    journal.reset();
    open();
  }
  SeriesId series(std::string_view name) {
    auto id = journal->catalogue().intern(name, info("°C"));
    EXPECT_TRUE(id) << id.error().text;
    return *id;
  }
  Sample sample(SeriesId id, double value) { return {.series = id, .time = clock.now(), .value = value}; }
  /// Appends; the clock goes on by 200 ms, as the pump would have it.
  BatchPtr append(Batch batch) {
    clock.advance(std::chrono::milliseconds(200));
    auto stored = journal->append(std::move(batch));
    EXPECT_TRUE(stored) << stored.error().text;
    return stored ? *stored : nullptr;
  }
  BatchPtr append_samples(std::vector<Sample> samples) {
    Batch batch;
    batch.samples = std::move(samples);
    return append(std::move(batch));
  }
  std::vector<BatchPtr> read(Seq after, const ReadLimits& limits = {}) {
    auto batches = journal->read(after, limits);
    EXPECT_TRUE(batches) << batches.error().text;
    return batches ? *batches : std::vector<BatchPtr>{};
  }
  /// All of the log into history, and what else there is to be done there.
  void compact() {
    for (bool more = true; more;) {
      const auto done = journal->compact({}, true);
      ASSERT_TRUE(done) << done.error().text;
      ASSERT_TRUE(journal->maintain());
      more = *done;
    }
  }
  /// As tools see the directory, beside the journal or without one.
  std::unique_ptr<StoreView> view() {
    auto opened = StoreView::open(directory.path());
    EXPECT_TRUE(opened) << opened.error().text;
    return opened ? std::move(*opened) : nullptr;
  }
  double metric(std::string_view path) {
    double value = 0;
    metrics.for_each([&](const Metric& metric) {
      if (metric.path == path) value = metric.value();
    });
    return value;
  }

  test::TempDir directory;
  Options options;
  FakeClock clock;
  Metrics metrics;
  std::unique_ptr<Journal> journal;
};

inline AlertRecord alert(std::string id, Phase phase) {
  AlertRecord record;
  record.id = std::move(id);
  record.rule = "boiler-overheating";
  record.series = "boiler1/temperature";
  record.phase = phase;
  record.severity = record.heading = Severity::critical;
  record.since = at(1'700'000'000'123'456);
  record.raised = at(1'700'000'000'000'001);
  record.value = 93.2;
  record.limit = 90;
  record.unit = "°C";
  record.message = "boiler1 is at 93.2 °C, limit 90";
  record.labels = {{"area", "boiler-house"}};
  record.runbook = "Close V12.";
  return record;
}

/// Of a batch of its own.
inline Batch snapshot_of(std::string alert, const std::vector<Sample>& samples) {
  Snapshot snapshot;
  snapshot.alert = std::move(alert);
  snapshot.series = 1;
  snapshot.samples = static_cast<std::uint32_t>(samples.size());
  snapshot.columns = encode(samples);
  Batch batch;
  batch.events = {{at(7), std::move(snapshot)}};
  return batch;
}

inline Event transition(const AlertRecord& record, Timestamp time) {
  return {time, AlertTransition{record, Phase::pending, "raised"}};
}

}  // namespace tidegate::journal
