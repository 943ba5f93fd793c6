// What a sample costs the rule engine, beside a naive evaluator that looks topics up by name and computes its window
// anew. `items_per_second` counts samples; `per_rule` is the time for one sample and one rule.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <string>

#include "gateway/config/load.h"
#include "rules/derived.h"
#include "rules/engine.h"

namespace {

using namespace tidegate;

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};
constexpr std::size_t kBatch = 4096;

std::vector<rules::Rule> compile(const std::string& yaml) {
  config::Problems problems;
  config::Node node = config::parse(yaml, "rules.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::list(rules::rule_shape()), problems);
  auto compiled = rules::parse_rules(node, problems);
  if (problems.empty()) return compiled;
  std::fputs(problems.text().c_str(), stderr);
  std::exit(1);
}

std::string series_name(std::size_t i) { return fmt::format("hall{}/device{}/temperature", i % 7, i); }

std::string threshold_rules(int count) {
  std::string yaml;
  for (int i = 0; i < count; ++i) {
    yaml += fmt::format(
        "- {{name: hot{}, series: \"{{hall}}/{{device}}/temperature\", threshold: {{above: {}, clear_below: 85}}, for: "
        "30s}}\n",
        i, 90 + i);
  }
  return yaml;
}

rules::Engine engine_of(const std::string& yaml, std::size_t series) {
  rules::Engine engine(compile(yaml));
  rules::Output out;
  for (std::size_t i = 0; i < series; ++i)
    engine.declare(SeriesId{static_cast<std::uint32_t>(i)}, series_name(i), {}, {}, kStart, out);
  return engine;
}

/// Values that wander below the limit and cross it now and then: what a plant sends. A round holds a sample of every
/// series, in an order of chance.
class Plant {
 public:
  explicit Plant(std::size_t series) : values_(series, 60) {
    for (std::uint32_t i = 0; i < series; ++i) order_.push_back(i);
    std::shuffle(order_.begin(), order_.end(), random_);
  }

  std::vector<Sample> batch(std::size_t count) {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i, next_ = (next_ + 1) % order_.size()) {
      if (next_ == 0) now_ += std::chrono::seconds(1);
      double& value = values_[order_[next_]];
      value = std::clamp(value + step_(random_), 20.0, 92.0);
      samples.push_back({SeriesId{order_[next_]}, Quality::good, Reason::none, now_, value});
    }
    return samples;
  }
  Timestamp now() const { return now_; }

 private:
  std::mt19937 random_{1};
  std::uniform_real_distribution<double> step_{-1, 1};
  std::vector<double> values_;
  std::vector<std::uint32_t> order_;
  std::size_t next_ = 0;
  Timestamp now_ = kStart;
};

void report(benchmark::State& state, double rules_per_series) {
  const auto samples = static_cast<double>(state.iterations()) * static_cast<double>(kBatch);
  state.SetItemsProcessed(static_cast<std::int64_t>(samples));
  state.counters["per_rule"] =
      benchmark::Counter(samples * rules_per_series, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void run(benchmark::State& state, rules::Engine engine, std::size_t series, double rules_per_series,
         std::size_t samples_before = 0) {
  Plant plant(series);
  rules::Output out;
  engine.observe(plant.batch(series * samples_before), plant.now(), out);
  out.clear();
  std::size_t transitions = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto samples = plant.batch(kBatch);
    state.ResumeTiming();
    engine.observe(samples, plant.now(), out);
    engine.tick(plant.now(), out);
    transitions += out.alerts.size();
    out.clear();
  }
  report(state, rules_per_series);
  state.counters["transitions"] = static_cast<double>(transitions);
}

void Threshold(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  const auto rules = static_cast<int>(state.range(1));
  run(state, engine_of(threshold_rules(rules), series), series, rules);
}
BENCHMARK(Threshold)->ArgNames({"series", "rules"})->Args({1'000, 1})->Args({10'000, 1})->Args({10'000, 4});

/// One rule of a kind with a window, which is full from the first sample that is timed.
void window_kind(benchmark::State& state, const std::string& condition, std::size_t samples_in_window) {
  const auto series = static_cast<std::size_t>(state.range(0));
  run(state, engine_of("- {name: r, series: \"{hall}/{device}/temperature\", " + condition + "}\n", series), series, 1,
      samples_in_window);
}
void Trend(benchmark::State& state) { window_kind(state, "trend: {rising: 30 /min, over: 1m}, for: 30s", 60); }
/// As many samples in the window as count.
void RobustTrend(benchmark::State& state) {
  window_kind(state, "trend: {rising: 30 /min, over: 128s, robust: true}", 128);
}
/// Far more than count.
void DenseRobustTrend(benchmark::State& state) {
  window_kind(state, "trend: {rising: 30 /min, over: 1h, robust: true}", 3600);
}
void Forecast(benchmark::State& state) { window_kind(state, "forecast: {above: 95, within: 5m, from: 1m}", 60); }
void Change(benchmark::State& state) { window_kind(state, "change: {by: 10, within: 1m}", 60); }
void Deviation(benchmark::State& state) { window_kind(state, "deviation: {sigmas: 4, over: 1m}", 60); }
void Shift(benchmark::State& state) { window_kind(state, "shift: {over: 1m}", 600); }
void Flatline(benchmark::State& state) { window_kind(state, "flatline: {for: 1m, tolerance: 0.1}", 60); }
/// A cell of its season, at whose end it looks back, holds 300 samples.
void Anomaly(benchmark::State& state) { window_kind(state, "anomaly: {season: 8h}", 15'000); }
void RobustDeviation(benchmark::State& state) {
  window_kind(state, "deviation: {sigmas: 4, over: 1000s, robust: true}", 1'000);
}
BENCHMARK(Trend)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(RobustTrend)->ArgName("series")->Arg(100);
BENCHMARK(DenseRobustTrend)->ArgName("series")->Arg(100);
BENCHMARK(Forecast)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(Change)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(Deviation)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(Shift)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(Flatline)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(Anomaly)->ArgName("series")->Arg(100)->Arg(1'000);
BENCHMARK(RobustDeviation)->ArgName("series")->Arg(100)->Arg(1'000);

void Absence(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  run(state, engine_of("- {name: silent, series: \"{hall}/{device}/temperature\", absence: {for: 5m}}\n", series),
      series, 1);
}
BENCHMARK(Absence)->ArgName("series")->Arg(10'000);

/// A rule that waits for late samples, with 3,600 of each series waiting.
void Patient(benchmark::State& state) {
  window_kind(state, "threshold: {above: 90, clear_below: 85}, allowed_lateness: 1h", 3'700);
}
BENCHMARK(Patient)->ArgName("series")->Arg(100);

/// A thousand rules, each for ten of ten thousand series.
void ThousandRules(benchmark::State& state) {
  constexpr std::size_t kSeries = 10'000;
  std::string yaml;
  for (int i = 0; i < 1'000; ++i) {
    yaml += fmt::format(
        "- {{name: r{0}, series: \"{{hall}}/device{0}{{n}}/temperature\", threshold: {{above: 90, hysteresis: 5}}, "
        "for: 30s}}\n",
        i);
  }
  rules::Engine engine = engine_of(yaml, kSeries);
  double instances = 0;
  for (const auto& status : engine.status()) instances += static_cast<double>(status.instances);
  run(state, std::move(engine), kSeries, instances / kSeries);
  state.counters["rules_per_series"] = instances / kSeries;
}
BENCHMARK(ThousandRules);

/// A sample of which another one is made, by an expression: `per_rule` is for the two.
void Derived(benchmark::State& state, const char* how) {
  const auto series = static_cast<std::size_t>(state.range(0));
  config::Problems problems;
  config::Node node = config::parse(
      fmt::format("- {{name: \"{{hall}}/{{device}}/made\", from: \"{{hall}}/{{device}}/temperature\", {}}}", how),
      "derived.yaml", ".", config::References::system(), problems);
  config::check(node, config::Shape::list(rules::derived_shape()), problems);
  rules::Engine engine(rules::parse_derived(node, problems));
  rules::Output out;
  for (std::size_t i = 0; i < series; ++i)
    engine.declare(SeriesId{static_cast<std::uint32_t>(i)}, series_name(i), {}, {}, kStart, out);
  auto id = static_cast<std::uint32_t>(series);
  for (const rules::MadeSeries& made : engine.take_made_series())
    engine.declare(SeriesId{id++}, made.name, made.info, {}, kStart, out);
  if (!problems.empty() || id != 2 * series) std::exit(1);
  run(state, std::move(engine), series, 1, 3);
}
BENCHMARK_CAPTURE(Derived, value, "value: value * 2")->ArgName("series")->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(Derived, mean, "value: \"avg(value, 1m)\"")->ArgName("series")->Arg(1'000);
BENCHMARK_CAPTURE(Derived, integral, "integral: value, every: 1m")->ArgName("series")->Arg(1'000);

/// Ten thousand instances that wait for an absence, and nothing to do.
void IdleTick(benchmark::State& state) {
  rules::Engine engine =
      engine_of("- {name: silent, series: \"{hall}/{device}/temperature\", absence: {for: 1h}}\n", 10'000);
  Plant plant(10'000);
  rules::Output out;
  const auto samples = plant.batch(10'000);
  engine.observe(samples, plant.now(), out);
  engine.tick(plant.now(), out);
  for (auto _ : state) engine.tick(plant.now(), out);
}
BENCHMARK(IdleTick);

/// Reading, checking and compiling ten thousand rules, and matching them.
void LoadTenThousandRules(benchmark::State& state) {
  std::string yaml;
  for (int i = 0; i < 10'000; ++i) {
    yaml +=
        fmt::format("- {{name: r{0}, series: hall{1}/device{0}/temperature, threshold: {{above: 90}}}}\n", i, i % 7);
  }
  for (auto _ : state) benchmark::DoNotOptimize(engine_of(yaml, 10'000).status());
}
BENCHMARK(LoadTenThousandRules)->Unit(benchmark::kMillisecond);

/// Bytes that an instance takes while its windows are empty: all that the engine and its detector keep of it, with what
/// the allocator adds.
void Memory(benchmark::State& state, const char* condition) {
  constexpr std::size_t kSeries = 1024;
  const auto taken = [&](const char* metric) {
    const auto in_use = [] { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd); };
    const double before = in_use();
    const rules::Engine engine =
        engine_of(fmt::format("- {{name: r, series: \"{{hall}}/{{device}}/{}\", {}}}\n", metric, condition), kSeries);
    return in_use() - before;
  };
  taken("temperature");  // what is made once
  double bytes = 0;
  for (auto _ : state) bytes = taken("temperature") - taken("of no series");
  state.counters["bytes"] = bytes / kSeries;
}
BENCHMARK_CAPTURE(Memory, threshold, "threshold: {above: 90, clear_below: 85}, for: 30s")->Iterations(1);
BENCHMARK_CAPTURE(Memory, absence, "absence: {for: 5m}")->Iterations(1);
BENCHMARK_CAPTURE(Memory, when, "when: value > 90")->Iterations(1);
BENCHMARK_CAPTURE(Memory, when_two, "when: value > 90 and pressure < 2")->Iterations(1);
BENCHMARK_CAPTURE(Memory, when_held, "when: \"held(value > 90, 30s)\"")->Iterations(1);
BENCHMARK_CAPTURE(Memory, trend, "trend: {rising: 30 /min, over: 1m}")->Iterations(1);
BENCHMARK_CAPTURE(Memory, shift, "shift: {over: 1m}")->Iterations(1);

/// What a first program does: a map from the topic's name to the state of its rules.
struct NaiveRule {
  double above, clear;
  Micros wait;
  bool pending = false, active = false;
  Timestamp since{};

  bool step(double value, Timestamp now) {
    if (value < clear) {
      const bool was = active;
      pending = active = false;
      return was;
    }
    if (value <= above || active) return false;
    if (!pending) {
      pending = true;
      since = now;
    }
    return active = now - since >= wait;
  }
};

void NaiveThreshold(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  const auto rules = static_cast<std::size_t>(state.range(1));
  std::map<std::string, std::vector<NaiveRule>> by_topic;
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < series; ++i) {
    topics.push_back(series_name(i));
    for (std::size_t r = 0; r < rules; ++r)
      by_topic[topics.back()].push_back({90 + static_cast<double>(r), 85, std::chrono::seconds(30)});
  }
  Plant plant(series);
  std::size_t transitions = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto samples = plant.batch(kBatch);
    state.ResumeTiming();
    for (const Sample& sample : samples) {
      for (NaiveRule& rule : by_topic.find(topics[index(sample.series)])->second)
        transitions += rule.step(sample.value, sample.time) ? 1 : 0;
    }
  }
  report(state, static_cast<double>(rules));
  state.counters["transitions"] = static_cast<double>(transitions);
}
BENCHMARK(NaiveThreshold)->ArgNames({"series", "rules"})->Args({1'000, 1})->Args({10'000, 1})->Args({10'000, 4});

void NaiveTrend(benchmark::State& state) {
  const auto series = static_cast<std::size_t>(state.range(0));
  std::map<std::string, std::deque<std::pair<double, double>>> windows;
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < series; ++i) topics.push_back(series_name(i));
  Plant plant(series);
  std::size_t fired = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto samples = plant.batch(kBatch);
    state.ResumeTiming();
    for (const Sample& sample : samples) {
      auto& window = windows[topics[index(sample.series)]];
      const double now = static_cast<double>((sample.time - kStart).count()) * 1e-6;
      window.emplace_back(now, sample.value);
      while (window.front().first <= now - 60) window.pop_front();
      double t = 0, v = 0, tt = 0, tv = 0;
      for (const auto& [time, value] : window) {
        t += time;
        v += value;
        tt += time * time;
        tv += time * value;
      }
      const auto n = static_cast<double>(window.size());
      fired += (n * tv - t * v) / (n * tt - t * t) > 0.5 ? 1 : 0;
    }
  }
  benchmark::DoNotOptimize(fired);
  report(state, 1);
}
BENCHMARK(NaiveTrend)->ArgName("series")->Arg(100)->Arg(1'000);

}  // namespace

BENCHMARK_MAIN();
