// What history costs and gives: bytes written and kept a sample while a plant is stored second by second, the work of
// compaction, and the time of charts. Prints a table; `history_bench HOURS` for longer runs of the first part.

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>
#include <thread>

#include "gateway/journal/journal.h"
#include "gateway/journal/scan.h"
#include "tests/bench/process.h"

namespace {

using namespace tidegate;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using bench::cpu_seconds;
using bench::io_counter;
using bench::Scratch;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kSeries = 1000;

double size_of(const fs::path& directory) {
  double bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  }
  return bytes;
}

enum class Shape { sensor, noise, counter, state };
constexpr std::pair<Shape, const char*> kShapes[] = {{Shape::sensor, "0.1 sensor, jittering times"},
                                                     {Shape::noise, "noisy float, jittering times"},
                                                     {Shape::counter, "counter"},
                                                     {Shape::state, "state"}};

/// One second of a plant: every series once, each at its own moment of the second.
class Plant {
 public:
  explicit Plant(Shape shape) : shape_(shape), levels_(kSeries, 205) {}

  void second(Timestamp begin, std::size_t from, std::size_t to, std::vector<Sample>& out) {
    for (std::size_t i = from; i < to; ++i) {
      const bool jitters = shape_ == Shape::sensor || shape_ == Shape::noise;
      const auto jitter = jitters ? static_cast<std::int64_t>(random_() % 7) * 1000 : 3000;
      out.push_back({.series = SeriesId{static_cast<std::uint32_t>(i)},
                     .time = begin + Micros{static_cast<std::int64_t>(i) * 1000 % 990'000 + jitter},
                     .value = next(levels_[i])});
    }
  }

 private:
  double next(double& level) {
    switch (shape_) {
      case Shape::sensor:
        level += std::round(normal_(random_));
        return level / 10;
      case Shape::noise:
        return 20 + normal_(random_);
      case Shape::counter:
        return level += static_cast<double>(random_() % 20);
      default:
        if (random_() % 50 == 0) level = static_cast<double>(random_() % 3);
        return level;
    }
  }

  Shape shape_;
  std::mt19937_64 random_{7};
  std::normal_distribution<double> normal_;
  std::vector<double> levels_;
};

std::unique_ptr<journal::Journal> open(const fs::path& directory, const Clock& clock, Metrics& metrics) {
  auto journal = journal::Journal::open({.directory = directory}, clock, metrics);
  if (!journal) {
    fmt::print(stderr, "{}\n", journal.error().text);
    std::exit(1);
  }
  return std::move(*journal);
}

void must(const Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().text);
  std::exit(1);
}

void store(journal::Journal& journal, std::vector<Sample> samples) {
  Batch batch;
  batch.samples = std::move(samples);
  if (const auto stored = journal.append(batch); !stored) must(fail(stored.error()));
}

/// All rounds that are due, and the keeping of the log; gives the processor time of the rounds.
double keep_up(journal::Journal& journal) {
  const double before = cpu_seconds();
  for (bool more = true; more;) {
    const auto done = journal.compact({});
    if (!done) must(fail(done.error()));
    more = *done;
  }
  const double spent = cpu_seconds() - before;
  must(journal.maintain());
  return spent;
}

void wear(Shape shape, const char* name, int commits_a_second, double hours) {
  Scratch scratch;
  FakeClock clock(Timestamp{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)});
  Metrics metrics;
  auto journal = open(scratch.path, clock, metrics);
  for (std::size_t i = 0; i < kSeries; ++i) {
    if (!journal->catalogue().intern(fmt::format("line{}/sensor{}", i / 50, i % 50), {})) std::exit(1);
  }
  Plant plant(shape);
  const auto seconds = static_cast<std::size_t>(hours * 3600);
  const std::size_t share = kSeries / static_cast<std::size_t>(commits_a_second);
  double compacting = 0;
  double appended = 0;
  const double before = io_counter("write_bytes");
  for (std::size_t second = 0; second < seconds; ++second) {
    const Timestamp begin = clock.now();
    for (std::size_t from = 0; from < kSeries; from += share) {
      std::vector<Sample> samples;
      plant.second(begin, from, from + share, samples);
      clock.advance(Micros{1'000'000 / commits_a_second});
      const double written = io_counter("write_bytes");
      store(*journal, std::move(samples));
      appended += io_counter("write_bytes") - written;
    }
    if (second % 10 == 9) {
      compacting += keep_up(*journal);
    } else {
      must(journal->maintain());
    }
  }
  const double samples = static_cast<double>(seconds) * kSeries;
  const double written = io_counter("write_bytes") - before;
  const auto more = journal->compact({}, true);
  if (!more) must(fail(more.error()));
  must(journal->maintain());
  const double kept = size_of(scratch.path / "history");
  fmt::print(
      "{:<28} {:>3}/s  {:>6.1f} B written a sample ({:.1f} by commits)  {:>5.2f} B kept  compaction {:>5.0f} ns\n",
      name, commits_a_second, written / samples, appended / samples, kept / samples, compacting / samples * 1e9);
}

/// One series at 1 Hz for a month, and what charts of it take.
void charts() {
  Scratch scratch;
  const Timestamp start{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};
  FakeClock clock(start);
  Metrics metrics;
  auto journal = open(scratch.path, clock, metrics);
  const auto id = journal->catalogue().intern("boiler1/temperature", {});
  if (!id) std::exit(1);
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  double level = 205;
  for (int quarter = 0; quarter < 30 * 96; ++quarter) {
    std::vector<Sample> samples;
    for (int i = 0; i < 900; ++i) {
      level += std::round(normal(random));
      clock.advance(1s);
      samples.push_back({.series = *id,
                         .time = clock.now() + Micros{static_cast<std::int64_t>(random() % 7) * 1000},
                         .value = level / 10});
    }
    store(*journal, std::move(samples));
    if (quarter % 4 == 3) keep_up(*journal);
  }
  clock.advance(2h);
  for (int i = 0; i < 3; ++i) keep_up(*journal);
  const std::vector<SeriesId> one{*id};
  const std::pair<const char*, Micros> ranges[] = {
      {"a month", 24h * 30}, {"a week", 24h * 7}, {"a day", 24h}, {"an hour", 1h}};
  for (const auto& [name, range] : ranges) {
    double best = 1e9;
    double worst = 0;
    std::size_t points = 0;
    for (int i = 0; i < 9; ++i) {
      const auto began = Steady::now();
      const auto history = journal->history(one, start + 24h * 30 - range, start + 24h * 30, 1000);
      const double took = std::chrono::duration<double, std::milli>(Steady::now() - began).count();
      if (!history) must(fail(history.error()));
      points = history->at(0).buckets.size();
      best = std::min(best, took);
      worst = std::max(worst, took);
    }
    fmt::print("chart of {:<8} {:>4} points  {:>6.2f} ms (worst of nine {:.2f})\n", name, points, best, worst);
  }
  std::size_t read = 0;
  const auto began = Steady::now();
  const auto view = journal::StoreView::open(scratch.path);
  if (!view) must(fail(view.error()));
  journal::Scan scan(**view, {.series = {0}});
  while (true) {
    const auto portion = scan.next();
    if (!portion) must(fail(portion.error()));
    if (portion->samples.empty()) break;
    read += portion->samples.size();
  }
  const double took = std::chrono::duration<double>(Steady::now() - began).count();
  fmt::print("read back                {:>7} samples  {:.1f} million a second\n", read,
             static_cast<double>(read) / took / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const double hours = argc > 1 ? std::atof(argv[1]) : 1;
  if (hours <= 0) {
    fmt::print(stderr, "usage: history_bench [HOURS]: of 1,000 series at 1 Hz, default 1\n");
    return 64;
  }
  for (const auto& [shape, name] : kShapes) wear(shape, name, 1, hours);
  wear(Shape::sensor, "0.1 sensor, jittering times", 5, hours);
  charts();
}
