// How even the polls of a small plant are: 5,000 points of Modbus, SNMP, HTTP, MQTT and a serial line at once on
// loopback, the first three polled each second. Lateness is how long after the second on which it was due a sample was
// taken; jitter, how far that is from its median: what comes last in a turn is late by the same each time.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <thread>
#include <vector>

#include "gateway/core/time_text.h"
#include "tests/bench/process.h"
#include "tests/e2e/small_plant.h"

namespace tidegate::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kSeconds = 60;

/// The times of the samples of a series, of `tidegate query`.
std::vector<Timestamp> times(const test::GatewayProcess& gateway, const std::string& series, int seconds) {
  const auto asked = test::run({e2e::kProgram, "query", series, "--from", fmt::format("-{}s", seconds), "--format",
                                "csv", "--data", gateway.data().string()});
  std::istringstream lines(asked.output);
  std::vector<Timestamp> all;
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find(',') + 1;
    const auto time = parse_rfc3339(line.substr(begin, line.find(',', begin) - begin));
    if (time) all.push_back(*time);
  }
  return all;
}

double milliseconds(Micros time) { return std::chrono::duration<double, std::milli>(time).count(); }

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * double(values.size() - 1))];
}

void print_polls(const std::string& what, const std::vector<Timestamp>& times, int seconds) {
  if (times.empty()) return fmt::print("{:<28} no samples\n", what);
  std::vector<double> late, jitter;
  for (const Timestamp time : times) late.push_back(milliseconds(time.time_since_epoch() % 1s));
  const double median = quantile(late, 0.5);
  for (const double one : late) jitter.push_back(std::abs(one - median));
  fmt::print("{:<28} {:>4} of {} polls   late: p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms   jitter: p99 {:.1f} ms\n",
             what, late.size(), seconds, median, quantile(late, 0.99), quantile(late, 1), quantile(jitter, 0.99));
}

int run(int seconds) {
  e2e::SmallPlant plant;
  test::GatewayProcess gateway{e2e::kProgram, plant.configuration()};
  gateway.start();
  if (!test::eventually([&] { return e2e::source_named(gateway, "field", "up"); })) return 1;
  plant.publish();
  if (!test::eventually(
          [&] {
            plant.say();
            std::this_thread::sleep_for(200ms);
            return plant.wrong(gateway).empty();
          },
          60s)) {
    fmt::print(stderr, "the plant did not come up: {}\n", gateway.process().output());
    return 1;
  }
  const double cpu = cpu_seconds(gateway.process().pid());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < until) {
    plant.say();
    std::this_thread::sleep_for(1s);
  }
  const double used = cpu_seconds(gateway.process().pid()) - cpu;
  print_polls("modbus, first of 3,000", times(gateway, "u1/r4000", seconds), seconds);
  print_polls("modbus, last of 3,000", times(gateway, "u3/r4999", seconds), seconds);
  print_polls("snmp, first of 180", times(gateway, "agent/o1", seconds), seconds);
  print_polls("snmp, last of 180", times(gateway, "agent/o180", seconds), seconds);
  print_polls("http, 600 in a document", times(gateway, "web/f0", seconds), seconds);
  for (const char* const source : {"plc", "agent", "web"}) {
    fmt::print("{}: a turn began at most {:.1f} ms late\n", source,
               1000 * gateway.metric(fmt::format("tidegate_source_turn_lateness_seconds{{source=\"{}\"}}", source)));
  }
  fmt::print("processor: {:.2f} of a core, {:.1f} MiB resident\n", used / seconds,
             resident_mebibytes(gateway.process().pid()));
  return 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  int seconds = tidegate::bench::kSeconds;
  const std::string_view given = argc > 1 ? argv[1] : "";
  if (argc > 2 || (argc > 1 && (std::from_chars(given.data(), given.data() + given.size(), seconds).ec != std::errc() ||
                                seconds < 1))) {
    fmt::print(stderr,
               "usage: {} [SECONDS]\nPolls a small plant for so long ({} s unless said), and tells how evenly.\n",
               argv[0], tidegate::bench::kSeconds);
    return 64;
  }
  return tidegate::bench::run(seconds);
}
