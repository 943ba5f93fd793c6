// How fast `tidegate backtest` goes through what is stored: the program from its start to its end, a rule at a time
// over 100 series at 1 Hz for a day, most of it in history. In the same run what bounds it, reading alone, and what one
// would do without it: ask SQL how many samples are beyond the limit. `tidegate-bench-backtest HOURS` for another
// length.

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "gateway/journal/journal.h"
#include "gateway/journal/scan.h"
#include "gateway/tools/progress.h"
#include "tests/bench/process.h"
#include "tests/support/process.h"

namespace {

using namespace tidegate;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kSeries = 100;
const Timestamp kStart{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};

[[noreturn]] void stop(std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

/// Temperatures in steps of 0.1 that wander between 20 and 92, a commit a minute.
std::size_t store(const std::filesystem::path& directory, double hours) {
  FakeClock clock(kStart);
  Metrics metrics;
  const auto journal = journal::Journal::open({.directory = directory}, clock, metrics);
  if (!journal) stop(journal.error().text);
  for (std::size_t i = 0; i < kSeries; ++i) {
    if (!(*journal)->catalogue().intern(fmt::format("boiler{}/temperature", i), {SeriesKind::number, "°C", "", 1s, {}}))
      stop("a series was refused");
  }
  std::mt19937_64 random(5);
  std::vector<double> levels(kSeries, 600);
  const auto minutes = static_cast<std::size_t>(hours * 60);
  for (std::size_t minute = 0; minute < minutes; ++minute) {
    Batch batch;
    for (int second = 0; second < 60; ++second, clock.advance(1s)) {
      for (std::uint32_t i = 0; i < kSeries; ++i) {
        levels[i] = std::clamp(levels[i] + static_cast<double>(random() % 7) - 3, 200.0, 920.0);
        batch.samples.push_back({.series = SeriesId{i}, .time = clock.now(), .value = levels[i] / 10});
      }
    }
    if (const auto stored = (*journal)->append(batch); !stored) stop(stored.error().text);
    if (minute % 60 == 59) {
      for (bool more = true; more;) more = (*journal)->compact({}).value_or(false);
      if (const Status kept = (*journal)->maintain(); !kept) stop(kept.error().text);
    }
  }
  return minutes * 60 * kSeries;
}

void tell(std::string_view what, std::size_t samples, Steady::time_point began) {
  const double took = std::chrono::duration<double>(Steady::now() - began).count();
  fmt::print("{:<52} {:>6.2f} s  {:>6.2f} million samples/s\n", what, took, static_cast<double>(samples) / took / 1e6);
}

void read_alone(const std::filesystem::path& directory, std::size_t samples) {
  const auto began = Steady::now();
  const auto view = journal::StoreView::open(directory);
  if (!view) stop(view.error().text);
  std::size_t read = 0;
  for (std::size_t i = 0; i < kSeries; ++i) {
    journal::Scan scan(**view, {.series = {i}});
    while (true) {
      const auto portion = scan.next();
      if (!portion) stop(portion.error().text);
      if (portion->samples.empty()) break;
      read += portion->samples.size();
    }
  }
  if (read != samples) stop(fmt::format("{} of {} samples were read", read, samples));
  tell("read alone, in this process", samples, began);
}

/// From the program's start to its end, in which it says `sign`.
void run(std::string_view what, std::vector<std::string> arguments, std::size_t samples, std::string_view sign) {
  arguments.insert(arguments.begin(), TIDEGATE_PROGRAM);
  const auto began = Steady::now();
  test::Process program(std::move(arguments));
  const auto status = program.wait(600s);
  if (status != 0 || program.output().find(sign) == std::string::npos) stop(program.output());
  tell(what, samples, began);
}

void measure(double hours) {
  const bench::Scratch scratch;
  const std::size_t samples = store(scratch.path / "data", hours);
  std::ofstream(scratch.path / "tidegate.yaml") << "storage: {path: data}\n";
  fmt::print("{} samples of {} series\n", samples, kSeries);
  read_alone(scratch.path / "data", samples);
  const std::string configuration = scratch.path / "tidegate.yaml";
  run("SQL: how many are above a limit",
      {"sql", "--config", configuration, "SELECT series, sum(value > 90) FROM samples GROUP BY series"}, samples,
      "boiler0/temperature");
  const std::pair<const char*, const char*> rules[] = {
      {"threshold", "threshold: {above: 90 °C, clear_below: 85 °C}, for: 30s"},
      {"trend over 10 m", "trend: {rising: 5 °C/min, over: 10m}"},
      {"when avg(value, 5m) > 85", "when: \"avg(value, 5m) > 85\""},
      {"anomaly", "anomaly: {}"}};
  const std::string file = scratch.path / "draft.yaml";
  const auto write = [&](const char* rule) {
    std::ofstream(file) << "rules:\n  - {name: tried, series: \"{device}/temperature\", " << rule << "}\n";
  };
  const std::string sign = tools::counted(samples, "sample", "samples");
  const std::vector<std::string> backtest = {"backtest", "--config",   configuration, "--rules",   file,
                                             "--from",   "2026-03-01", "--to",        "2026-04-01"};
  for (const auto& [name, rule] : rules) {
    write(rule);
    run(fmt::format("backtest: {}", name), backtest, samples, sign);
  }
  write(rules[0].second);
  std::vector<std::string> sweep = backtest;
  sweep.insert(sweep.end(), {"--rule", "tried", "--sweep", "for=5s..50s:5s"});
  run("backtest: threshold with ten values of `for`", sweep, samples, sign);
}

}  // namespace

int main(int argc, char** argv) {
  const double hours = argc > 1 ? std::atof(argv[1]) : 24;
  if (hours <= 0) {
    fmt::print(stderr, "usage: tidegate-bench-backtest [HOURS]: of 100 series at 1 Hz, default 24\n");
    return 64;
  }
  measure(hours);
}
