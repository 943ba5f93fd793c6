// What the whole program reaches, beside a bare Paho subscriber in the same run, on loopback with a real Mosquitto:
// sustained messages a second with every sample committed, CPU time a message, sensor-to-SSE latency of an alert at
// 1,000 messages a second, and resident memory with 1,000 series and one viewer.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/bench/bare_subscriber.h"
#include "tests/bench/process.h"
#include "tests/support/broker.h"
#include "tests/support/gateway_process.h"
#include "tests/support/publisher.h"
#include "tests/support/sse_client.h"

namespace tidegate::bench {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr int kTopics = 1000;

struct Speed {
  double per_second = 0;
  double cpu_micros = 0;  ///< a message
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Speed median(const std::vector<Speed>& runs) {
  std::vector<double> rates, cpu;
  for (const Speed& run : runs) rates.push_back(run.per_second), cpu.push_back(run.cpu_micros);
  return {median(rates), median(cpu)};
}

std::string topic(int i) { return fmt::format("bench/d{}/v", i % kTopics); }

/// JSON with the value first, filled up to `bytes` as devices do.
std::string payload(int i, std::size_t bytes) {
  std::string text = fmt::format(R"({{"v":{}.{},"state":"ok","id":{})", 20 + i % 7, i % 10, 100'000 + i % 900'000);
  if (text.size() + 1 < bytes)
    text += fmt::format(R"(,"pad":"{}")", std::string(bytes - std::min(bytes, text.size() + 10), 'x'));
  return text + "}";
}

std::string configuration(const test::Broker& broker) {
  return fmt::format(R"(gateway: {{name: bench}}
sources:
  - name: field
    type: mqtt
    broker: {}
    subscriptions:
      - {{topic: "bench/{{device}}/v", qos: 0, series: "{{device}}/{{field}}", payload: {{format: json, fields: {{v: /v}}}}}}
rules:
  - {{name: hot, series: "{{device}}/v", threshold: {{above: 90, clear_below: 85}}}}
)",
                     broker.url());
}

void publish(const test::Broker& broker, int count, std::size_t bytes) {
  test::Publisher publisher(broker.port());
  for (int i = 0; i < count; ++i) publisher.publish(topic(i), payload(i, bytes));
  publisher.flush();
}

Speed measure_bare(const std::string& self, const test::Broker& broker, int count, std::size_t bytes) {
  test::Process subscriber({self, "--bare", std::to_string(broker.port()), std::to_string(count)});
  if (!subscriber.wait_for_output("ready\n")) throw std::runtime_error("the bare subscriber did not start");
  publish(broker, count, bytes);
  if (subscriber.wait(120s) != 0) throw std::runtime_error("the bare subscriber did not get every message");
  std::istringstream figures(subscriber.output().substr(subscriber.output().find("ready\n") + 6));
  double seconds = 0, cpu = 0;
  figures >> seconds >> cpu;
  return {count / seconds, cpu / count * 1e6};
}

constexpr const char* kCommitted = "tidegate_journal_committed_samples_total";

/// Until every sample is on disk: the time from the first publish to the last commit.
Speed measure_gateway(test::GatewayProcess& gateway, const test::Broker& broker, int count, std::size_t bytes) {
  const double before = gateway.metric(kCommitted);
  const double cpu_before = cpu_seconds(gateway.process().pid());
  const auto began = Steady::now();
  publish(broker, count, bytes);
  const bool all = test::eventually([&] { return gateway.metric(kCommitted) - before >= count; }, 120s);
  const double seconds = std::chrono::duration<double>(Steady::now() - began).count();
  if (!all)
    throw std::runtime_error(
        fmt::format("only {} of {} samples were committed", gateway.metric(kCommitted) - before, count));
  return {count / seconds, (cpu_seconds(gateway.process().pid()) - cpu_before) / count * 1e6};
}

void compare_throughput(const std::string& self, test::GatewayProcess& gateway, const test::Broker& broker, int count,
                        std::size_t bytes) {
  std::vector<Speed> bare, whole;
  for (int run = 0; run < 3; ++run) {
    bare.push_back(measure_bare(self, broker, count, bytes));
    whole.push_back(measure_gateway(gateway, broker, count, bytes));
  }
  const Speed b = median(bare), w = median(whole);
  fmt::print("{:3} bytes, QoS 0, {} messages, median of 3\n", bytes, count);
  fmt::print("  bare Paho subscriber   {:9.0f} messages/s  {:6.2f} us CPU a message\n", b.per_second, b.cpu_micros);
  fmt::print("  gateway, all committed {:9.0f} messages/s  {:6.2f} us CPU a message\n", w.per_second, w.cpu_micros);
  fmt::print("  ratio                  {:9.2f}             {:6.2f}\n", w.per_second / b.per_second,
             w.cpu_micros / b.cpu_micros);
}

/// Publish to alert on the stream: every 50th message crosses the limit (and the next one of its series comes back).
void measure_latency(const test::GatewayProcess& gateway, const test::Broker& broker, int seconds) {
  test::SseClient viewer(gateway.port(), {.headers = gateway.authorization()});
  if (!viewer.wait_for("snapshot")) throw std::runtime_error("no stream");
  std::vector<double> millis;
  const int count = seconds * 1000;
  std::vector<std::atomic<std::int64_t>> sent(static_cast<std::size_t>(count));
  const auto micros = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now().time_since_epoch()).count();
  };
  std::jthread publisher([&](std::stop_token stop) {
    test::Publisher out(broker.port(), "latency");
    const auto began = Steady::now();
    for (int i = 0; i < count && !stop.stop_requested(); ++i) {
      std::this_thread::sleep_until(began + i * 1ms);
      const bool hot = i % 50 == 0;
      sent[static_cast<std::size_t>(i)] = micros();
      // 100.i says which message raised the alert; a series is hot once, then normal until its turn comes again.
      out.publish(topic(i), hot ? fmt::format(R"({{"v":{}}})", 1'000'000 + i) : payload(i, 36));
      if (hot && i >= 50) out.publish(topic(i - 50), R"({"v":20})");
      out.flush();
    }
  });
  const auto deadline = Steady::now() + std::chrono::seconds(seconds + 5);
  while (Steady::now() < deadline && millis.size() < static_cast<std::size_t>(count / 50)) {
    const auto event = viewer.wait_for(
        "alert", [](const auto&) { return true; }, 20s);
    if (!event) break;
    const std::int64_t now = micros();
    const nlohmann::json told = event->json();
    for (const auto& alert : told["alerts"]) {
      if (alert["cause"] != "raised") continue;
      const auto i = static_cast<std::size_t>(alert["alert"]["value"].get<double>()) - 1'000'000;
      if (i < sent.size()) millis.push_back(static_cast<double>(now - sent[i]) / 1e3);
    }
    viewer.seen.clear();
  }
  if (millis.empty()) throw std::runtime_error("no alert arrived: " + gateway.get("/api/v1/alerts/log?limit=3"));
  std::sort(millis.begin(), millis.end());
  fmt::print("sensor to SSE at 1,000 messages/s, {} of {} alerts: p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms\n",
             millis.size(), count / 50, millis[millis.size() / 2], millis[millis.size() * 99 / 100], millis.back());
}

int run(const std::string& self, int count) {
  test::BrokerOptions options;
  options.lines = {"set_tcp_nodelay true", "max_queued_messages 0", "max_inflight_messages 1000"};
  test::Broker broker(options);
  test::GatewayProcess gateway(TIDEGATE_PROGRAM, configuration(broker));
  gateway.start();
  if (!test::eventually([&] {
        return gateway.get("/api/v1/state").find("\"health\":\"up\",\"text\":\"connected") != std::string::npos;
      })) {
    throw std::runtime_error("the gateway did not reach the broker: " + gateway.get("/api/v1/state"));
  }
  publish(broker, kTopics, 36);  // every series is known before anything is measured
  if (!test::eventually([&] { return gateway.metric(kCommitted) >= kTopics; }))
    throw std::runtime_error("nothing was committed");
  {
    const test::SseClient viewer(gateway.port(), {.headers = gateway.authorization()});
    std::this_thread::sleep_for(2s);
    fmt::print("resident memory with {} series and one viewer: {:.1f} MiB\n", kTopics,
               resident_mebibytes(gateway.process().pid()));
  }
  measure_latency(gateway, broker, 20);
  for (const std::size_t bytes : {std::size_t{36}, std::size_t{200}})
    compare_throughput(self, gateway, broker, count, bytes);
  fmt::print("resident memory after {} messages: {:.1f} MiB; dropped {}\n", 6 * count,
             resident_mebibytes(gateway.process().pid()), gateway.metric("tidegate_intake_dropped_samples_total"));
  return gateway.stop();
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  using namespace tidegate::bench;
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "--bare" && argc == 4) return bare_subscriber(std::atoi(argv[2]), std::atoi(argv[3]));
  if (mode == "--help") {
    fmt::print("usage: tidegate-bench-e2e [MESSAGES]   (default 200000 for each of three runs)\n");
    return 0;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // each figure as soon as it is known, into a file too
  try {
    return run(argv[0], argc > 1 ? std::max(1000, std::atoi(argv[1])) : 200'000);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
