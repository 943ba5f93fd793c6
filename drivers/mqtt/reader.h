#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/sink.h"
#include "gateway/mqtt/client.h"

namespace tidegate::drivers::mqtt {

/// A message as a reader gets it; the views end with the call.
struct Received {
  std::string_view topic;
  std::string_view payload;
  bool retained = false;
  std::span<const std::uint32_t> subscriptions = {};  ///< the ids of those that brought it; empty: not known
};

/// What it has found, for the source's health.
struct Findings {
  struct Style {
    std::string name;  ///< "zigbee2mqtt"; empty: the subscriptions in the configuration
    std::size_t devices = 0;
    std::vector<std::string> offline;  ///< at most a few names
    std::size_t offline_count = 0;
    std::string told_by = {};  ///< what they all hang on is away: the topic that says so
  };
  std::vector<Style> styles;  ///< those that messages came of
};

/// Makes samples of a source's messages, of one style or by rules. One thread at a time.
class Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;

  /// What it wants to hear of from the start.
  virtual std::vector<tidegate::mqtt::Subscription> subscriptions() const = 0;
  /// Of these the broker keeps what says how the rest is to be read. It is asked for before what waited at the broker
  /// is taken: a restart has made us forget it.
  virtual std::vector<tidegate::mqtt::Subscription> descriptions() const { return {}; }
  virtual bool reads(std::string_view topic) const = 0;
  /// Pushes what the message holds; what cannot be used goes to Sink::reject. The ticket of the last sample, if any.
  virtual std::optional<Ticket> take(const Received& message, Timestamp now) = 0;
  virtual void find(Findings&) const {}
  /// About once a second, for what is due.
  virtual void tick(Timestamp) {}
  /// The connection was made (anew): messages may have been missed.
  virtual void connected(Timestamp) {}
};

/// What a reader asks of its connection, which takes it up on its own thread. Thread-safe; never blocks.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual void subscribe(tidegate::mqtt::Subscription subscription) = 0;
  virtual void publish(tidegate::mqtt::Outgoing message) = 0;
};

}  // namespace tidegate::drivers::mqtt
