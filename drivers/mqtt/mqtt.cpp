#include "drivers/mqtt/mqtt.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "drivers/mqtt/options.h"
#include "drivers/mqtt/outlet.h"
#include "drivers/mqtt/readers.h"
#include "drivers/mqtt/sparkplug/host.h"
#include "gateway/config/certificates.h"
#include "gateway/core/sleep.h"
#include "gateway/core/text.h"
#include "gateway/mqtt/connection.h"

namespace tidegate::drivers::mqtt {
namespace {

using tidegate::mqtt::Connection;
using tidegate::mqtt::Outgoing;
using tidegate::mqtt::State;
using tidegate::mqtt::Subscription;

/// After a stop, for a commit that a message waits for.
constexpr auto kCommitPatience = std::chrono::seconds(5);
constexpr auto kSendPatience = std::chrono::seconds(5);
constexpr Micros kLook = std::chrono::seconds(1);

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

/// What readers ask of the connection. Subscriptions it takes from any thread; publishing needs one of its own.
class Requests final : public Outbox {
 public:
  void connect(Connection& connection) {
    const std::scoped_lock lock(mutex_);
    connection_ = &connection;
  }
  void subscribe(Subscription subscription) override {
    const std::scoped_lock lock(mutex_);
    if (connection_ != nullptr) connection_->subscribe(std::move(subscription));
  }
  void publish(Outgoing message) override {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() < kMost) waiting_.push_back(std::move(message));
    changed_.notify_all();
  }
  /// Those that wait; empty after `patience` or when asked to stop.
  std::vector<Outgoing> wait(Micros patience, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, patience, [this] { return !waiting_.empty(); });
    return std::exchange(waiting_, {});
  }

 private:
  static constexpr std::size_t kMost = 1000;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Connection* connection_ = nullptr;
  std::vector<Outgoing> waiting_;
};

class MqttDriver final : public Driver {
 public:
  MqttDriver(Options options, tidegate::mqtt::ConnectionOptions connection, const Context& context)
      : options_(std::move(options)),
        connection_(std::move(connection)),
        context_(context),
        outlet_(options_.commands, connection_),
        made_(context.clock.now()),
        messages_(context.metrics.counter("mqtt/" + context.source + "/messages", "messages",
                                          "MQTT messages received by the source " + context.source + ".")),
        unread_(context.metrics.counter("mqtt/" + context.source + "/unread_messages", "messages",
                                        "MQTT messages that only subscriptions of before brought, and nobody reads.")) {
    if (options_.host_id.empty()) return;
    const Outgoing last = sparkplug::host_state(options_.host_id, false, made_);
    connection_.will = tidegate::mqtt::Will{last.topic, last.payload, last.qos, last.retain};
  }

  Outlet* outlet() override { return options_.commands.empty() ? nullptr : &outlet_; }

  Status run(Sink& sink, std::stop_token stop) override {
    Requests requests;
    Readers readers(options_, context_.source, sink, requests, &outlet_);
    std::stop_source too_late;
    std::jthread timer;
    Connection connection(
        connection_, readers.subscriptions(),
        {[&](const tidegate::mqtt::Message& message) { take(readers, sink, message, too_late.get_token()); },
         [&](const State& state) { note(readers, sink, state); }});
    connection.read_first(readers.descriptions());
    requests.connect(connection);
    if (!options_.host_id.empty()) {
      // The state and the last will have one time.
      connection.announce(sparkplug::host_state(options_.host_id, true, made_),
                          sparkplug::host_state(options_.host_id, false, made_));
    }
    outlet_.start();
    connection.start();
    while (!stop.stop_requested()) {
      send(connection, requests.wait(kLook, stop), stop);
      look(readers, sink);
    }
    outlet_.stop();
    // The pump outlives the sources, so a message that waits for its commit gets it, and its acknowledgement before we
    // say goodbye; unless the disk takes nothing.
    timer = std::jthread([&too_late](std::stop_token done) {
      if (sleep_for(kCommitPatience, std::move(done))) too_late.request_stop();
    });
    const std::scoped_lock none_waits(waiting_);
    return {};
  }

  /// The reader at work is another thread's.
  Status take_again(Sink& sink, const DeadLetter& letter) const override {
    Receiver receiver(options_, context_.source, sink);
    if (!receiver.reads(letter.topic))
      return fail(Errc::conflict, "what '{}' says depends on messages before it", printable(letter.topic));
    receiver.take({letter.topic, letter.payload}, letter.time);
    return {};
  }

 private:
  void take(Readers& readers, Sink& sink, const tidegate::mqtt::Message& message, const std::stop_token& too_late) {
    messages_.add();
    const Received received{message.topic, message.payload, message.retained, message.subscriptions};
    auto ticket = read(readers, received);
    if (!options_.ack_when_committed || message.qos == 0) return;
    // Paho acknowledges when this returns, so a message whose acknowledgement must wait for the disk waits here. One
    // that gave way at the queue's bound is taken in once more.
    const std::scoped_lock lock(waiting_);
    while (ticket && !sink.wait_committed(*ticket, too_late) && !too_late.stop_requested()) {
      ticket = read(readers, received);
    }
  }

  std::optional<Ticket> read(Readers& readers, const Received& received) {
    const std::scoped_lock lock(reading_);
    const std::uint64_t before = readers.unread();
    auto ticket = readers.take(received, context_.clock.now());
    unread_.add(static_cast<double>(readers.unread() - before));
    return ticket;
  }

  static void send(Connection& connection, std::vector<Outgoing> messages, const std::stop_token& stop) {
    if (messages.empty()) return;
    for (Outgoing& message : messages) {
      // What is lost here is asked for again when it is due.
      if (!connection.publish(std::move(message), stop)) return;
    }
    if (!connection.flush(kSendPatience, stop)) return;
  }

  /// What is due, and what was found.
  void look(Readers& readers, Sink& sink) {
    bool offline = false;
    std::string found;
    {
      const std::scoped_lock lock(reading_);
      readers.tick(context_.clock.now());
      found = readers.findings(offline);
    }
    const std::scoped_lock lock(telling_);
    found_ = std::move(found);
    offline_ = offline;
    tell(sink);
  }

  void note(Readers& readers, Sink& sink, const State& state) {
    if (state.up() && !up_) {
      const std::scoped_lock lock(reading_);
      readers.connected(context_.clock.now());
    }
    up_ = state.up();
    if (state.certificate_ends)
      config::show_end(context_.metrics, "source/" + context_.source, *state.certificate_ends);
    outlet_.hears(state.up());
    const std::scoped_lock lock(telling_);
    // A try that follows a failed one is no news: the reason and the next try stand there already.
    if (state.phase == State::Phase::connecting && down_) return;
    down_ = state.phase == State::Phase::waiting;
    state_ = state;
    tell(sink);
  }

  /// Under `telling_`.
  void tell(Sink& sink) {
    if (!state_) return;
    const bool add = state_->up() && !found_.empty();
    const std::string text = add ? fmt::format("{}; {}", state_->text, found_) : state_->text;
    const SourceHealth health = health_of(state_->phase);
    const SourceHealth shown = health == SourceHealth::up && offline_ ? SourceHealth::degraded : health;
    if (told_ && *told_ == std::pair(shown, text)) return;
    told_.emplace(shown, text);
    sink.report(shown, text);
  }

  const Options options_;
  tidegate::mqtt::ConnectionOptions connection_;
  const Context context_;
  TopicOutlet outlet_;
  const Timestamp made_;
  Metric &messages_, &unread_;
  std::mutex waiting_;  ///< held while a message waits for its commit
  std::mutex reading_;  ///< a reader is at work
  std::mutex telling_;
  bool up_ = false;  ///< of the connection's thread
  bool down_ = false, offline_ = false;
  std::optional<State> state_;
  std::string found_;
  std::optional<std::pair<SourceHealth, std::string>> told_;
};

/// Under another name, without a session: what waits at the broker for the gateway is for the gateway.
void only_look(Options& options, tidegate::mqtt::ConnectionOptions& connection) {
  connection.client_id += "-read";
  connection.session_expiry = Micros{0};
  connection.will.reset();
  options.ack_when_committed = false;
  options.commands.clear();
}

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  auto connection = tidegate::mqtt::connection_options(section, context.source, own);
  auto options = read_options(section, context.source, own);
  for (const auto& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  if (context.trial) only_look(options, connection);
  return std::make_unique<MqttDriver>(std::move(options), std::move(connection), context);
}

}  // namespace

DriverType type() { return {"mqtt", "Subscribes at an MQTT broker: numbers, JSON, text states.", shape(), make}; }

}  // namespace tidegate::drivers::mqtt
