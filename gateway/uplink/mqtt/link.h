#pragma once

#include <functional>
#include <span>
#include <vector>

#include "gateway/mqtt/connection.h"
#include "gateway/uplink/uplink.h"

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
  Notice notice() const;
  /// Publishes what `messages_of` makes of each parcel. Success: the broker has acknowledged all of it.
  using Messages = std::vector<tidegate::mqtt::Outgoing>;
  Status send(std::span<const Parcel> parcels, const std::function<Messages(const Parcel&)>& messages_of,
              std::stop_token stop);

 private:
  tidegate::mqtt::Connection connection_;
  bool started_ = false;
};

}  // namespace tidegate::uplink::mqtt
