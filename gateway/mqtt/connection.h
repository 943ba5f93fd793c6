#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/mqtt/client.h"
#include "gateway/mqtt/options.h"

namespace tidegate::mqtt {

struct State {
  enum class Phase : std::uint8_t {
    connecting,
    connected,
    limited,  ///< connected, but the broker refused some subscriptions
    waiting   ///< not connected; tries again after a wait
  };
  Phase phase = Phase::connecting;
  std::string text;  ///< in plain words: where, why, what is tried next; no secret in it
  std::string why;   ///< of `waiting`: the reason alone
  /// While it is up: what somebody should see to before it is too late, a certificate that ends; it stands in `text`
  /// too.
  std::string notice;
  std::optional<Timestamp> certificate_ends;  ///< the broker's, once that is known
  bool up() const { return phase == Phase::connected || phase == Phase::limited; }
};

/// One connection to a broker. Connects in the background on a thread of its own, tries again for ever with backoff and
/// jitter, and subscribes again on every connect (Paho's own reconnect does not). Over TLS it finds out when the
/// broker's certificate ends, by a handshake beside the connection, after each connect and once a day.
class Connection {
 public:
  struct Handlers {
    /// Called one at a time on Paho's receive thread, which all connections of the process share: be short. Paho
    /// acknowledges a QoS 1 message when this returns.
    std::function<void(const Message&)> message;
    /// Called on the connection's thread at every change.
    std::function<void(const State&)> state;
  };

  Connection(ConnectionOptions options, std::vector<Subscription> subscriptions, Handlers handlers);
  /// Publishes the `farewell`, says goodbye to the broker (so that the last will is not sent), waits for a running
  /// handler.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Published after every connect before anything else, and at the end: a retained "online" and "offline". To be set
  /// before start().
  void announce(Outgoing greeting, Outgoing farewell);
  /// What the broker keeps of these goes to the message handler before the first connection brings what waited at the
  /// broker for its session: what those messages cannot be understood without. To be set before start().
  void read_first(std::vector<Subscription> kept);
  void start();

  /// One more, from now on; one that is there already is asked for once more, for the messages that the broker keeps.
  /// Any thread; does not wait for the broker.
  void subscribe(Subscription subscription);

  State state() const;
  /// True as soon as it is connected; false after `patience` or when asked to stop.
  bool wait_connected(Micros patience, std::stop_token stop) const;

  /// Starts to send; waits while `max_in_flight` publishes, or as many as the broker takes, are unacknowledged. One
  /// publishing thread. An error means that none of the publishes since the last flush() or error counts as sent: send
  /// them all again. Errc::invalid: the broker will never take one of them; Errc::interrupted: the connection broke
  /// while some were on their way.
  Status publish(Outgoing message, std::stop_token stop);
  /// Waits until the broker has acknowledged (PUBACK, PUBCOMP) every publish since the last flush(). On an error none
  /// counts as sent, as above. Without any acknowledgement for `patience` the connection is given up and made anew.
  Status flush(Micros patience, std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::mqtt
