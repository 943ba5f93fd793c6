#include "drivers/mqtt/mqtt.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "drivers/mqtt/options.h"
#include "drivers/mqtt/receiver.h"
#include "gateway/core/sleep.h"
#include "gateway/mqtt/connection.h"

namespace tidegate::drivers::mqtt {
namespace {

using tidegate::mqtt::Connection;
using tidegate::mqtt::State;
using tidegate::mqtt::Subscription;

/// After a stop, for a commit that a message waits for.
constexpr auto kCommitPatience = std::chrono::seconds(5);

SourceHealth health_of(State::Phase phase) {
  switch (phase) {
    case State::Phase::connecting:
      return SourceHealth::starting;
    case State::Phase::connected:
      return SourceHealth::up;
    case State::Phase::limited:
      return SourceHealth::degraded;
    case State::Phase::waiting:
      return SourceHealth::down;
  }
  return SourceHealth::down;
}

/// One for each filter, with the highest QoS asked for: the broker knows no more than that, and a second one would only
/// bring the retained messages again.
std::vector<Subscription> subscriptions_of(const Options& options) {
  std::vector<Subscription> subscriptions;
  for (const auto& rule : options.subscriptions) {
    const Subscription wanted{rule.topic.mqtt_filter(), rule.qos, subscription_id(rule.topic)};
    const auto same = std::find_if(subscriptions.begin(), subscriptions.end(),
                                   [&](const Subscription& other) { return other.filter == wanted.filter; });
    if (same == subscriptions.end()) {
      subscriptions.push_back(wanted);
    } else {
      same->qos = std::max(same->qos, wanted.qos);
    }
  }
  return subscriptions;
}

class MqttDriver final : public Driver {
 public:
  MqttDriver(Options options, tidegate::mqtt::ConnectionOptions connection, const Context& context)
      : options_(std::move(options)),
        connection_(std::move(connection)),
        context_(context),
        messages_(context.metrics.counter("mqtt/" + context.source + "/messages", "messages",
                                          "MQTT messages received by the source " + context.source + ".")) {}

  Status run(Sink& sink, std::stop_token stop) override {
    Receiver receiver(options_, context_.source, sink);
    std::stop_source too_late;
    std::jthread timer;
    Connection connection(
        connection_, subscriptions_of(options_),
        {[&](const tidegate::mqtt::Message& message) { take(receiver, sink, message, too_late.get_token()); },
         [&](const State& state) { report(sink, state); }});
    connection.start();
    while (sleep_for(std::chrono::hours(1), stop)) {
      // the connection works on its own threads
    }
    // The pump outlives the sources, so a message that waits for its commit gets it, and its acknowledgement before we
    // say goodbye; unless the disk takes nothing.
    timer = std::jthread([&too_late](std::stop_token done) {
      if (sleep_for(kCommitPatience, std::move(done))) too_late.request_stop();
    });
    const std::scoped_lock none_waits(waiting_);
    return {};
  }

 private:
  void take(Receiver& receiver, Sink& sink, const tidegate::mqtt::Message& message, const std::stop_token& too_late) {
    messages_.add();
    const Receiver::Received received{message.topic, message.payload, message.retained, message.subscriptions};
    auto ticket = receiver.take(received, context_.clock.now());
    if (!options_.ack_when_committed || message.qos == 0) return;
    // Paho acknowledges when this returns, so a message whose acknowledgement must wait for the disk waits here. One
    // that gave way at the queue's bound is taken in once more.
    const std::scoped_lock lock(waiting_);
    while (ticket && !sink.wait_committed(*ticket, too_late) && !too_late.stop_requested()) {
      ticket = receiver.take(received, context_.clock.now());
    }
  }

  void report(Sink& sink, const State& state) {
    // A try that follows a failed one is no news: the reason and the next try stand there already.
    if (state.phase == State::Phase::connecting && down_) return;
    down_ = state.phase == State::Phase::waiting;
    sink.report(health_of(state.phase), state.text);
  }

  const Options options_;
  const tidegate::mqtt::ConnectionOptions connection_;
  const Context context_;
  Metric& messages_;
  bool down_ = false;
  std::mutex waiting_;  ///< held while a message waits for its commit
};

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  auto connection = tidegate::mqtt::connection_options(section, context.source, own);
  auto options = read_options(section, own);
  for (const auto& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  return std::make_unique<MqttDriver>(std::move(options), std::move(connection), context);
}

}  // namespace

DriverType type() { return {"mqtt", "Subscribes at an MQTT broker: numbers, JSON, text states.", shape(), make}; }

}  // namespace tidegate::drivers::mqtt
