#include "tests/bench/bare_subscriber.h"

#include <fmt/format.h>
#include <mqtt/async_client.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/bench/process.h"

namespace tidegate::bench {
int bare_subscriber(int port, int count) {
  using Steady = std::chrono::steady_clock;
  std::atomic<int> received{0};
  Steady::time_point first, last;
  double cpu_at_first = 0;
  ::mqtt::async_client client(fmt::format("tcp://127.0.0.1:{}", port), "bare");
  client.set_message_callback([&](const ::mqtt::const_message_ptr&) {
    const int now = received.load(std::memory_order_relaxed) + 1;
    if (now == 1) first = Steady::now(), cpu_at_first = cpu_seconds();
    if (now == count) last = Steady::now();
    received.store(now, std::memory_order_release);
  });
  client.connect()->wait();
  client.subscribe("bench/#", 0)->wait();
  fmt::print("ready\n");
  std::fflush(stdout);
  while (received.load(std::memory_order_acquire) < count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  fmt::print("{} {}\n", std::chrono::duration<double>(last - first).count(), cpu_seconds() - cpu_at_first);
  std::fflush(stdout);
  client.disconnect()->wait();
  return 0;
}

}  // namespace tidegate::bench
