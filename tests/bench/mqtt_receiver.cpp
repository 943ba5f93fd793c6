// From an arrived MQTT message to samples at the sink: 1,000 topics in turn, everything known already. "allocations" is
// what a message costs in steady state, and should read 0.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "drivers/mqtt/receiver.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

// Not inlined: GCC would take malloc and free for the two halves of different pairs.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace tidegate;
using namespace tidegate::drivers;
using namespace tidegate::drivers::mqtt;

class CountingSink final : public Sink {
 public:
  Result<SeriesId> series(std::string_view, const SeriesInfo&) override { return SeriesId{next_++}; }
  Result<double> label(SeriesId, std::string_view) override { return 0; }
  Ticket push(std::span<const Sample> samples) override {
    taken += samples.size();
    return Ticket{taken};
  }
  bool wait_committed(Ticket, std::stop_token) override { return true; }
  void report(SourceHealth, std::string_view) override {}
  void reject(std::string_view, std::string_view, std::string_view) override { std::abort(); }
  std::uint64_t taken = 0;

 private:
  std::uint32_t next_ = 0;
};

constexpr const char* kNumber = "21.53";
constexpr const char* kSmallJson = R"({"ts":1772366399250,"v":-18.375})";
constexpr const char* kZigbee =
    R"({"battery":97,"humidity":44.91,"linkquality":134,"pressure":1013.2,"temperature":-18.37,"voltage":2985,"contact":true,)"
    R"("power_outage_count":7,"update":{"installed_version":33,"latest_version":33,"state":"idle"}})";

void receive(benchmark::State& state, const char* payload, Format format) {
  Options options;
  options.subscriptions.emplace_back();
  options.subscriptions[0].topic = *Pattern::parse("site/{device}/telemetry");
  options.subscriptions[0].format = format;
  if (payload == kSmallJson) options.subscriptions[0].timestamp = TimestampRule{"ts", TimeFormat::milliseconds};
  CountingSink sink;
  Receiver receiver(options, "bench", sink);
  std::vector<std::string> topics;
  for (int i = 0; i < 1000; ++i) topics.push_back("site/device-" + std::to_string(i) + "/telemetry");
  const Timestamp now{std::chrono::seconds(1'772'366'400)};
  for (const auto& topic : topics) receiver.take({topic, payload}, now);
  const std::uint64_t samples_before = sink.taken, allocations_before = allocations;
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(receiver.take({topics[at], payload}, now));
    if (++at == topics.size()) at = 0;
  }
  const auto messages = static_cast<double>(state.iterations());
  state.SetItemsProcessed(state.iterations());
  state.counters["samples"] = static_cast<double>(sink.taken - samples_before) / messages;
  state.counters["allocations"] = static_cast<double>(allocations - allocations_before) / messages;
}

BENCHMARK_CAPTURE(receive, number, kNumber, Format::number);
BENCHMARK_CAPTURE(receive, number_by_auto, kNumber, Format::automatic);
BENCHMARK_CAPTURE(receive, json_32_bytes, kSmallJson, Format::json);
BENCHMARK_CAPTURE(receive, zigbee_208_bytes, kZigbee, Format::json);

}  // namespace
