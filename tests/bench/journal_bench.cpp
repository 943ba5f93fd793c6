// The codec beside zstd over rows of 24 bytes, and the journal beside a table with a row a sample, in one run.

#include <benchmark/benchmark.h>
#include <sqlite3.h>
#include <zstd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "gateway/journal/codec.h"
#include "gateway/journal/journal.h"
#include "tests/bench/process.h"

namespace {

using namespace tidegate;
namespace fs = std::filesystem;

constexpr std::int64_t kStart = 1'700'000'000'000'000;

enum Shape { kSensor, kSensorJitter, kNoise, kNoiseJitter, kCounter, kCounterJitter, kState, kMixed };
constexpr const char* kShapes[] = {"0.1 sensor", "0.1 sensor, jitter", "noisy float", "noisy float, jitter",
                                   "counter",    "counter, jitter",    "state",       "1000 series, one each, jitter"};

/// `count` samples at 1 Hz, of one series; kMixed: a round of as many series, at the moments they were polled.
std::vector<Sample> make(int shape, int count) {
  std::mt19937_64 random(static_cast<std::uint64_t>(shape) + 1);
  std::normal_distribution<double> normal;
  const bool jitter = shape == kSensorJitter || shape == kNoiseJitter || shape == kCounterJitter;
  std::vector<Sample> samples;
  double level = 205;
  double total = 1e6;
  for (int i = 0; i < count; ++i) {
    std::int64_t time = kStart + i * 1'000'000ll;
    if (jitter) time += (static_cast<std::int64_t>(random() % 7) - 3) * 1000;
    Sample one{.time = Timestamp{Micros{time}}};
    level += std::round(normal(random));
    total += static_cast<double>(random() % 20);
    switch (shape) {
      case kSensor:
      case kSensorJitter:
        one.value = level / 10;
        break;
      case kNoise:
      case kNoiseJitter:
        one.value = 20 + normal(random);
        break;
      case kCounter:
      case kCounterJitter:
        one.value = total;
        break;
      case kState:
        one.value = static_cast<double>(i / 50 % 3);
        break;
      default:
        one.series = SeriesId{static_cast<std::uint32_t>(i)};
        one.time = Timestamp{Micros{kStart + i * 200 + static_cast<std::int64_t>(random() % 100)}};
        one.value = std::round(200 + 50 * normal(random)) / 10;
    }
    samples.push_back(one);
  }
  return samples;
}

void report(benchmark::State& state, std::size_t samples, std::size_t bytes) {
  const auto done = static_cast<double>(state.iterations()) * static_cast<double>(samples);
  state.counters["a sample"] = benchmark::Counter(done, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["B/sample"] = static_cast<double>(bytes) / static_cast<double>(samples);
  state.SetLabel(kShapes[state.range(0)]);
}

void encode(benchmark::State& state) {
  const auto samples = make(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  std::string bytes;
  for (auto _ : state) benchmark::DoNotOptimize(bytes = journal::encode(samples));
  report(state, samples.size(), bytes.size());
}

void decode(benchmark::State& state) {
  const auto samples = make(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  const std::string bytes = journal::encode(samples);
  std::vector<Sample> back;
  for (auto _ : state) {
    if (!journal::decode(bytes, back)) return state.SkipWithError("does not decode");
    benchmark::DoNotOptimize(back.data());
  }
  report(state, samples.size(), bytes.size());
}

/// What one gets without a format: the rows as they lie in memory through zstd.
void zstd_rows(benchmark::State& state) {
  const auto samples = make(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  std::string rows(samples.size() * sizeof(Sample), '\0');
  std::memcpy(rows.data(), samples.data(), rows.size());
  std::string out(ZSTD_compressBound(rows.size()), '\0');
  std::size_t size = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(size = ZSTD_compress(out.data(), out.size(), rows.data(), rows.size(), 1));
  report(state, samples.size(), size);
}

void shapes(benchmark::internal::Benchmark* bench) {
  for (int shape = kSensor; shape <= kMixed; ++shape) bench->Args({shape, shape == kMixed ? 1000 : 1024});
}
BENCHMARK(encode)->Apply(shapes);
BENCHMARK(decode)->Apply(shapes);
BENCHMARK(zstd_rows)->Apply(shapes);

/// One round of the series a call, as a gateway sees them.
struct Rounds {
  explicit Rounds(std::size_t series) : samples(series) {
    std::mt19937_64 first(1);
    for (std::size_t i = 0; i < series; ++i) {
      samples[i].series = SeriesId{static_cast<std::uint32_t>(i)};
      samples[i].value = static_cast<double>(first() % 400) / 10;
    }
  }
  std::vector<Sample> next(std::size_t count) {
    std::vector<Sample> out;
    for (; count > 0; --count, at = (at + 1) % samples.size()) {
      Sample& one = samples[at];
      time += 200 + static_cast<std::int64_t>(random() % 100);
      one.time = Timestamp{Micros{time}};
      one.value = std::round(one.value * 10 + static_cast<double>(random() % 3) - 1) / 10;
      out.push_back(one);
    }
    return out;
  }
  std::vector<Sample> samples;
  std::mt19937_64 random{2};
  std::size_t at = 0;
  std::int64_t time = kStart;
};

void report_rate(benchmark::State& state, double written) {
  const auto samples = static_cast<double>(state.iterations() * state.range(0));
  state.counters["samples/s"] = benchmark::Counter(samples, benchmark::Counter::kIsRate);
  state.counters["written B/sample"] = (bench::io_counter("wchar") - written) / samples;
}

/// A new journal in a folder of its own.
struct OpenJournal {
  bench::Scratch scratch;
  FakeClock clock{Timestamp{Micros{kStart}}};
  Metrics metrics;
  Result<std::unique_ptr<journal::Journal>> journal =
      journal::Journal::open(journal::Options{.directory = scratch.path}, clock, metrics);
};

void append_journal(benchmark::State& state) {
  OpenJournal opened;
  if (!opened.journal) return state.SkipWithError(opened.journal.error().text.c_str());
  journal::Journal& log = **opened.journal;
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(log.catalogue().intern("device" + std::to_string(i) + "/temperature", {}));
  }
  Rounds rounds(1000);
  const double written = bench::io_counter("wchar");
  for (auto _ : state) {
    state.PauseTiming();
    Batch batch;
    batch.samples = rounds.next(static_cast<std::size_t>(state.range(0)));
    opened.clock.set(batch.samples.back().time);
    state.ResumeTiming();
    if (!log.append(batch)) return state.SkipWithError("not appended");
    if (!log.maintain()) return state.SkipWithError("not maintained");
  }
  opened.journal->reset();
  report_rate(state, written);
}
BENCHMARK(append_journal)
    ->Arg(1)
    ->Arg(200)
    ->Arg(1000)
    ->Arg(4096)
    ->Arg(32768)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

void append_rows(benchmark::State& state) {
  const bench::Scratch scratch;
  sqlite3* database = nullptr;
  sqlite3_open((scratch.path / "rows.db").c_str(), &database);
  sqlite3_exec(database,
               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
               "CREATE TABLE samples(series INTEGER, time INTEGER, quality INTEGER, value REAL,"
               " PRIMARY KEY(series, time)) WITHOUT ROWID;",
               nullptr, nullptr, nullptr);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO samples VALUES(?,?,?,?)", -1, &insert, nullptr);
  Rounds rounds(1000);
  const double written = bench::io_counter("wchar");
  for (auto _ : state) {
    state.PauseTiming();
    const auto samples = rounds.next(static_cast<std::size_t>(state.range(0)));
    state.ResumeTiming();
    sqlite3_exec(database, "BEGIN", nullptr, nullptr, nullptr);
    for (const Sample& one : samples) {
      sqlite3_bind_int64(insert, 1, static_cast<std::int64_t>(one.series));
      sqlite3_bind_int64(insert, 2, one.time.time_since_epoch().count());
      sqlite3_bind_int(insert, 3, 0);
      sqlite3_bind_double(insert, 4, one.value);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr);
  }
  sqlite3_finalize(insert);
  sqlite3_close(database);
  report_rate(state, written);
}
BENCHMARK(append_rows)->Arg(1)->Arg(200)->Arg(1000)->Arg(4096)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// A chart of one series over the last hour, 1,000 series stored at 1 Hz, five commits a second.
void history_hour(benchmark::State& state) {
  OpenJournal opened;
  if (!opened.journal) return state.SkipWithError(opened.journal.error().text.c_str());
  journal::Journal& log = **opened.journal;
  std::vector<SeriesId> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(*log.catalogue().intern("device" + std::to_string(i) + "/x", {}));
  Rounds rounds(1000);
  for (int i = 0; i < 2 * 3600 * 5; ++i) {
    Batch batch;
    batch.samples = rounds.next(200);
    rounds.time += 150'000;
    opened.clock.set(batch.samples.back().time);
    if (!log.append(batch)) return state.SkipWithError("not appended");
    if (i % 5 == 0 && !log.maintain()) return state.SkipWithError("not maintained");
  }
  const std::span asked(ids.data(), static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto found = log.history(asked, opened.clock.now() - std::chrono::hours(1), opened.clock.now(), 300);
    if (!found || found->at(0).buckets.size() < 290) return state.SkipWithError("a history is not whole");
  }
}
BENCHMARK(history_hour)->Arg(1)->Arg(8)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace

BENCHMARK_MAIN();
