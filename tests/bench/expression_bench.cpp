// What a sample costs an expression: observe() and evaluate(). `items_per_second` counts samples.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "rules/expr/expression.h"

namespace {

using namespace tidegate;
using namespace tidegate::rules::expr;

Program program(std::string_view text) {
  const auto read = Expression::parse(text);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    std::fputs(problem->text.c_str(), stderr);
    std::exit(1);
  }
  const Input input;
  const std::vector<const Input*> inputs(std::get<Expression>(read).references().size(), &input);
  auto made = Program::bind(std::get<Expression>(read), inputs);
  if (auto* problem = std::get_if<Problem>(&made)) {
    std::fputs(problem->text.c_str(), stderr);
    std::exit(1);
  }
  return std::get<Program>(std::move(made));
}

/// A sample a second, of one reference after the other; the windows are full before it begins.
void run(benchmark::State& state, std::string_view text, std::size_t inputs = 1, std::size_t members = 0) {
  Program made = program(text);
  std::vector<std::size_t> order;
  if (members > 0) {
    for (std::size_t i = 0; i < members; ++i) order.push_back(std::get<std::size_t>(made.add_member(0, Input{})));
  } else {
    for (std::size_t i = 0; i < inputs; ++i) order.push_back(i);
  }
  std::mt19937 random(1);
  std::vector<double> values(4096);
  for (double& value : values) value = 60 + std::uniform_real_distribution<double>(-40, 40)(random);
  Timestamp now{std::chrono::seconds(1'700'000'000)};
  std::size_t i = 0;
  const auto one = [&] {
    now += std::chrono::seconds(1);
    ++i;
    made.observe(order[i % order.size()], {SeriesId{0}, Quality::good, Reason::none, now, values[i % values.size()]});
    return made.evaluate(now);
  };
  for (int before = 0; before < 2000; ++before) one();
  for (auto _ : state) benchmark::DoNotOptimize(one());
  state.SetItemsProcessed(state.iterations());
}

void Threshold(benchmark::State& state) { run(state, "value > 90"); }
BENCHMARK(Threshold);
void TwoWindows(benchmark::State& state) { run(state, "avg(value, 5m) > 30 and slope(value, 10m) < -0.2"); }
BENCHMARK(TwoWindows);
void TwoSeries(benchmark::State& state) { run(state, "avg(value, 5m) > 30 and slope(pressure, 10m) < -0.2", 2); }
BENCHMARK(TwoSeries);
void Held(benchmark::State& state) { run(state, "held(value > 90, 30s)"); }
BENCHMARK(Held);
void Quantile(benchmark::State& state) { run(state, "quantile(value, 0.95, 1000 samples) > 90"); }
BENCHMARK(Quantile);
void HundredMembers(benchmark::State& state) { run(state, "count(room/+/t > 90) > 3", 1, 100); }
BENCHMARK(HundredMembers);
void ThousandMembers(benchmark::State& state) { run(state, "avg(room/+/t) > 90", 1, 1000); }
BENCHMARK(ThousandMembers);
void HundredMembersWithWindows(benchmark::State& state) { run(state, "count(avg(room/+/t, 5m) > 90) > 3", 1, 100); }
BENCHMARK(HundredMembersWithWindows);

void ParseAndBind(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(program("avg(value, 5m) > 30 and slope(pressure, 10m) < -0.2"));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ParseAndBind);

}  // namespace

BENCHMARK_MAIN();
