#pragma once

#include "gateway/mqtt/connection.h"

namespace tidegate::uplink::mqtt {

/// A connection to a broker as an uplink uses it: made when it is first asked for, and never waited for long. One
/// thread.
class Link {
 public:
  explicit Link(tidegate::mqtt::ConnectionOptions options)
      : connection_(std::move(options), std::vector<tidegate::mqtt::Subscription>{}, {}) {}

  void announce(tidegate::mqtt::Outgoing greeting, tidegate::mqtt::Outgoing farewell) {
    connection_.announce(std::move(greeting), std::move(farewell));
  }
  /// As of Uplink.
  Status reach(std::stop_token stop);
  /// Behind reach(). What was published since the last flush() counts when that succeeds.
  Status publish(tidegate::mqtt::Outgoing message, std::stop_token stop) {
    return connection_.publish(std::move(message), std::move(stop));
  }
  Status flush(std::stop_token stop);

 private:
  tidegate::mqtt::Connection connection_;
  bool started_ = false;
};

}  // namespace tidegate::uplink::mqtt
