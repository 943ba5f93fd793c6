#include "gateway/mqtt/kept.h"

#include <atomic>
#include <chrono>

#include "gateway/core/sleep.h"

namespace tidegate::mqtt {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kQuiet = 1s;  // more than a slow link's pause between two packets
constexpr auto kLookAgain = 50ms;

ConnectionOptions as_another(ConnectionOptions options) {
  options.client_id += "-kept";
  options.session_expiry = Micros{0};
  options.will.reset();
  return options;
}

}  // namespace

Status read_kept(const ConnectionOptions& options, std::span<const Subscription> filters,
                 const std::function<void(const Message&)>& take, std::stop_token stop) {
  const ConnectionOptions own = as_another(options);
  std::atomic<Clock::duration> heard = Clock::duration{};
  std::atomic<bool> lost = false;
  Client client(own, {.message =
                          [&](const Message& message) {
                            if (!message.retained) return;
                            take(message);
                            heard = Clock::now().time_since_epoch();
                          },
                      .lost = [&](const Error&) { lost = true; },
                      .answered = [](std::uint32_t, const std::optional<Error>&) {}});
  if (const auto connected = client.connect(stop); !connected) return fail(connected.error());
  // What it refuses it refuses the connection that follows too, which says so.
  if (const auto subscribed = client.subscribe(filters, stop); !subscribed) return fail(subscribed.error());
  heard = Clock::now().time_since_epoch();
  while (!lost && Clock::now().time_since_epoch() - heard.load() < kQuiet) {
    if (!sleep_for(kLookAgain, stop)) return fail(Errc::stopped, "asked to stop");
  }
  if (lost) return fail(Errc::interrupted, "the connection to {} is lost", options.broker.text());
  client.leave();
  return {};
}

}  // namespace tidegate::mqtt
