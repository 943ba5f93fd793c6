#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "gateway/core/result.h"
#include "gateway/mqtt/options.h"

namespace tidegate::mqtt {

/// A message in; the views end with the call.
struct Message {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
  bool retained = false;  ///< the broker had kept it: old news
  /// The ids of the subscriptions that brought it; empty where the broker does not say. Where several fit a topic, a
  /// broker of MQTT 5 may send a copy for each.
  std::span<const std::uint32_t> subscriptions = {};
};

struct Subscription {
  std::string filter;  ///< MQTT's own, with + and #
  int qos = 1;
  std::uint32_t id = 0;  ///< MQTT 5's subscription identifier, 1 to 268,435,455; 0: none
};

/// A message out.
struct Outgoing {
  std::string topic;
  std::string payload;
  int qos = 1;
  bool retain = false;
  /// So long the broker keeps it for those that are away, in whole seconds, rounded up; nothing: as long as their
  /// sessions. MQTT 3.1.1 has no word for it.
  std::optional<Micros> expiry{};
};

/// What a broker takes at most, as its CONNACK says (MQTT 5).
struct Limits {
  std::size_t in_flight = 1;            ///< publishes without their acknowledgement
  std::size_t packet_bytes = SIZE_MAX;  ///< of a whole packet
};

/// Of its PUBLISH, with what stands around topic and payload.
std::size_t packet_bytes(const Outgoing& message);

/// Paho's client, and the only place that knows Paho. It does what it is told, once: trying again, counting answers and
/// telling the user is the Connection's. Nothing is buffered: Paho's consumer queue, offline buffer and persistence
/// stay off, the journal is the only buffer.
/// One thread, but for publish() and connected(), which any thread may call.
class Client {
 public:
  /// Called on Paho's threads, which all clients of the process share: be short.
  struct Events {
    /// One at a time. Paho acknowledges a QoS 1 message when this returns.
    std::function<void(const Message&)> message;
    /// The connection broke. It may be told twice. Errc::interrupted; Errc::invalid where the broker says that it will
    /// never take a message that it got.
    std::function<void(Error why)> lost;
    /// A publish of that round was acknowledged (PUBACK, PUBCOMP), or will not be any more: Errc::invalid where the
    /// broker will never take that message, Errc::interrupted where the connection ended before its answer, else
    /// Errc::unavailable.
    std::function<void(std::uint32_t round, std::optional<Error> error)> answered;
  };

  /// `options` outlive it.
  Client(const ConnectionOptions& options, Events events);
  /// Waits for a running `message`; what is under way is called off, which is `answered`.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Possible again after leave(), for a session that the broker keeps. Errc::invalid: the broker does not want this
  /// client (its id, its user).
  Result<Limits> connect(std::stop_token stop);
  /// Those that the broker refused, in words; empty where it took all.
  Result<std::string> subscribe(std::span<const Subscription> subscriptions, std::stop_token stop);
  Status send_and_wait(const Outgoing& message, Micros patience, std::stop_token stop);
  /// Starts to send, and is `answered` later. On an error it is not.
  Status publish(Outgoing message, std::uint32_t round);
  bool connected() const;
  /// Says goodbye to the broker, so that the last will is not sent.
  void leave();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::mqtt
