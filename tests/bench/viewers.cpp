// What many viewers of the live stream cost: how late deltas reach them (from the gateway's own stamp to the viewer),
// memory and processor time, and what it does to ingest, beside the same gateway in the same run without them. The
// viewers are of this machine, and take their share of it.

#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/bench/process.h"
#include "tests/bench/viewer_crowd.h"
#include "tests/support/broker.h"
#include "tests/support/gateway_process.h"
#include "tests/support/publisher.h"

namespace tidegate::bench {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

struct Options {
  std::size_t viewers = 5000, stalled = 0;
  int series = 50, a_second = 4, ingest = 1000, seconds = 20;
};

std::string configuration(const test::Broker& broker, const Options& options) {
  return fmt::format(R"(gateway: {{name: bench}}
http: {{max_streams: {0}, max_streams_per_address: {0}}}
sources:
  - name: field
    type: mqtt
    broker: {1}
    subscriptions:
      - {{topic: "seen/{{device}}/v", series: "{{device}}/v", payload: {{format: number}}}}
      - {{topic: "more/{{device}}/v", series: "more/{{device}}", payload: {{format: number}}}}
)",
                     std::min<std::size_t>(10'000, options.viewers + options.stalled + 10), broker.url());
}

/// The series that viewers see change, and readings of others beside them, at a steady pace.
class Field {
 public:
  Field(int port, const Options& options) : thread_([=](const std::stop_token& stop) { run(stop, port, options); }) {}

 private:
  static void run(const std::stop_token& stop, int port, const Options& options) {
    test::Publisher out(port, "field");
    const auto began = Steady::now();
    const auto step = std::chrono::duration_cast<Steady::duration>(1s) / options.a_second;
    for (int turn = 0; !stop.stop_requested(); ++turn) {
      for (int i = 0; i < options.series; ++i) out.publish(fmt::format("seen/d{}/v", i), fmt::format("{}.{}", turn, i));
      const int more = options.ingest / options.a_second;
      for (int i = 0; i < more; ++i) out.publish("more/one/v", std::to_string(turn * more + i));
      out.flush();
      std::this_thread::sleep_until(began + (turn + 1) * step);
    }
  }
  std::jthread thread_;
};

struct Load {
  double committed = 0, commit_p99_ms = 0, cpu = 0;  ///< the last in processors
};

/// Of the gateway, over so many seconds.
Load measure(const test::GatewayProcess& gateway, pid_t pid, int seconds) {
  constexpr const char* kCommitted = "tidegate_journal_committed_samples_total";
  const double committed = gateway.metric(kCommitted), cpu = cpu_seconds(pid);
  const auto began = Steady::now();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const double took = std::chrono::duration<double>(Steady::now() - began).count();
  const auto state = nlohmann::json::parse(gateway.get("/api/v1/state"));
  return {(gateway.metric(kCommitted) - committed) / took, state["store"]["commit_p99_ms"].get<double>(),
          (cpu_seconds(pid) - cpu) / took};
}

void print(const char* what, const Load& load) {
  fmt::print("{:<22} {:8.1f} samples/s committed, commit p99 {:.1f} ms, {:.2f} of a processor\n", what, load.committed,
             load.commit_p99_ms, load.cpu);
}

int run(const Options& options) {
  test::Broker broker;
  test::GatewayProcess gateway(TIDEGATE_PROGRAM, configuration(broker, options));
  gateway.start();
  const pid_t pid = gateway.process().pid();
  const Field field(broker.port(), options);
  if (!test::eventually([&] { return gateway.metric("tidegate_journal_committed_samples_total") > options.series; })) {
    throw std::runtime_error("no sample arrives");
  }
  std::this_thread::sleep_for(2s);
  print("without viewers", measure(gateway, pid, options.seconds));
  const double before = resident_mebibytes(pid);
  ViewerCrowd crowd(gateway.port(), gateway.authorization(), options.viewers, options.stalled);
  std::this_thread::sleep_for(2s);  // what came while the others were connecting is old
  crowd.take();
  print("with viewers", measure(gateway, pid, options.seconds));
  const ViewerCrowd::Figures seen = crowd.take();
  const double grown = resident_mebibytes(pid) - before;
  if (seen.millis.empty()) throw std::runtime_error("no delta came");
  const std::size_t n = seen.millis.size();
  fmt::print("{} viewers, {} stalled, {} series {} times a second\n", options.viewers, options.stalled, options.series,
             options.a_second);
  fmt::print("delivery               p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms of {} deltas\n", seen.millis[n / 2],
             seen.millis[n * 99 / 100], seen.millis.back(), n);
  fmt::print("a viewer               {:.2f} deltas/s, {:.1f} KB/s; {} were let go\n",
             static_cast<double>(n) / static_cast<double>(options.viewers) / options.seconds,
             static_cast<double>(seen.bytes) / static_cast<double>(options.viewers) / options.seconds / 1e3, seen.gone);
  fmt::print("resident memory        {:.1f} MiB more, {:.1f} KiB a viewer\n", grown,
             grown * 1024 / static_cast<double>(options.viewers + options.stalled));
  fmt::print("evicted                {:.0f}\n", gateway.metric("tidegate_stream_evicted_total"));
  return gateway.stop();
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  using namespace tidegate::bench;
  Options options;
  CLI::App app{"What many viewers of the live stream cost."};
  app.add_option("--viewers", options.viewers, "That read")->capture_default_str();
  app.add_option("--stalled", options.stalled, "And so many more that read nothing")->capture_default_str();
  app.add_option("--series", options.series, "That change at each update")->capture_default_str();
  app.add_option("--rate", options.a_second, "Updates a second")->capture_default_str();
  app.add_option("--ingest", options.ingest, "Further samples a second")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Of each measurement")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const rlimit files{20'000, 20'000};
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
