#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/client_tls.h"
#include "gateway/config/node.h"
#include "gateway/config/schema.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::mqtt {

/// A broker's address as a user writes it: mqtt://host[:1883], mqtts://host[:8883], ws://host[:80][/path],
/// wss://host[:443][/path]. An IPv6 host stands in brackets.
struct Address {
  enum class Transport : std::uint8_t { tcp, tls, websocket, secure_websocket };
  Transport transport = Transport::tcp;
  std::string host;  ///< without brackets
  int port = 1883;
  std::string path;  ///< of a websocket

  static Result<Address> parse(std::string_view text);
  bool secure() const { return transport == Transport::tls || transport == Transport::secure_websocket; }
  std::string text() const;      ///< as above, with the port
  std::string paho_uri() const;  ///< as Paho wants it
};

struct Will {
  std::string topic;
  std::string payload;
  int qos = 1;
  bool retain = true;
};

struct ConnectionOptions {
  enum class Version : std::uint8_t { v3_1_1, v5 };

  Address broker;
  Version version = Version::v5;
  std::string client_id;
  std::string user;
  std::string password;  ///< never in a text
  config::ClientTls tls;
  Micros keep_alive = std::chrono::seconds(30);
  /// How long the broker keeps subscriptions and undelivered QoS 1 and 2 messages while we are away; 0: a clean session
  /// each time. MQTT 3.1.1 knows no time: the broker's own limit applies.
  Micros session_expiry{0};
  std::optional<Will> will;
  Micros first_wait = std::chrono::seconds(1);  ///< between tries, doubling up to `longest_wait`
  Micros longest_wait = std::chrono::minutes(1);
  Micros look_every = std::chrono::hours(1);  ///< at the files of `tls`; each 24th time at the broker's certificate
  std::size_t max_in_flight = 100;            ///< publishes without their acknowledgement
};

/// What is wrong with a topic to publish to; empty: nothing.
std::string topic_problem(std::string_view text);

/// What every MQTT connection of the configuration has: broker, version, client_id, user, password, tls, keep_alive.
std::vector<config::Shape::Field> connection_fields();
/// What a subscriber has besides: session_expiry, will.
std::vector<config::Shape::Field> session_fields();

/// Of a section checked against the fields above (session_fields() may be missing). `name` makes the default client
/// id: tidegate-HOST-NAME. Problems: files that cannot be read, parts that do not fit together.
ConnectionOptions connection_options(const config::Node& section, std::string_view name, config::Problems& problems);

}  // namespace tidegate::mqtt
